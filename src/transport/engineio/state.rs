//! What a polling session is doing. Must know neither requests nor sockets.

use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::heartbeat::{Beat, Heartbeat};
use super::{Config, Reaction};

/// A session's life between its requests.
#[derive(Debug)]
pub(super) struct State {
    pub phase: Phase,
    /// A GET waits.
    pub getting: bool,
    /// A POST is being read or taken in.
    pub posting: bool,
    pub heartbeat: Heartbeat,
    pub settling: Settling,
    /// When a GET is to end while the session moves.
    pub noop_at: Instant,
    /// The waiting GET.
    pub waker: Option<Waker>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Polling,
    /// A WebSocket is open but has not shown that it works.
    Probing,
    /// It works: GETs end soon, the rest waits for the move.
    Upgrading,
    /// The session lives on its WebSocket.
    Upgraded,
    /// Over; a payload may wait for a last GET.
    Closed(Option<Vec<u8>>, Instant),
}

/// The time a session has to settle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settling {
    timeout: Option<Duration>,
    settled: bool,
    until: Option<Instant>,
}

impl Settling {
    pub fn new(config: &Config, now: Instant) -> Self {
        let timeout = config.settle_timeout;
        Self {
            timeout,
            settled: false,
            until: timeout.map(|timeout| now + timeout),
        }
    }

    pub fn react(&mut self, reaction: Reaction, now: Instant) {
        match reaction {
            Reaction::Settle => (self.settled, self.until) = (true, None),
            Reaction::Unsettle => {
                self.settled = false;
                self.until = self.timeout.map(|timeout| now + timeout);
            }
            Reaction::Keep | Reaction::Close => {}
        }
    }

    pub fn max_payload(&self, config: &Config) -> usize {
        match self.settled {
            true => config.max_payload,
            false => config.max_first_payload,
        }
    }

    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// The sooner of its end and `other`.
    pub fn or(&self, other: Instant) -> Instant {
        self.until.map_or(other, |until| until.min(other))
    }
}

impl State {
    pub fn new(config: &Config, now: Instant) -> Self {
        Self {
            phase: Phase::Polling,
            getting: false,
            posting: false,
            heartbeat: Heartbeat::new(config.rhythm, now),
            settling: Settling::new(config, now),
            noop_at: now,
            waker: None,
        }
    }

    /// Whether it polls still, if only while an upgrade is tried.
    pub fn polls(&self) -> bool {
        matches!(
            self.phase,
            Phase::Polling | Phase::Probing | Phase::Upgrading
        )
    }

    pub fn is_overdue(&self, now: Instant) -> bool {
        self.heartbeat.is_dead(now) || self.settling.is_over(now)
    }

    /// What is due on a session that polls.
    pub fn beat(&mut self, now: Instant) -> Beat {
        match self.settling.is_over(now) {
            true => Beat::Dead,
            false => self.heartbeat.beat(now),
        }
    }

    /// When a GET is to look again.
    pub fn next(&self) -> Instant {
        match self.phase {
            Phase::Upgrading => self.noop_at,
            _ => self.settling.or(self.heartbeat.next()),
        }
    }

    pub fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
