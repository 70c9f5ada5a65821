//! Decides when to ping and when a session has timed out. Independent of timers and of the transport.

use std::time::Duration;

use tokio::time::Instant;

/// Ping interval and timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingConfig {
    /// Time from the opening or the last pong to the next ping.
    pub interval: Duration,
    /// Time from a ping to its pong.
    pub timeout: Duration,
}

impl Default for PingConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(25),
            timeout: Duration::from_secs(20),
        }
    }
}

/// Heartbeat state of one session.
///
/// Pings are due at times that do not depend on when this is checked, so a session whose client polls late is judged
/// like any other.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    rhythm: PingConfig,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The time of the next ping.
    Quiet(Instant),
    /// The deadline of the pong, and whether the ping has been sent.
    Pinged(Instant, bool),
}

/// The action that a heartbeat requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Fine,
    /// Send a ping. Returned once per ping.
    Ping,
    /// The client did not answer in time.
    Dead,
}

impl Heartbeat {
    /// Starts with one interval before the first ping.
    pub fn new(rhythm: PingConfig, now: Instant) -> Self {
        Self {
            rhythm,
            state: State::Quiet(now + rhythm.interval),
        }
    }

    /// Returns the action that is due now. A returned ping counts as sent.
    pub fn beat(&mut self, now: Instant) -> Beat {
        if let State::Quiet(due) = self.state
            && now >= due
        {
            self.state = State::Pinged(due + self.rhythm.timeout, false);
        }
        match &mut self.state {
            State::Pinged(due, _) if now >= *due => Beat::Dead,
            State::Pinged(_, fetched) if !*fetched => {
                *fetched = true;
                Beat::Ping
            }
            _ => Beat::Fine,
        }
    }

    /// Whether the client has timed out. Does not change the state.
    pub fn is_dead(&self, now: Instant) -> bool {
        let due = match self.state {
            State::Quiet(due) => due + self.rhythm.timeout,
            State::Pinged(due, _) => due,
        };
        now >= due
    }

    /// Handles a pong from the client.
    pub fn pong(&mut self, now: Instant) {
        if let State::Pinged(..) = self.state {
            self.state = State::Quiet(now + self.rhythm.interval);
        }
    }

    /// Returns the time of the next check.
    pub fn next(&self) -> Instant {
        match self.state {
            State::Quiet(due) | State::Pinged(due, _) => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: PingConfig = PingConfig {
        interval: Duration::from_millis(300),
        timeout: Duration::from_millis(200),
    };
    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_ping_is_due_once_after_one_interval() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(RHYTHM, start);
        assert_eq!(heart.beat(start + ms(299)), Beat::Fine);
        assert_eq!(heart.next(), start + ms(300));
        assert_eq!(heart.beat(start + ms(300)), Beat::Ping);
        assert_eq!(heart.beat(start + ms(301)), Beat::Fine);
        assert_eq!(heart.next(), start + ms(500));
        heart.pong(start + ms(400));
        assert_eq!(heart.beat(start + ms(699)), Beat::Fine);
        assert_eq!(heart.beat(start + ms(700)), Beat::Ping);
    }

    #[test]
    fn a_missing_pong_ends_the_session_even_if_the_ping_was_not_fetched() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(RHYTHM, start);
        assert!(!heart.is_dead(start + ms(499)));
        assert!(heart.is_dead(start + ms(500)));
        assert_eq!(heart.beat(start + ms(450)), Beat::Ping);
        assert_eq!(heart.beat(start + ms(500)), Beat::Dead);
    }

    #[test]
    fn an_unexpected_pong_changes_nothing() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(RHYTHM, start);
        heart.pong(start + ms(200));
        assert_eq!(heart.beat(start + ms(300)), Beat::Ping);
    }
}
