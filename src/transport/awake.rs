//! A clock that stands still while the process does: when it was stopped, or the machine slept. Must know nothing of
//! connections.
//!
//! Who did not answer meanwhile could not be heard, so deadlines are kept in this time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Somebody must look at the clock more often than this, or the time between counts as lost.
pub const STALL: Duration = Duration::from_secs(5);

/// The clock.
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
    /// The time without what was lost.
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

    /// When it will be that time, unless more is lost: for timers.
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
    fn time_in_which_nobody_could_look_does_not_pass() {
        let clock = AwakeClock::default();
        let start = clock.at(Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(clock.at(after(1)), after(1));
        assert_eq!(clock.at(after(31)), after(1));
        assert_eq!(clock.alarm(after(2)), after(32));
        assert_eq!(clock.at(after(32)), after(2));
    }
}
