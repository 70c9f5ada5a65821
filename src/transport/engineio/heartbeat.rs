//! When to ping, and when to give up. Must know neither how a ping is sent nor a timer.

use std::time::Duration;

use tokio::time::Instant;

/// How often the server pings, and how long a client may take to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// From the opening or the last answer to the next ping.
    pub interval: Duration,
    /// From a ping to its answer.
    pub timeout: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(25),
            timeout: Duration::from_secs(20),
        }
    }
}

/// One session's heartbeat.
///
/// Pings are due at times that do not depend on when somebody looks, so a session whose client
/// polls late is judged like any other.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    rhythm: Rhythm,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The next ping is due then.
    Quiet(Instant),
    /// The answer is due then; false: the ping itself has not been fetched.
    Pinged(Instant, bool),
}

/// What a heartbeat asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing.
    Fine,
    /// Send a ping, once.
    Ping,
    /// The client did not answer in time.
    Dead,
}

impl Heartbeat {
    /// Begins with a silence of one interval.
    pub fn new(rhythm: Rhythm, now: Instant) -> Self {
        Self {
            rhythm,
            state: State::Quiet(now + rhythm.interval),
        }
    }

    /// What is to be done now; a ping asked for counts as sent.
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

    /// Whether the client has missed its time, without asking for a ping.
    pub fn is_dead(&self, now: Instant) -> bool {
        let due = match self.state {
            State::Quiet(due) => due + self.rhythm.timeout,
            State::Pinged(due, _) => due,
        };
        now >= due
    }

    /// The client has answered.
    pub fn pong(&mut self, now: Instant) {
        if let State::Pinged(..) = self.state {
            self.state = State::Quiet(now + self.rhythm.interval);
        }
    }

    /// When to look again.
    pub fn next(&self) -> Instant {
        match self.state {
            State::Quiet(due) | State::Pinged(due, _) => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm {
        interval: Duration::from_millis(300),
        timeout: Duration::from_millis(200),
    };
    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_ping_is_due_after_one_interval_and_asked_for_once() {
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
    fn an_answer_that_does_not_come_ends_it_even_if_nobody_fetched_the_ping() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(RHYTHM, start);
        assert!(!heart.is_dead(start + ms(499)));
        assert!(heart.is_dead(start + ms(500)));
        assert_eq!(heart.beat(start + ms(450)), Beat::Ping);
        assert_eq!(heart.beat(start + ms(500)), Beat::Dead);
    }

    #[test]
    fn an_answer_to_nothing_changes_nothing() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(RHYTHM, start);
        heart.pong(start + ms(200));
        assert_eq!(heart.beat(start + ms(300)), Beat::Ping);
    }
}
