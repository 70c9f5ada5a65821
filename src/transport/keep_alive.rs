//! How long a connection may wait for HTTP: for its first request, within a request's head, and between two requests. Must
//! know nothing of what is asked.

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

use super::socket::Socket;

/// How long a client may take to send a request's head, or a new connection to begin with one.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may rest between two requests. Longer than any usual proxy keeps one (nginx 60 s, Go and Caddy
/// 90 to 120 s): whoever closes first must be the one who sends, or a request meets a closed connection.
pub const KEEP_ALIVE: Duration = Duration::from_secs(150);

/// Timers are no finer.
const TICK: Duration = Duration::from_millis(1);

/// Phases of a connection, the lower two bits of [`Phase`].
const FIRST: u32 = 0;
const HEAD: u32 = 1;
const ANSWER: u32 = 2;
const NEXT: u32 = 3;

/// The phase of a connection. The upper bits count the changes, so that a reader misses none.
#[derive(Clone, Debug, Default)]
pub struct Phase(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    phase: AtomicU32,
    /// The task of a connection that reads while it answers: it is not asked to read again by itself when the answer is
    /// through, and would not look at its timer.
    reader: AtomicWaker,
}

impl Phase {
    /// A request's head has come.
    pub fn requested(&self) {
        self.set(ANSWER);
    }

    /// Passes an answer's body on; when it is through, the connection rests.
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

/// The body of an answer.
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

/// A connection on which reading fails once its time is up. Never while a request is answered, and between two requests
/// only as long as nothing of the next one has come.
#[derive(Debug)]
pub struct Timed {
    socket: Socket,
    phase: Phase,
    /// The phase that `since` and `timer` belong to.
    timed: u32,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Timed {
    /// Times a new connection.
    pub fn new(socket: Socket) -> Self {
        Self {
            socket,
            phase: Phase::default(),
            timed: FIRST,
            since: Instant::now(),
            timer: Box::pin(sleep(HEAD_TIMEOUT)),
        }
    }

    /// What it waits for, to be told of requests and answers.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The connection without a timer, when it is no longer HTTP.
    pub fn into_inner(self) -> Socket {
        self.socket
    }

    /// How long the phase may last. Connections that rest make room when places become scarce; not those of proxies, which
    /// would lose a request by it, nor those that a proxy holds ready.
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
            // Looks again now and then whether places have become scarce.
            let next = Instant::now() + left.min(HEAD_TIMEOUT);
            self.timer.as_mut().reset(next);
        }
    }

    /// The rest of an answer is on its way.
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
