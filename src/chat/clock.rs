//! Detects jumps of the system clock, so that nothing expires by a wrong clock.

use std::time::{Duration, Instant};

use crate::model::Millis;

/// Jumps longer than this are detected, in milliseconds.
const JUMP: i64 = DAY;
/// Time after a jump in which nothing expires, so that an operator can set the clock.
const GRACE: Duration = Duration::from_secs(3600);

const DAY: i64 = 86_400_000;

/// System clock, compared with the monotonic clock.
pub(super) struct Clock {
    /// Last reading of the system clock, and when it was made.
    read: Millis,
    at: Instant,
    /// Nothing expires before this.
    hold: Option<Instant>,
}

impl Clock {
    /// `newest` is the newest stored time, which the clock should not be far ahead of.
    pub(super) fn new(newest: Option<Millis>, now: Millis, at: Instant) -> Self {
        let mut clock = Self {
            read: newest.unwrap_or(now),
            at,
            hold: None,
        };
        clock.read(now, at);
        clock
    }

    /// Returns whether things may expire by a clock that says `now`. Logs a warning when it has jumped.
    pub(super) fn is_trusted(&mut self, now: Millis, at: Instant) -> bool {
        self.read(now, at);
        self.hold.is_none_or(|until| at >= until)
    }

    fn read(&mut self, now: Millis, at: Instant) {
        let passed = i64::try_from((at - self.at).as_millis()).unwrap_or(i64::MAX);
        let jump = now.0.saturating_sub(self.read.0.saturating_add(passed));
        (self.read, self.at) = (now, at);
        let days = jump.abs() / DAY;
        if jump > JUMP {
            self.hold = Some(at + GRACE);
            tracing::warn!(
                days,
                "the clock is days ahead of what was stored last: if it is wrong, set it and restart within an hour; until then no guests and sessions are ended for their age"
            );
        } else if jump < -JUMP {
            tracing::warn!(
                days,
                "the clock is days behind what was stored last: if it is wrong, set it and restart"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_untrusted_for_an_hour_after_a_jump() {
        let (start, now) = (Instant::now(), Millis(1_800_000_000_000));
        let after = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let at = |minutes: i64| Millis(now.0 + minutes * 60_000);
        for newest in [None, Some(at(-60)), Some(at(60))] {
            let mut clock = Clock::new(newest, now, start);
            assert!(clock.is_trusted(now, start), "{newest:?}");
        }
        let mut late = Clock::new(Some(at(-40 * 1440)), now, start);
        assert!(!late.is_trusted(now, start));
        assert!(!late.is_trusted(at(59), after(59)));
        assert!(late.is_trusted(at(60), after(60)));
        // The clock jumps again while the server runs.
        assert!(!late.is_trusted(at(70 + 2 * 1440), after(70)));
        // It is set right: a jump back starts no new grace period.
        assert!(late.is_trusted(at(140), after(140)));
    }
}
