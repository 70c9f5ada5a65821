//! Queue of one connection: complete frames, shared with all other connections that get them. Must not know any wire
//! protocol.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::model::UserId;

/// Number of waiting frames at which a connection is lagging.
pub const FRAMES_MAX: usize = 256;
/// Number of waiting bytes at which a connection is lagging.
pub const BYTES_MAX: usize = 1024 * 1024;
/// Number of light frames that may wait; further ones are refused.
const LIGHT_MAX: usize = 64;
/// Number of bytes of light frames that may wait.
const LIGHT_BYTES_MAX: usize = 256 * 1024;

/// Frames of one or more events, encoded once for all who receive them.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    count: usize,
    base: Arc<str>,
    reader: UserId,
}

/// Reader for whom frames are encoded.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Account id; 0 for several readers, or for the anonymous caller of `compat.open`.
    pub id: UserId,
    /// URL of this server as the reader knows it, without a trailing slash; empty if unknown.
    pub base: &'a str,
}

impl Frames {
    /// Creates frames for readers who know this server under the URL `base`.
    pub(super) fn at(base: &Arc<str>) -> Self {
        Self {
            base: base.clone(),
            ..Self::default()
        }
    }

    /// Restricts the frames to one reader.
    pub(super) fn only_for(self, reader: UserId) -> Self {
        Self { reader, ..self }
    }

    /// Returns the reader. The URL of this server is missing unless the encoder [needs it](super::Encode::needs_base).
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            id: self.reader,
            base: &self.base,
        }
    }

    /// Appends one frame, written by `write`.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.count += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Finishes the frames, so that connections can share them.
    pub fn seal(self) -> EncodedFrames {
        EncodedFrames {
            bytes: self.bytes.into(),
            count: self.count,
        }
    }
}

/// Encoded frames; cheap to clone.
#[derive(Clone, Debug)]
pub struct EncodedFrames {
    bytes: Bytes,
    count: usize,
}

impl EncodedFrames {
    /// Returns the concatenated frames.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    SessionEnded,
    /// The client did not read fast enough; it may reconnect and resume.
    Lagging,
    /// The server is stopping.
    Restarting,
    /// The rights of the account changed; the client may reconnect at once.
    Changed,
    /// The connection is closed already.
    Gone,
}

/// Treatment of a frame if the connection does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Must arrive, otherwise the connection is closed.
    Full,
    /// May be refused; never closes a connection. A sender that needs it to arrive sends the complete state again
    /// later.
    Light,
    /// Like `Light`, and replaces a waiting frame with the same number.
    Newest(u64),
}

/// Result of offering frames to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    Queued,
    /// Too many light frames wait.
    Refused,
    /// The connection is closed, or was closed as lagging just now.
    Closed,
}

struct Entry {
    frames: EncodedFrames,
    weight: Priority,
}

/// The connection itself, for frames that bypass the queue.
pub trait Line: Send + Sync {
    /// Sends frames at once; returns the number of bytes written.
    ///
    /// Returns 0 if the frames must wait. After a partial write the implementation keeps the rest, and the writer task
    /// sends it before anything else as soon as it runs.
    fn send(&self, frames: &Bytes) -> usize;
}

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    frames: usize,
    bytes: usize,
    light: usize,
    light_bytes: usize,
    /// Index in the queue from which frames are held back until [`Outbox::fill`] inserts others before them.
    gap: Option<usize>,
    closing: Option<CloseReason>,
    /// Set while the writer task waits: then no frame is ready, and all frames taken have been written.
    waker: Option<Waker>,
    line: Option<Weak<dyn Line>>,
    /// The line keeps the rest of a partial write, which the writer task must finish.
    begun: bool,
}

/// Bounded queue of frames for one connection.
#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
}

impl Outbox {
    /// Sets the line on which frames may bypass the queue while the writer task waits. It is not kept alive.
    pub fn set_line(&self, line: Weak<dyn Line>) {
        self.lock().line = Some(line);
    }

    /// Creates an outbox that holds back all frames until [`Outbox::fill`].
    pub fn held() -> Self {
        let outbox = Self::default();
        outbox.hold();
        outbox
    }

    /// Holds back all frames that are queued from now on, until [`Outbox::fill`].
    pub fn hold(&self) {
        let mut state = self.lock();
        state.gap = Some(state.queue.len());
    }

    /// Drops the frames that are held back, because the frames for [`Outbox::fill`] replace them.
    pub fn forget_held(&self) {
        let mut state = self.lock();
        if let Some(gap) = state.gap {
            let held = state.queue.split_off(gap);
            held.iter().for_each(|entry| state.subtract(entry));
        }
    }

    /// Inserts frames before those that are held back, and releases all of them.
    pub fn fill(&self, frames: EncodedFrames) {
        let mut state = self.lock();
        if state.closing.is_some() {
            return;
        }
        let place = state.gap.take().unwrap_or(state.queue.len());
        state.frames += frames.count;
        state.bytes += frames.bytes.len();
        let weight = Priority::Full;
        state.queue.insert(place, Entry { frames, weight });
        wake(state);
    }

    /// Queues frames; `false` if the connection is closed or was closed as lagging just now.
    pub fn push(&self, frames: EncodedFrames, weight: Priority) -> bool {
        self.offer(frames, weight) != Offered::Closed
    }

    /// Queues frames; returns the outcome.
    pub fn offer(&self, frames: EncodedFrames, weight: Priority) -> Offered {
        let mut state = self.lock();
        if state.closing.is_some() {
            return Offered::Closed;
        }
        let offered = match weight {
            Priority::Full => state.push_full(frames),
            Priority::Light | Priority::Newest(_) => state.push_light(frames, weight),
        };
        wake(state);
        offered
    }

    /// Like [`Outbox::push`] with full weight, but bypasses the queue while the writer task waits, which saves waking
    /// it.
    pub fn send(&self, frames: EncodedFrames) -> bool {
        let mut state = self.lock();
        let line = state.waker.as_ref().and(state.line.as_ref());
        let line = line.filter(|_| state.gap.is_none());
        let sent = line
            .and_then(Weak::upgrade)
            .map_or(0, |line| line.send(&frames.bytes));
        if sent == 0 {
            drop(state);
            return self.push(frames, Priority::Full);
        }
        if sent < frames.bytes.len() {
            state.begun = true;
            wake(state);
        }
        true
    }

    /// Closes the connection after the queued frames are written. The first reason is kept.
    pub fn close(&self, why: CloseReason) {
        let mut state = self.lock();
        state.closing.get_or_insert(why);
        wake(state);
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closing.is_some()
    }

    /// Moves all queued frames into `batch`. Ready as soon as there are frames or a reason to close; also ready,
    /// without frames, if the line keeps the rest of a partial write, which must be finished then.
    ///
    /// If a reason is returned, the frames in `batch` must still be written first. The next call means that all frames
    /// taken before have been written.
    pub fn poll_take(
        &self,
        context: &mut Context<'_>,
        batch: &mut Vec<Bytes>,
    ) -> Poll<Option<CloseReason>> {
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
    fn push_full(&mut self, frames: EncodedFrames) -> Offered {
        // Checked before adding, so that one large batch never closes a connection that kept up.
        if self.frames >= FRAMES_MAX || self.bytes >= BYTES_MAX {
            self.queue.clear();
            self.gap = self.gap.map(|_| 0);
            self.forget();
            self.closing = Some(CloseReason::Lagging);
            return Offered::Closed;
        }
        self.frames += frames.count;
        self.bytes += frames.bytes.len();
        self.queue.push_back(Entry {
            frames,
            weight: Priority::Full,
        });
        Offered::Queued
    }

    fn push_light(&mut self, frames: EncodedFrames, weight: Priority) -> Offered {
        let bytes = frames.bytes.len();
        if self.light > 0
            && weight != Priority::Light
            && let Some(entry) = self.queue.iter_mut().find(|entry| entry.weight == weight)
        {
            self.light_bytes = self.light_bytes + bytes - entry.frames.bytes.len();
            entry.frames = frames;
            return Offered::Queued;
        }
        // The first light frame is always accepted, whatever its size.
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

    /// Subtracts a removed entry from the counters.
    fn subtract(&mut self, entry: &Entry) {
        let bytes = entry.frames.bytes.len();
        if entry.weight == Priority::Full {
            self.frames -= entry.frames.count;
            self.bytes -= bytes;
        } else {
            self.light -= 1;
            self.light_bytes -= bytes;
        }
    }

    /// Resets the counters of the emptied queue, and frees the memory of a burst.
    fn forget(&mut self) {
        (self.frames, self.bytes) = (0, 0);
        (self.light, self.light_bytes) = (0, 0);
        if self.queue.capacity() > 4 {
            self.queue = VecDeque::new();
        }
    }
}

/// Wakes the writer task after the lock is released.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
