//! Shape B: many small rooms, in which everybody sends with one message in flight.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Client, SCRATCH, append, find};
use super::crowd::{Stretches, send_frame};
use super::meter::{Meter, Spent};
use super::process::Process;
use super::uuids::Uuids;

const MESSAGE: &[u8] = br#"{"event":"message""#;
const UUID: &[u8] = br#""uuid":""#;

/// A room and its members, at most 16.
pub struct Room {
    id: i64,
    members: Vec<Client>,
    /// For each member's message, the number of outstanding deliveries and replies.
    missing: RefCell<Vec<usize>>,
    uuids: RefCell<Uuids>,
    content: String,
    done: Rc<Cell<u64>>,
}

impl Room {
    /// Creates a room from connections that all watch room `id`.
    pub fn new(id: i64, members: Vec<Client>, done: Rc<Cell<u64>>) -> Rc<Self> {
        let missing = RefCell::new(vec![0; members.len()]);
        let uuids = RefCell::new(Uuids::new(id as u64));
        Rc::new(Self {
            id,
            members,
            missing,
            uuids,
            content: "x".repeat(200),
            done,
        })
    }

    fn send(&self, member: usize) {
        let text = send_frame(
            1,
            self.id,
            &self.uuids.borrow_mut().next(member),
            &self.content,
        );
        let mut frame = Vec::with_capacity(text.len() + 8);
        append(&mut frame, &text);
        self.missing.borrow_mut()[member] = self.members.len() + 1;
        self.members[member]
            .send_now(&frame)
            .expect("room for one frame");
    }

    fn heard(&self, member: usize, payload: &[u8]) {
        let author = if payload.starts_with(MESSAGE) {
            author(payload).expect("a uuid")
        } else if payload.starts_with(br#"{"re":"#) {
            if find(payload, br#""error""#).is_some() {
                eprintln!("refused: {}", String::from_utf8_lossy(payload));
            }
            member
        } else {
            return;
        };
        let through = {
            let missing = &mut self.missing.borrow_mut()[author];
            *missing -= 1;
            *missing == 0
        };
        if through {
            self.done.set(self.done.get() + 1);
            self.send(author);
        }
    }
}

/// Returns the sender of a message event, from the last digit of its uuid.
fn author(event: &[u8]) -> Option<usize> {
    let at = 28 + find(&event[28..], UUID)? + UUID.len() + 35;
    char::from(*event.get(at)?)
        .to_digit(16)
        .map(|digit| digit as usize)
}

/// Results of one run.
pub struct Outcome {
    pub spent: Spent,
    pub messages: f64,
}

/// Makes everybody send, and measures.
pub async fn measure(
    rooms: &[Rc<Room>],
    done: &Cell<u64>,
    process: &Process,
    stretches: &Stretches,
) -> Vec<Outcome> {
    let mut tasks = JoinSet::new();
    let scratch = Rc::new(RefCell::new(vec![0; SCRATCH]));
    for room in rooms {
        for member in 0..room.members.len() {
            let (room, scratch) = (room.clone(), scratch.clone());
            tasks.spawn_local(async move {
                room.send(member);
                let heard = |payload: &[u8]| {
                    room.heard(member, payload);
                    false
                };
                if let Err(error) = room.members[member].listen(&scratch, heard).await {
                    eprintln!("a connection ended: {error}");
                }
            });
        }
    }
    sleep(stretches.warm_up).await;
    let mut outcomes = Vec::new();
    for _ in 0..stretches.runs {
        let before = done.get();
        let meter = Meter::start(process);
        sleep(stretches.each).await;
        let spent = meter.stop(process);
        outcomes.push(Outcome {
            spent,
            messages: (done.get() - before) as f64,
        });
    }
    outcomes
}
