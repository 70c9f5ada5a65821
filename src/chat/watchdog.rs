//! Signs of life: a connection that has ever sent one, and then falls silent, is away though it is open. Must not know
//! what its client calls them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Chat;
use super::people::{Connection, People};

/// Who sent a sign of life, and when; forgotten when they fall silent or leave.
pub(super) struct Watchdog {
    timeout: Duration,
    signs: Mutex<HashMap<u64, (Weak<Connection>, Instant)>>,
}

impl Watchdog {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            signs: Mutex::default(),
        }
    }

    fn note(&self, people: &People, connection: &Arc<Connection>, now: Instant) {
        let mut signs = self.lock();
        signs.insert(connection.id(), (Arc::downgrade(connection), now));
        // Under the lock: whoever looks in this moment must not have the last word.
        people.set_away(connection, false);
    }

    /// Says of those whose last sign is too old that they are away.
    pub(super) fn look(&self, people: &People, now: Instant) {
        self.lock().retain(|_, (connection, at)| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let alive = now.saturating_duration_since(*at) < self.timeout;
            if !alive {
                people.set_away(&connection, true);
            }
            alive
        });
    }

    /// Takes everybody who gave a sign for alive until now.
    pub(super) fn begin_anew(&self, now: Instant) {
        self.lock().values_mut().for_each(|(_, at)| *at = now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (Weak<Connection>, Instant)>> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chat {
    /// Notes a sign of life: somebody sits in front of the connection, and from now on is away whenever such signs stay
    /// out for longer than [`Settings::away_after`](super::Settings).
    pub fn note_sign_of_life(&self, connection: &Arc<Connection>) {
        let core = &self.core;
        core.watchdog.note(&core.people, connection, Instant::now());
    }
}
