//! State of a polling session between requests. Independent of requests and sockets.

use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::heartbeat::{Beat, Heartbeat};
use super::{Config, Reaction};

#[derive(Debug)]
pub(super) struct State {
    pub phase: Phase,
    /// Whether a GET waits.
    pub getting: bool,
    /// Whether a POST is being read or handled.
    pub posting: bool,
    pub heartbeat: Heartbeat,
    pub settling: Settling,
    /// When to end a waiting GET during an upgrade.
    pub noop_at: Instant,
    /// Waker of the waiting GET.
    pub waker: Option<Waker>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Polling,
    /// A WebSocket is open but not yet confirmed.
    Probing,
    /// The WebSocket works: a waiting GET ends soon, and packets wait for the end of the upgrade.
    Upgrading,
    /// The session continues on its WebSocket.
    Upgraded,
    /// The session has ended at that time. The payload, if any, is for a last GET.
    Closed(Option<Vec<u8>>, Instant),
}

/// Time limit for authentication, and whether the session is authenticated.
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

    /// Returns the earlier of the time limit and `other`.
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

    /// Whether the session still polls, even if an upgrade is in progress.
    pub fn polls(&self) -> bool {
        matches!(
            self.phase,
            Phase::Polling | Phase::Probing | Phase::Upgrading
        )
    }

    pub fn is_overdue(&self, now: Instant) -> bool {
        self.heartbeat.is_dead(now) || self.settling.is_over(now)
    }

    /// Returns the action that is due for a polling session.
    pub fn beat(&mut self, now: Instant) -> Beat {
        match self.settling.is_over(now) {
            true => Beat::Dead,
            false => self.heartbeat.beat(now),
        }
    }

    /// Returns the time at which a waiting GET must check again.
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
