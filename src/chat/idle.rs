//! Idle detection: a connection that has ever sent an activity signal is away when it sends none within the timeout.
//! Must not know what a dialect calls the signal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Chat;
use super::connections::{Connection, People};

/// Time of the last activity signal per connection. Entries are removed when a connection becomes away or ends.
pub(super) struct IdleDetector {
    timeout: Duration,
    signs: Mutex<HashMap<u64, (Weak<Connection>, Instant)>>,
}

impl IdleDetector {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            signs: Mutex::default(),
        }
    }

    fn note(&self, people: &People, connection: &Arc<Connection>, now: Instant) {
        let mut signs = self.lock();
        signs.insert(connection.id(), (Arc::downgrade(connection), now));
        // Set under the lock, so that a concurrent `look` does not override it.
        people.set_away(connection, false);
    }

    /// Marks connections as away whose last signal is too old.
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

    /// Restarts the timeout of all connections that are tracked.
    pub(super) fn begin_anew(&self, now: Instant) {
        self.lock().values_mut().for_each(|(_, at)| *at = now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (Weak<Connection>, Instant)>> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chat {
    /// Records an activity signal. The connection is active now, and is away from then on whenever signals are missing
    /// for longer than [`Settings::away_after`](super::Settings).
    pub fn note_sign_of_life(&self, connection: &Arc<Connection>) {
        let core = &self.core;
        core.watchdog.note(&core.people, connection, Instant::now());
    }
}
