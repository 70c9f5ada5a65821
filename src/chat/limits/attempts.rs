//! Limits what fails, such as guesses at passwords. An attempt reserves its place under every key before its work
//! begins, all places or none, and gives them back only when it succeeds. So of many attempts at once no more than the
//! limit are ever made.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::ChatError;
use super::evict;
use super::keys::{Key, Subject};

/// How many attempts may wait for those that are under way: under one key, and in all.
const WAITING_PER_KEY: u32 = 256;
const WAITING_MAX: usize = 2048;
/// How long one waits at most.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Limits failures per key.
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
    /// In the order of their arrival.
    waiting: VecDeque<Waiter>,
}

struct Entry {
    /// When all failures will be paid for.
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

/// What an attempt may do now.
enum Verdict {
    Go,
    /// Those under way may use the limit up, or may not.
    Wait,
    /// So many have failed; says when one more is allowed.
    Refuse(Duration),
}

/// Places under some keys. Dropped without [`give_back`](Self::give_back), each counts as a failure.
struct Reservation {
    shared: Arc<Shared>,
    keys: Arc<[Key]>,
    per_minute: u32,
    failed: bool,
}

impl Attempts {
    /// Limits failures per minute.
    pub(in crate::chat) fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self {
            per_minute,
            shared: Arc::default(),
        }
    }

    /// Does `work`, unless too much has failed under one of `keys`. Where attempts under way could use the limit up, it
    /// waits for them. Fails if `work` does or is dropped, but for faults that are the server's and say nothing.
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

/// Whether an error tells whoever guesses nothing about the guess.
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

    /// Whether somebody waits already: whoever comes later must not go first.
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

    /// `None` if too many wait.
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

    /// Ends an attempt.
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

    /// Decides about those who wait; the answers are to be sent when the lock is released.
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

    /// Forgets keys that owe nothing and are not in use.
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
            // Whoever waited may have gone; their reservation ends here then.
            let _ = sender.send(answer);
        }
    }
}

#[cfg(test)]
mod tests;
