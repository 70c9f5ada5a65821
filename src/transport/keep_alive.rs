//! HTTP timeouts of a connection: for the first request, for a request head, and between two requests.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::stream::Socket;

/// Maximum time for receiving a request head, and for a new connection to start with one.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum idle time between two requests. Longer than the idle timeout of usual proxies (nginx 60 s, Go and Caddy
/// 90 to 120 s): the client must be the one that closes, or it may send a request on a closed connection.
pub const KEEP_ALIVE: Duration = Duration::from_secs(150);

/// Resolution of timers.
const TICK: Duration = Duration::from_millis(1);

/// Phases of a connection: the lower two bits of [`Phase`].
const FIRST: u32 = 0;
const HEAD: u32 = 1;
const ANSWER: u32 = 2;
const NEXT: u32 = 3;

/// The phase of a connection. The upper bits count changes, so that a reader notices each.
#[derive(Clone, Debug, Default)]
pub struct Phase(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    phase: AtomicU32,
    /// Task of a connection that reads while it responds. hyper does not poll it for reading again when the response is
    /// complete, so without this wake-up it would not check its timer.
    reader: AtomicWaker,
}

impl Phase {
    /// Notes that a request head has been received.
    pub fn requested(&self) {
        self.set(ANSWER);
    }

    /// Wraps a response body. When it has been sent, the connection is idle.
    pub fn answered<B>(&self, body: B) -> Answered<B> {
        Answered {
            body,
            phase: self.clone(),
        }
    }

    fn get(&self) -> u32 {
        self.0.phase.load(Ordering::Relaxed)
    }

    fn set(&self, to: u32) {
        let next = (self.get() & !3).wrapping_add(4) | to;
        self.0.phase.store(next, Ordering::Relaxed);
    }
}

/// A response body that ends the response phase when it is dropped.
#[derive(Debug)]
pub struct Answered<B> {
    body: B,
    phase: Phase,
}

impl<B> Drop for Answered<B> {
    fn drop(&mut self) {
        self.phase.set(NEXT);
        self.phase.0.reader.wake();
    }
}

impl<B: Body + Unpin> Body for Answered<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose reads fail after a timeout. There is no timeout while a request is handled, and the idle timeout
/// ends with the first byte of the next request.
#[derive(Debug)]
pub struct Timed {
    socket: Socket,
    phase: Phase,
    /// The phase to which `since` and `timer` belong.
    timed: u32,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Timed {
    /// Starts the timeout of a new connection.
    pub fn new(socket: Socket) -> Self {
        Self {
            socket,
            phase: Phase::default(),
            timed: FIRST,
            since: Instant::now(),
            timer: Box::pin(sleep(HEAD_TIMEOUT)),
        }
    }

    /// Returns the phase, which must be updated when requests and responses occur.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Returns the connection without timeouts, for use after an upgrade.
    pub fn into_inner(self) -> Socket {
        self.socket
    }

    /// Returns the maximum duration of the phase. Idle connections close earlier when permits are scarce. Exempt are
    /// those of proxies, which would lose a request, and those that a proxy opens in advance.
    fn limit(&self) -> Duration {
        let slot = self.socket.slot();
        let may_rest = match self.timed & 3 {
            NEXT => slot.is_exempt() || !slot.is_scarce(),
            FIRST => slot.is_exempt(),
            _ => false,
        };
        if may_rest { KEEP_ALIVE } else { HEAD_TIMEOUT }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let phase = self.phase.get();
        if phase != self.timed {
            (self.timed, self.since) = (phase, Instant::now());
            self.timer.as_mut().reset(self.since + HEAD_TIMEOUT);
        }
        if phase & 3 == ANSWER {
            self.phase.0.reader.register(cx.waker());
            return Poll::Pending;
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let left = self.limit().saturating_sub(self.since.elapsed());
            if left <= TICK {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // Checks again from time to time whether permits have become scarce.
            let next = Instant::now() + left.min(HEAD_TIMEOUT);
            self.timer.as_mut().reset(next);
        }
    }

    /// Restarts the idle timeout while the rest of a response is written.
    fn wrote(&mut self) {
        if self.timed & 3 == NEXT {
            self.since = Instant::now();
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if read.is_pending() {
            return self.poll_timer(cx);
        }
        if buf.filled().len() > before && matches!(self.phase.get() & 3, FIRST | NEXT) {
            self.phase.set(HEAD);
        }
        read
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wrote();
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.wrote();
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
