//! Limits concurrent uploads, because each holds memory. When places are short, slow uploads are cancelled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::super::ChatError;
use super::fair_semaphore::{FairSemaphore, Turn, Who};

/// Uploads that may hold memory at the same time, each up to 1 MiB.
const PLACES: usize = 32;
/// Places of one account.
const PLACES_OF_ONE: usize = 4;
/// Longest wait for a place, in seconds.
const WAIT: u32 = 30;
/// Seconds of waiting after which an upload of an account or network with more places than others may be cancelled.
const SHARE_AFTER: u32 = 10;
/// Uploads below this rate are cancelled when places are short, in bytes per second.
const SLOW: u64 = 16 * 1024;
/// Time spent waiting for the sender before its rate is judged.
const JUDGED_AFTER: Duration = Duration::from_secs(1);
/// Time spent waiting for the sender after which older measurements are halved.
const WINDOW: Duration = Duration::from_secs(4);

/// All upload places.
pub(super) struct Places {
    turns: Arc<FairSemaphore>,
    held: Mutex<HashMap<u64, Held>>,
}

/// State of an upload that has a place.
struct Held {
    who: Who,
    bytes: u64,
    /// Total time spent waiting for the sender.
    waited: Duration,
    waiting_since: Option<Instant>,
    cut: Arc<Notify>,
    is_cut: bool,
}

/// A place of one upload. Given back on drop.
pub(super) struct Place {
    places: Arc<Places>,
    turn: Turn,
    cut: Arc<Notify>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.held().remove(&self.turn.id);
    }
}

impl Held {
    /// Returns the rate in bytes per second, once it can be judged. Counts only the time spent waiting for the sender.
    fn rate(&self, now: Instant) -> Option<u64> {
        let waiting = self
            .waiting_since
            .map_or(Duration::ZERO, |since| now - since);
        let waited = self.waited + waiting;
        (waited >= JUDGED_AFTER).then(|| self.bytes * 1000 / waited.as_millis() as u64)
    }
}

impl Places {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            turns: FairSemaphore::new(PLACES, PLACES_OF_ONE),
            held: Mutex::default(),
        })
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`ChatError::Busy`] if none is free within 30 seconds.
    pub(super) async fn enter(self: &Arc<Self>, who: Who) -> Result<Place, ChatError> {
        let mut taking = std::pin::pin!(self.turns.take(who));
        for second in 0..WAIT {
            if self.turns.is_full() {
                self.make_room(who, second >= SHARE_AFTER);
            }
            if let Ok(turn) = timeout(Duration::from_secs(1), &mut taking).await {
                return Ok(self.place(who, turn.ok_or(ChatError::Busy)?));
            }
        }
        Err(ChatError::Busy)
    }

    fn place(self: &Arc<Self>, who: Who, turn: Turn) -> Place {
        let cut = Arc::new(Notify::new());
        let held = Held {
            who,
            bytes: 0,
            waited: Duration::ZERO,
            waiting_since: None,
            cut: Arc::clone(&cut),
            is_cut: false,
        };
        self.held().insert(turn.id, held);
        Place {
            places: Arc::clone(self),
            turn,
            cut,
        }
    }

    /// Cancels the slowest upload below [`SLOW`]. If there is none and `shares` is set, cancels the slowest upload of a
    /// network or account that will still hold more places than that of `who`.
    fn make_room(&self, who: Who, shares: bool) {
        let now = Instant::now();
        let mut all = self.held();
        let count = |is: &dyn Fn(Who) -> bool| all.values().filter(|held| is(held.who)).count();
        let has_more = |other: Who| {
            let networks = [other, who].map(|of| count(&|held| held.network == of.network));
            let accounts = [other, who].map(|of| count(&|held| held.account == of.account));
            networks[0] > networks[1] + 1
                || other.network == who.network && accounts[0] > accounts[1] + 1
        };
        let open = || all.iter().filter(|(_, held)| !held.is_cut);
        let slow = open().filter_map(|(id, held)| Some((held.rate(now)?, *id)));
        let slow = slow.filter(|(rate, _)| *rate < SLOW).min();
        let greedy = || {
            let greedy = open().filter(|(_, held)| has_more(held.who));
            greedy
                .map(|(id, held)| (held.rate(now).unwrap_or(u64::MAX), *id))
                .min()
        };
        let chosen = slow.or_else(|| if shares { greedy() } else { None });
        if let Some(held) = chosen.and_then(|(_, id)| all.get_mut(&id)) {
            held.is_cut = true;
            held.cut.notify_one();
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the sender's next data. Returns `None` if the upload is cancelled.
    pub(super) async fn wait<T>(&mut self, next: impl Future<Output = T>) -> Option<T> {
        self.note(|held| held.waiting_since = Some(Instant::now()));
        let next = tokio::select! {
            biased;
            next = next => Some(next),
            () = self.cut.notified() => None,
        };
        self.note(|held| {
            held.waited += held
                .waiting_since
                .take()
                .map_or(Duration::ZERO, |since| since.elapsed());
            if held.waited > WINDOW {
                (held.waited, held.bytes) = (held.waited / 2, held.bytes / 2);
            }
        });
        next
    }

    /// Counts bytes received from the sender.
    pub(super) fn received(&mut self, bytes: usize) {
        self.note(|held| held.bytes += bytes as u64);
    }

    fn note(&self, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.places.held().get_mut(&self.turn.id) {
            change(held);
        }
    }
}
