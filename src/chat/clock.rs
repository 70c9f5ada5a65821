//! Notices a system clock that jumped, so that nothing is ended for its age by a clock that is wrong.

use std::time::{Duration, Instant};

use crate::model::Millis;

/// A jump of this size is noticed, milliseconds.
const JUMP: i64 = DAY;
/// How long nothing expires after the clock has jumped: time for an operator to set it right.
const GRACE: Duration = Duration::from_secs(3600);

const DAY: i64 = 86_400_000;

/// The system's clock, compared with time that cannot jump.
pub(super) struct Clock {
    /// The time that was read last, and when.
    read: Millis,
    at: Instant,
    /// Nothing is ended for its age before this.
    hold: Option<Instant>,
}

impl Clock {
    /// `newest`: the newest time that is stored, which the clock should not be far ahead of.
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
        // It jumps again while the server runs.
        assert!(!late.is_trusted(at(70 + 2 * 1440), after(70)));
        // It is set right: what was young is young again.
        assert!(late.is_trusted(at(140), after(140)));
    }
}
