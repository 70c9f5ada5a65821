//! Counts the steps of parsing a text, for tests.

use std::cell::Cell;

thread_local! {
    /// Steps since it was last set to 0.
    pub(crate) static STEPS_TAKEN: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count(steps: usize) {
    STEPS_TAKEN.set(STEPS_TAKEN.get() + steps);
}
