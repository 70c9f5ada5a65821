//! Send queue of a connection. Independent of the transport that drains it and of the content of the frames.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::websocket::Line;

/// Close code and reason of a queue, for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    /// One or two words.
    pub reason: &'static str,
    /// Whether the client should reconnect by itself.
    pub retry: bool,
}

/// A connection's queue of WebSocket frames. Implementations are bounded and decide what happens on overflow.
pub trait Outgoing: Clone + Send + Sync + 'static {
    /// Moves all queued frames to the end of `frames`.
    ///
    /// Returns `Ready(None)` once there were frames. Returns `Ready(Some(_))`, also in all later calls, once the queue
    /// is closed and all frames have been moved. Only the last caller is woken.
    fn poll_take(&self, cx: &mut Context<'_>, frames: &mut Vec<Bytes>) -> Poll<Option<Close>>;

    /// Queues complete frames.
    fn push(&self, frames: Bytes);

    /// Sets the WebSocket of the queue. While the queue is empty, frames may be written to it directly.
    fn set_line(&self, _: Weak<Line>) {}

    fn is_closed(&self) -> bool;
}

/// A queue that closes itself as *lagging* when it overflows.
#[derive(Clone, Debug, Default)]
pub struct Queue(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Bytes>,
    bytes: usize,
    closed: Option<Close>,
    waker: Option<Waker>,
}

/// Limits of the queue. A connection that exceeds one is closed.
const MAX_FRAMES: usize = 256;
const MAX_BYTES: usize = 1 << 20;
const LAGGING: Close = Close {
    code: 4002,
    reason: "lagging",
    retry: true,
};

impl Queue {
    pub fn new() -> Self {
        Self::default()
    }

    /// Closes the queue unless it is closed already. Queued frames are still sent.
    pub fn close(&self, close: Close) {
        let mut inner = self.inner();
        inner.closed.get_or_insert(close);
        wake(inner);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(mut inner: MutexGuard<'_, Inner>) {
    let waker = inner.waker.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Outgoing for Queue {
    fn poll_take(&self, cx: &mut Context<'_>, frames: &mut Vec<Bytes>) -> Poll<Option<Close>> {
        let mut inner = self.inner();
        if inner.frames.is_empty() && inner.closed.is_none() {
            inner.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        frames.extend(std::mem::take(&mut inner.frames));
        inner.bytes = 0;
        Poll::Ready(inner.closed)
    }

    fn push(&self, frames: Bytes) {
        let mut inner = self.inner();
        if inner.closed.is_some() {
            return;
        }
        if inner.frames.len() >= MAX_FRAMES || inner.bytes + frames.len() > MAX_BYTES {
            inner.frames.clear();
            inner.closed = Some(LAGGING);
        } else {
            inner.bytes += frames.len();
            inner.frames.push_back(frames);
        }
        wake(inner);
    }

    fn is_closed(&self) -> bool {
        self.inner().closed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(queue: &Queue) -> (Poll<Option<Close>>, Vec<Bytes>) {
        let mut frames = Vec::new();
        let taken = queue.poll_take(&mut Context::from_waker(Waker::noop()), &mut frames);
        (taken, frames)
    }

    #[test]
    fn frames_queued_before_the_close_are_sent_before_it() {
        let queue = Queue::new();
        assert!(take(&queue).0.is_pending());
        queue.push("a".into());
        assert_eq!(take(&queue), (Poll::Ready(None), vec!["a".into()]));
        queue.push("b".into());
        queue.close(LAGGING);
        queue.push("too late".into());
        assert_eq!(take(&queue), (Poll::Ready(Some(LAGGING)), vec!["b".into()]));
        assert_eq!(take(&queue), (Poll::Ready(Some(LAGGING)), vec![]));
    }

    #[test]
    fn the_queue_is_bounded_in_frames_and_bytes() {
        for frame in [
            Bytes::from_static(b"x"),
            Bytes::from(vec![0; MAX_BYTES / 10]),
        ] {
            let queue = Queue::new();
            for _ in 0..=MAX_FRAMES {
                queue.push(frame.clone());
            }
            assert_eq!(take(&queue), (Poll::Ready(Some(LAGGING)), vec![]));
        }
    }
}
