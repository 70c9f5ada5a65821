//! One room with one sender and many receivers: shapes A, C and H, and the floor.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::client::{Client, SCRATCH, append, find};
use super::meter::{Meter, Spent, quantile};
use super::process::Process;
use super::uuids::Uuids;

/// Format in which messages are sent.
#[derive(Clone)]
pub enum Dialect {
    /// Native protocol, into that room.
    Native(i64),
    /// Socket.IO of `komunikator`, into that room, as the user of that name. Each message arrives as two events.
    Komunikator(i64, String),
    /// Socket.IO of `realtime`, into the lobby.
    Realtime,
    /// Raw WebSocket of `team`, into the room of that uuid.
    Team(String),
    /// For the broadcast server: the message as it is delivered.
    Repeat,
}

impl Dialect {
    /// Returns the first bytes of a received message.
    fn begins(&self) -> &'static [u8] {
        match self {
            Self::Native(_) | Self::Repeat => br#"{"event":"message""#,
            Self::Komunikator(..) => br#"42["new_message""#,
            Self::Realtime => br#"42["new_public_message""#,
            Self::Team(_) => br#"{"messageType":"ChatMessage""#,
        }
    }
}

/// Rate of sending.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Keeps that number of messages in flight: sent, but not yet received by everybody.
    InFlight(usize),
    /// One message per interval.
    Every(Duration),
}

/// Results of one run.
pub struct Outcome {
    pub spent: Spent,
    pub deliveries: f64,
    /// Latencies of all deliveries in microseconds, sorted.
    latencies: Vec<u32>,
}

impl Outcome {
    /// Returns the server's CPU seconds per 100,000 deliveries.
    pub fn cpu_per_100k(&self) -> f64 {
        self.spent.server / self.deliveries * 1e5
    }

    /// Returns deliveries per second.
    pub fn rate(&self) -> f64 {
        self.deliveries / self.spent.seconds
    }

    /// Returns the latency quantile in milliseconds.
    pub fn latency(&self, share: f64) -> f64 {
        quantile(&self.latencies, share) / 1000.0
    }
}

#[derive(Default)]
struct State {
    /// Number of the oldest message that is not delivered to everybody.
    first: u64,
    /// For each message from there on: the number of missing deliveries, and when it was sent.
    missing: VecDeque<(u32, Instant)>,
    deliveries: u64,
    latencies: Vec<u32>,
}

/// Listening connections.
pub struct Crowd {
    members: Vec<Rc<Client>>,
    state: Rc<RefCell<State>>,
    arrived: Rc<Notify>,
    tasks: JoinSet<()>,
}

impl Crowd {
    /// Starts to listen on connections that are all in one room.
    pub fn new(members: Vec<Client>, dialect: &Dialect) -> Self {
        let mut crowd = Self {
            members: members.into_iter().map(Rc::new).collect(),
            state: Rc::default(),
            arrived: Rc::default(),
            tasks: JoinSet::new(),
        };
        let scratch = Rc::new(RefCell::new(vec![0; SCRATCH]));
        for member in crowd.members.clone() {
            let (state, arrived) = (crowd.state.clone(), crowd.arrived.clone());
            let (scratch, begins) = (scratch.clone(), dialect.begins());
            let mut next = 0;
            crowd.tasks.spawn_local(async move {
                let heard = |payload: &[u8]| {
                    if payload.starts_with(begins) {
                        state.borrow_mut().seen(next, &arrived);
                        next += 1;
                    } else if find(payload, br#""error""#).is_some() {
                        eprintln!("refused: {}", String::from_utf8_lossy(payload));
                    }
                    false
                };
                if let Err(error) = member.listen(&scratch, heard).await {
                    eprintln!("a connection ended: {error}");
                }
            });
        }
        crowd
    }

    /// Sends from the first connection until aborted.
    fn send(&mut self, dialect: Dialect, pace: Pace) -> AbortHandle {
        let sender = self.members[0].clone();
        let members = self.members.len() as u32;
        let (state, arrived) = (self.state.clone(), self.arrived.clone());
        self.tasks.spawn_local(async move {
            let mut texts = Texts::new(dialect);
            let mut frames = Vec::new();
            let (most, mut clock) = match pace {
                Pace::InFlight(most) => (most, None),
                Pace::Every(time) => (usize::MAX, Some(interval(time))),
            };
            if let Some(clock) = &mut clock {
                clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            }
            loop {
                let free = match &mut clock {
                    Some(clock) => {
                        clock.tick().await;
                        1
                    }
                    None => most - state.borrow().missing.len(),
                };
                frames.clear();
                for _ in 0..free {
                    append(&mut frames, &texts.next());
                    state
                        .borrow_mut()
                        .missing
                        .push_back((members, Instant::now()));
                }
                sender.send(&frames).await.expect("the sender's connection");
                if clock.is_none() {
                    arrived.notified().await;
                }
            }
        })
    }

    /// Sends, and measures `runs` times after a warm-up.
    pub async fn measure(
        mut self,
        process: &Process,
        dialect: Dialect,
        pace: Pace,
        stretches: &Stretches,
    ) -> Vec<Outcome> {
        let sender = self.send(dialect, pace);
        sleep(stretches.warm_up).await;
        let mut outcomes = Vec::new();
        for _ in 0..stretches.runs {
            {
                let mut state = self.state.borrow_mut();
                state.deliveries = 0;
                state.latencies.clear();
            }
            let meter = Meter::start(process);
            sleep(stretches.each).await;
            let spent = meter.stop(process);
            let mut state = self.state.borrow_mut();
            let mut latencies = std::mem::take(&mut state.latencies);
            latencies.sort_unstable();
            outcomes.push(Outcome {
                spent,
                deliveries: state.deliveries as f64,
                latencies,
            });
        }
        sender.abort();
        outcomes
    }
}

/// Durations and number of runs.
#[derive(Clone, Copy)]
pub struct Stretches {
    pub warm_up: Duration,
    pub each: Duration,
    pub runs: usize,
}

impl State {
    /// Counts a delivery of message `number`.
    fn seen(&mut self, number: u64, arrived: &Notify) {
        self.deliveries += 1;
        let Some((missing, sent)) = self.missing.get_mut((number - self.first) as usize) else {
            return eprintln!("a message nobody sent");
        };
        *missing -= 1;
        let latency = sent.elapsed().as_micros();
        self.latencies
            .push(u32::try_from(latency).unwrap_or(u32::MAX));
        while self
            .missing
            .front()
            .is_some_and(|(missing, _)| *missing == 0)
        {
            self.missing.pop_front();
            self.first += 1;
            arrived.notify_one();
        }
    }
}

/// Generator of messages with 200 bytes of text each.
struct Texts {
    uuids: Uuids,
    dialect: Dialect,
    content: String,
}

impl Texts {
    fn new(dialect: Dialect) -> Self {
        Self {
            uuids: Uuids::new(1),
            dialect,
            content: "x".repeat(200),
        }
    }

    fn next(&mut self) -> String {
        let content = &self.content;
        match &self.dialect {
            Dialect::Native(room) => send_frame(1, *room, &self.uuids.next(0), content),
            Dialect::Komunikator(room, name) => format!(
                r#"42["message",{{"room_id":{room},"user_name":"{name}","message":"{content}"}}]"#
            ),
            Dialect::Realtime => {
                format!(r#"42["send_public_message",{{"content":"{content}"}}]"#)
            }
            Dialect::Team(uuid) => format!(
                r#"{{"messageType":"ChatMessage","payload":{{"content":"{content}"}},"meta":{{"conversationId":"{uuid}"}}}}"#
            ),
            // As long as a native event with that text.
            Dialect::Repeat => format!(r#"{{"event":"message"{}{}}}"#, " ".repeat(320), content),
        }
    }
}

/// Builds the native client frame that sends a message.
pub fn send_frame(id: u32, room: i64, uuid: &str, content: &str) -> String {
    format!(r#"{{"id":{id},"op":"send","room":{room},"uuid":"{uuid}","content":"{content}"}}"#)
}
