//! Limits failures, such as wrong guesses of passwords. An attempt reserves a permit under each of its keys before its
//! work begins, all of them or none, and returns them only if it succeeds. So concurrent attempts can never exceed the
//! limit.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::ChatError;
use super::evict;
use super::keys::{Key, Subject};

/// Number of attempts that may wait for those under way: per key, and in total.
const WAITING_PER_KEY: u32 = 256;
const WAITING_MAX: usize = 2048;
/// Longest wait for a permit.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub(in crate::chat) struct Attempts {
    /// Failures per minute; `None` is no limit.
    per_minute: Option<NonZeroU32>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    table: HashMap<Subject, Entry>,
    /// In order of arrival.
    waiting: VecDeque<Waiter>,
}

struct Entry {
    /// Time at which all failures will be paid off.
    due: Instant,
    /// Attempts under way, each of which may still fail.
    reserved: u32,
    waiting: u32,
}

impl Entry {
    fn new(now: Instant) -> Self {
        Self {
            due: now,
            reserved: 0,
            waiting: 0,
        }
    }

    fn is_used(&self) -> bool {
        self.reserved > 0 || self.waiting > 0
    }
}

struct Waiter {
    keys: Arc<[Key]>,
    per_minute: u32,
    answer: oneshot::Sender<Decided>,
}

type Decided = Result<Reservation, Duration>;

/// Answer to an attempt that asks for permits.
enum Verdict {
    Go,
    /// The attempts under way would use up the limit if they failed.
    Wait,
    /// The limit is used up, with the time to wait.
    Refuse(Duration),
}

/// Permits under some keys. When dropped without [`give_back`](Self::give_back), each counts as a failure.
struct Reservation {
    shared: Arc<Shared>,
    keys: Arc<[Key]>,
    per_minute: u32,
    failed: bool,
}

impl Attempts {
    pub(in crate::chat) fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self {
            per_minute,
            shared: Arc::default(),
        }
    }

    /// Runs `work`, unless one of `keys` has used up its limit. Waits if the attempts under way could use it up. The
    /// attempt counts as failed if `work` fails or is dropped, except for errors that reveal nothing about the guess.
    pub(in crate::chat) async fn attempt<T>(
        &self,
        keys: Vec<Key>,
        work: impl Future<Output = Result<T, ChatError>>,
    ) -> Result<T, ChatError> {
        let Some(per_minute) = self.per_minute else {
            return work.await;
        };
        let reservation = self.reserve(keys.into(), per_minute.get()).await;
        let reservation = reservation.map_err(ChatError::Limited)?;
        let done = work.await;
        if done.as_ref().map_or_else(says_nothing, |_| true) {
            reservation.give_back();
        }
        done
    }

    async fn reserve(&self, keys: Arc<[Key]>, per_minute: u32) -> Decided {
        let answer = {
            let mut state = self.shared.lock();
            let now = Instant::now();
            let queued = state.is_queued(&keys);
            match state.verdict(&keys, per_minute, now) {
                Verdict::Refuse(wait) => return Err(wait),
                Verdict::Go if !queued => {
                    return Ok(state.reserve(&self.shared, keys, per_minute, now));
                }
                Verdict::Go | Verdict::Wait => state.enqueue(keys, per_minute, now),
            }
        };
        let again = Duration::from_secs(1);
        let answer = timeout(WAIT_MAX, answer.ok_or(again)?).await;
        answer.ok().and_then(Result::ok).unwrap_or(Err(again))
    }
}

/// Whether an error reveals nothing about the guess.
fn says_nothing(error: &ChatError) -> bool {
    matches!(
        error,
        ChatError::Busy
            | ChatError::Full
            | ChatError::Internal
            | ChatError::Limited(_)
            | ChatError::AlreadyMember
    )
}

impl State {
    fn verdict(&self, keys: &[Key], per_minute: u32, now: Instant) -> Verdict {
        let (mut refused, mut busy) = (Duration::ZERO, false);
        for key in keys {
            let Some(entry) = self.table.get(&key.subject) else {
                continue;
            };
            let rate = key.rate(per_minute);
            refused = refused.max(rate.wait(entry.due, 1, now));
            busy |= !rate.wait(entry.due, entry.reserved + 1, now).is_zero();
        }
        match (refused.is_zero(), busy) {
            (false, _) => Verdict::Refuse(refused),
            (true, true) => Verdict::Wait,
            (true, false) => Verdict::Go,
        }
    }

    /// Whether attempts wait under one of `keys` already; later ones must not overtake them.
    fn is_queued(&self, keys: &[Key]) -> bool {
        let waits = |key: &Key| self.table.get(&key.subject).is_some_and(|e| e.waiting > 0);
        keys.iter().any(waits)
    }

    fn entry(&mut self, subject: Subject, now: Instant) -> &mut Entry {
        evict(&mut self.table, now, |entry| {
            (!entry.is_used()).then_some(entry.due)
        });
        self.table.entry(subject).or_insert_with(|| Entry::new(now))
    }

    fn reserve(
        &mut self,
        shared: &Arc<Shared>,
        keys: Arc<[Key]>,
        per_minute: u32,
        now: Instant,
    ) -> Reservation {
        for key in keys.iter() {
            self.entry(key.subject, now).reserved += 1;
        }
        Reservation {
            shared: shared.clone(),
            keys,
            per_minute,
            failed: true,
        }
    }

    /// Queues an attempt; `None` if too many wait.
    fn enqueue(
        &mut self,
        keys: Arc<[Key]>,
        per_minute: u32,
        now: Instant,
    ) -> Option<oneshot::Receiver<Decided>> {
        let is_long = |key: &Key| {
            let entry = self.table.get(&key.subject);
            entry.is_some_and(|entry| entry.waiting >= WAITING_PER_KEY)
        };
        if self.waiting.len() >= WAITING_MAX || keys.iter().any(is_long) {
            return None;
        }
        for key in keys.iter() {
            self.entry(key.subject, now).waiting += 1;
        }
        let (answer, decided) = oneshot::channel();
        self.waiting.push_back(Waiter {
            keys,
            per_minute,
            answer,
        });
        Some(decided)
    }

    /// Releases the permits of an attempt and charges its keys if it failed.
    fn settle(&mut self, reservation: &Reservation, now: Instant) {
        for key in reservation.keys.iter() {
            let rate = key.rate(reservation.per_minute);
            if let Some(entry) = self.table.get_mut(&key.subject) {
                entry.reserved = entry.reserved.saturating_sub(1);
                if reservation.failed {
                    entry.due = rate.charge(entry.due, 1, now);
                }
            }
        }
        self.forget(&reservation.keys, now);
    }

    /// Decides about the waiting attempts. The answers must be sent after the lock is released.
    fn decide(
        &mut self,
        shared: &Arc<Shared>,
        now: Instant,
    ) -> Vec<(oneshot::Sender<Decided>, Decided)> {
        let mut decided = Vec::new();
        for waiter in std::mem::take(&mut self.waiting) {
            let gone = waiter.answer.is_closed();
            let verdict = self.verdict(&waiter.keys, waiter.per_minute, now);
            if !gone && matches!(verdict, Verdict::Wait) {
                self.waiting.push_back(waiter);
                continue;
            }
            for key in waiter.keys.iter() {
                if let Some(entry) = self.table.get_mut(&key.subject) {
                    entry.waiting = entry.waiting.saturating_sub(1);
                }
            }
            let Waiter {
                keys,
                per_minute,
                answer,
            } = waiter;
            match verdict {
                _ if gone => self.forget(&keys, now),
                Verdict::Refuse(wait) => {
                    self.forget(&keys, now);
                    decided.push((answer, Err(wait)));
                }
                _ => decided.push((answer, Ok(self.reserve(shared, keys, per_minute, now)))),
            }
        }
        decided
    }

    /// Removes keys that have no debt and are not in use.
    fn forget(&mut self, keys: &[Key], now: Instant) {
        for key in keys {
            let entry = self.table.get(&key.subject);
            if entry.is_some_and(|entry| !entry.is_used() && entry.due <= now) {
                self.table.remove(&key.subject);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    fn give_back(mut self) {
        self.failed = false;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let now = Instant::now();
        let decided = {
            let mut state = self.shared.lock();
            state.settle(self, now);
            state.decide(&self.shared, now)
        };
        for (sender, answer) in decided {
            // If the waiting attempt was cancelled, its reservation is dropped here.
            let _ = sender.send(answer);
        }
    }
}

#[cfg(test)]
mod tests;
