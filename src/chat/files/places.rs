//! Places for uploads: each holds memory, so they are few. When they are short, those are cut whose bytes come slowly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::super::ChatError;
use super::turns::{Turn, Turns, Who};

/// So many uploads hold memory at once, each up to 1 MiB.
const PLACES: usize = 32;
/// So many of them of one account.
const PLACES_OF_ONE: usize = 4;
/// How long an upload waits for a place, seconds.
const WAIT: u32 = 30;
/// After so many seconds somebody who has more than others loses one.
const SHARE_AFTER: u32 = 10;
/// Whoever sends less than this a second gives way, bytes.
const SLOW: u64 = 16 * 1024;
/// The sender must have been waited for so long before it counts as slow.
const JUDGED_AFTER: Duration = Duration::from_secs(1);
/// What is older counts half.
const WINDOW: Duration = Duration::from_secs(4);

/// All places.
pub(super) struct Places {
    turns: Arc<Turns>,
    held: Mutex<HashMap<u64, Held>>,
}

/// What is known of an upload that has a place.
struct Held {
    who: Who,
    bytes: u64,
    /// How long its sender was waited for.
    waited: Duration,
    waiting_since: Option<Instant>,
    cut: Arc<Notify>,
    is_cut: bool,
}

/// A place; given back on drop.
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
    /// Bytes a second, if it can be told yet. Only the time counts in which nothing but the sender was waited for.
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
            turns: Turns::new(PLACES, PLACES_OF_ONE),
            held: Mutex::default(),
        })
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`ChatError::Busy`].
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

    /// Cuts the slowest upload; if none is slow and `shares` count, the slowest of those who hold more than `who` will.
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
    /// Waits for what the sender sends next; `None` if the place is needed for somebody faster.
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

    /// So many bytes have come.
    pub(super) fn received(&mut self, bytes: usize) {
        self.note(|held| held.bytes += bytes as u64);
    }

    fn note(&self, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.places.held().get_mut(&self.turn.id) {
            change(held);
        }
    }
}
