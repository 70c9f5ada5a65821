//! A connection's queue: whole frames, shared with every other connection that gets them. Must not know any wire.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::model::UserId;

/// A connection with this many frames waiting is lagging.
pub const FRAMES_MAX: usize = 256;
/// A connection with this many bytes waiting is lagging.
pub const BYTES_MAX: usize = 1024 * 1024;
/// So many light frames may wait; further ones are refused.
const LIGHT_MAX: usize = 64;
/// So many bytes of light frames may wait.
const LIGHT_BYTES_MAX: usize = 256 * 1024;

/// Frames of one event or several, encoded once for everybody who gets them.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    count: usize,
    base: Arc<str>,
    reader: UserId,
}

/// For whom something is written.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Who; user 0 if many, or nobody in particular where an operator has switched proof off.
    pub id: UserId,
    /// The address of this server as they know it, without a slash at its end; empty if nobody knows.
    pub base: &'a str,
}

impl Frames {
    /// For readers to whom this server is at that address.
    pub(super) fn at(base: &Arc<str>) -> Self {
        Self {
            base: base.clone(),
            ..Self::default()
        }
    }

    /// These, for one person only.
    pub(super) fn only_for(self, reader: UserId) -> Self {
        Self { reader, ..self }
    }

    /// Who gets them; without the address of this server if the encoder does not
    /// [need it](super::Encode::needs_base).
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            id: self.reader,
            base: &self.base,
        }
    }

    /// Adds one frame, written by `write`.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.count += 1;
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Seals the frames for sharing.
    pub fn seal(self) -> Sealed {
        Sealed {
            bytes: self.bytes.into(),
            count: self.count,
        }
    }
}

/// Frames that are done and cheap to clone.
#[derive(Clone, Debug)]
pub struct Sealed {
    bytes: Bytes,
    count: usize,
}

impl Sealed {
    /// The frames, one after the other.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Its session ended.
    SessionEnded,
    /// It did not read fast enough; it may come back and resume.
    Lagging,
    /// The server goes down.
    Restarting,
    /// Its account has other rights now; it may come back at once.
    Changed,
    /// The connection is gone already.
    Gone,
}

/// How a frame is treated when the connection does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Must arrive, or the connection is closed.
    Full,
    /// May be refused; never closes a connection. Whoever sends what must not be missed tells the whole of it later.
    Light,
    /// Like `Light`, and replaces one with the same number that still waits.
    Newest(u64),
}

/// What became of frames that were offered to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// They are queued.
    Queued,
    /// Too many light ones wait.
    Refused,
    /// The connection is closed, or has just been closed as lagging.
    Closed,
}

struct Entry {
    frames: Sealed,
    weight: Weight,
}

/// The connection itself, past its queue.
pub trait Line: Send + Sync {
    /// Sends frames at once; answers how many bytes went out.
    ///
    /// None if they must wait. If only some, it keeps the rest, which goes out before anything else as soon as whoever
    /// writes is awake.
    fn send(&self, frames: &Bytes) -> usize;
}

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    frames: usize,
    bytes: usize,
    light: usize,
    light_bytes: usize,
    /// Frames from this place of the queue on wait for what is to stand in front of them.
    gap: Option<usize>,
    closing: Option<Closing>,
    /// There while whoever writes waits: then nothing is queued, and what was taken has been written.
    waker: Option<Waker>,
    line: Option<Weak<dyn Line>>,
    /// The line keeps a rest that whoever writes must send.
    begun: bool,
}

/// What waits to be written to one connection; bounded.
#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
}

impl Outbox {
    /// Where frames may go while whoever writes waits, as long as that is there.
    pub fn set_line(&self, line: Weak<dyn Line>) {
        self.lock().line = Some(line);
    }

    /// An outbox that holds everything back until [`Outbox::fill`].
    pub fn held() -> Self {
        let outbox = Self::default();
        outbox.hold();
        outbox
    }

    /// Holds back whatever is queued from now on, until [`Outbox::fill`].
    pub fn hold(&self) {
        let mut state = self.lock();
        state.gap = Some(state.queue.len());
    }

    /// Forgets what is held back: [`Outbox::fill`] will say all of it.
    pub fn forget_held(&self) {
        let mut state = self.lock();
        if let Some(gap) = state.gap {
            let held = state.queue.split_off(gap);
            held.iter().for_each(|entry| state.subtract(entry));
        }
    }

    /// Puts frames in front of what was held back, and lets all of it go.
    pub fn fill(&self, frames: Sealed) {
        let mut state = self.lock();
        if state.closing.is_some() {
            return;
        }
        let place = state.gap.take().unwrap_or(state.queue.len());
        state.frames += frames.count;
        state.bytes += frames.bytes.len();
        let weight = Weight::Full;
        state.queue.insert(place, Entry { frames, weight });
        wake(state);
    }

    /// Queues frames; `false` if the connection is closed or has just been closed as lagging.
    pub fn push(&self, frames: Sealed, weight: Weight) -> bool {
        self.offer(frames, weight) != Offered::Closed
    }

    /// Queues frames, and says what became of them.
    pub fn offer(&self, frames: Sealed, weight: Weight) -> Offered {
        let mut state = self.lock();
        if state.closing.is_some() {
            return Offered::Closed;
        }
        let offered = match weight {
            Weight::Full => state.push_full(frames),
            Weight::Light | Weight::Newest(_) => state.push_light(frames, weight),
        };
        wake(state);
        offered
    }

    /// Like [`Outbox::push`] with full weight, but past the queue while whoever writes waits: nobody needs to be woken.
    pub fn send(&self, frames: Sealed) -> bool {
        let mut state = self.lock();
        let line = state.waker.as_ref().and(state.line.as_ref());
        let line = line.filter(|_| state.gap.is_none());
        let sent = line
            .and_then(Weak::upgrade)
            .map_or(0, |line| line.send(&frames.bytes));
        if sent == 0 {
            drop(state);
            return self.push(frames, Weight::Full);
        }
        if sent < frames.bytes.len() {
            state.begun = true;
            wake(state);
        }
        true
    }

    /// Ends the connection after what is queued; the first reason stands.
    pub fn close(&self, why: Closing) {
        let mut state = self.lock();
        state.closing.get_or_insert(why);
        wake(state);
    }

    /// Whether nothing can be queued any more.
    pub fn is_closed(&self) -> bool {
        self.lock().closing.is_some()
    }

    /// Moves all that is queued into `batch`; ready as soon as there is something, or a reason to close. Ready with nothing
    /// if the line has begun with something: then that is to be finished.
    ///
    /// When a reason is answered, what `batch` holds is still to be written first. Whoever asks again has written it all.
    pub fn poll_take(
        &self,
        context: &mut Context<'_>,
        batch: &mut Vec<Bytes>,
    ) -> Poll<Option<Closing>> {
        let mut state = self.lock();
        let ready = state.gap.unwrap_or(state.queue.len());
        if ready == 0 && state.closing.is_none() && !state.begun {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.take(ready, batch);
        state.begun = false;
        Poll::Ready(state.closing)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push_full(&mut self, frames: Sealed) -> Offered {
        // Looked at before adding: one large batch never closes a connection that had kept up.
        if self.frames >= FRAMES_MAX || self.bytes >= BYTES_MAX {
            self.queue.clear();
            self.gap = self.gap.map(|_| 0);
            self.forget();
            self.closing = Some(Closing::Lagging);
            return Offered::Closed;
        }
        self.frames += frames.count;
        self.bytes += frames.bytes.len();
        self.queue.push_back(Entry {
            frames,
            weight: Weight::Full,
        });
        Offered::Queued
    }

    fn push_light(&mut self, frames: Sealed, weight: Weight) -> Offered {
        let bytes = frames.bytes.len();
        if self.light > 0
            && weight != Weight::Light
            && let Some(entry) = self.queue.iter_mut().find(|entry| entry.weight == weight)
        {
            self.light_bytes = self.light_bytes + bytes - entry.frames.bytes.len();
            entry.frames = frames;
            return Offered::Queued;
        }
        // One always fits, however large it is.
        let is_full = self.light >= LIGHT_MAX || self.light_bytes + bytes > LIGHT_BYTES_MAX;
        if is_full && self.light > 0 {
            return Offered::Refused;
        }
        self.light += 1;
        self.light_bytes += bytes;
        self.queue.push_back(Entry { frames, weight });
        Offered::Queued
    }

    /// Moves the first `ready` entries into `batch`.
    fn take(&mut self, ready: usize, batch: &mut Vec<Bytes>) {
        if ready == self.queue.len() {
            batch.extend(self.queue.drain(..).map(|entry| entry.frames.bytes));
            self.forget();
        } else {
            let rest = self.queue.split_off(ready);
            let taken = std::mem::replace(&mut self.queue, rest);
            for entry in taken {
                self.subtract(&entry);
                batch.push(entry.frames.bytes);
            }
        }
        self.gap = self.gap.map(|_| 0);
    }

    /// An entry is not queued any more.
    fn subtract(&mut self, entry: &Entry) {
        let bytes = entry.frames.bytes.len();
        if entry.weight == Weight::Full {
            self.frames -= entry.frames.count;
            self.bytes -= bytes;
        } else {
            self.light -= 1;
            self.light_bytes -= bytes;
        }
    }

    /// The queue is empty: so are its sums, and a burst's memory is given back.
    fn forget(&mut self) {
        (self.frames, self.bytes) = (0, 0);
        (self.light, self.light_bytes) = (0, 0);
        if self.queue.capacity() > 4 {
            self.queue = VecDeque::new();
        }
    }
}

/// Wakes whoever writes, after the lock is gone.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
