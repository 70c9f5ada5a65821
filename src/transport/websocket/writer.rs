//! Write half of a WebSocket. Independent of reading.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use tokio::net::TcpStream;

use super::would_block;
use crate::transport::connection_log::Record;
use crate::transport::stream::Socket;

/// Maximum number of frames per system call.
const SLICES: usize = 64;
/// Queue length above which an emptied queue frees its memory, because most of thousands of connections are idle.
pub(super) const KEPT_FRAMES: usize = 8;

/// Write half of a WebSocket, which writes complete frames in order, whichever task sends them.
#[derive(Debug)]
pub struct Line {
    socket: Socket,
    out: Mutex<Out>,
}

#[derive(Debug, Default)]
struct Out {
    /// Frames not yet accepted by the kernel. The first may be partly sent.
    frames: VecDeque<Bytes>,
    /// Whether a close frame is queued, after which nothing may be sent.
    closing: bool,
}

impl Line {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            out: Mutex::default(),
        }
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        self.socket.tcp()
    }

    /// Returns the log record of the connection.
    pub(super) fn record(&self) -> &Record {
        self.socket.record()
    }

    /// Writes complete frames at once, past the task that polls the WebSocket. Returns the number of bytes sent.
    ///
    /// Returns 0 if frames are queued already or nothing can be sent now; the caller then keeps the frames. If they are
    /// sent partly, the rest is queued and sent first when the WebSocket is next polled.
    pub fn send(&self, frames: &Bytes) -> usize {
        let mut out = self.out();
        if out.closing || !out.frames.is_empty() {
            return 0;
        }
        // Errors are reported to the task that polls the WebSocket.
        let sent = self.tcp().try_write(frames).unwrap_or(0);
        if 0 < sent && sent < frames.len() {
            out.frames.push_back(frames.slice(sent..));
        }
        sent
    }

    /// Queues frames for [`Line::flush`].
    pub(super) fn queue(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.out().frames.extend(frames);
    }

    /// Ends the queue, with a last frame if there is one.
    pub(super) fn end(&self, last: Option<Bytes>) {
        let mut out = self.out();
        out.closing = true;
        out.frames.extend(last);
    }

    /// Writes what the kernel accepts of the queue and then of `answer`. Returns whether that was everything.
    ///
    /// The answer is only written when the queue is empty. Otherwise a flood of pings from a peer that does not read
    /// would fill the queue with pongs.
    pub(super) fn flush(&self, answer: &mut Vec<u8>) -> io::Result<bool> {
        let mut out = self.out();
        loop {
            if out.frames.is_empty() && !answer.is_empty() {
                out.frames.push_back(std::mem::take(answer).into());
            }
            if out.frames.is_empty() {
                return Ok(true);
            }
            match self.try_send(&out.frames) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => out.sent(sent),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if would_block(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Passes all queued frames to the kernel with one system call.
    fn try_send(&self, frames: &VecDeque<Bytes>) -> io::Result<usize> {
        // The common case is cheaper without a vector: it avoids the kernel's file layer.
        if let (Some(frame), 1) = (frames.front(), frames.len()) {
            return self.tcp().try_write(frame);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let used = frames.len().min(SLICES);
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(frame);
        }
        self.tcp().try_write_vectored(&slices[..used])
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.out().frames.len()
    }
}

impl Out {
    fn sent(&mut self, mut bytes: usize) {
        while let Some(frame) = self.frames.front_mut() {
            if bytes < frame.len() {
                frame.advance(bytes);
                return;
            }
            bytes -= frame.len();
            self.frames.pop_front();
        }
        if self.frames.capacity() > KEPT_FRAMES {
            self.frames = VecDeque::new();
        }
    }
}
