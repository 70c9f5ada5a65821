//! A clock that excludes the time in which the process was stopped or the machine was suspended.
//!
//! Heartbeat deadlines use it: a client's answer cannot be received while the process does not run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Maximum time between two readings of the clock. A longer gap counts as suspended time.
pub const STALL: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct AwakeClock(Mutex<State>);

#[derive(Debug)]
struct State {
    seen: Instant,
    lost: Duration,
}

impl Default for AwakeClock {
    fn default() -> Self {
        Self(Mutex::new(State {
            seen: Instant::now(),
            lost: Duration::ZERO,
        }))
    }
}

impl AwakeClock {
    /// Returns the current time minus the suspended time.
    pub fn now(&self) -> Instant {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Instant {
        let mut state = self.lock();
        let gap = now.saturating_duration_since(state.seen);
        if gap > STALL {
            state.lost += gap;
        }
        state.seen = state.seen.max(now);
        now - state.lost
    }

    /// Converts a time of this clock to one for timers. It is too early if more time is lost until then.
    pub fn alarm(&self, at: Instant) -> Instant {
        at + self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_awake_clock_excludes_suspended_time() {
        let clock = AwakeClock::default();
        let start = clock.at(Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(clock.at(after(1)), after(1));
        assert_eq!(clock.at(after(31)), after(1));
        assert_eq!(clock.alarm(after(2)), after(32));
        assert_eq!(clock.at(after(32)), after(2));
    }
}
