//! The sending side of a WebSocket. Must know nothing of what is read.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use tokio::net::TcpStream;

use super::would_block;
use crate::transport::record::Record;
use crate::transport::socket::Socket;

/// Frames handed to the kernel with one call.
const SLICES: usize = 64;
/// A queue that had more frames in it gives its memory back when it is empty: thousands are idle most of the time.
pub(super) const KEPT_FRAMES: usize = 8;

/// Whole frames go out one after the other here, whoever sends them.
#[derive(Debug)]
pub struct Line {
    socket: Socket,
    out: Mutex<Out>,
}

#[derive(Debug, Default)]
struct Out {
    /// Frames not yet with the kernel; the first may be half sent.
    frames: VecDeque<Bytes>,
    /// Nothing may come after a close frame.
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

    /// What the log will say of the connection.
    pub(super) fn record(&self) -> &Record {
        self.socket.record()
    }

    /// Sends whole frames at once, past whoever polls the WebSocket; answers how many bytes went out.
    ///
    /// None if frames wait already, or nothing can be sent now: then they are still the caller's. If only some, the rest
    /// goes out before anything else, as soon as the WebSocket is polled.
    pub fn send(&self, frames: &Bytes) -> usize {
        let mut out = self.out();
        if out.closing || !out.frames.is_empty() {
            return 0;
        }
        // Whoever polls the WebSocket hears of errors.
        let sent = self.tcp().try_write(frames).unwrap_or(0);
        if 0 < sent && sent < frames.len() {
            out.frames.push_back(frames.slice(sent..));
        }
        sent
    }

    /// Takes frames that [`Line::flush`] is to send.
    pub(super) fn queue(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.out().frames.extend(frames);
    }

    /// Takes the last frame, if one is to be sent.
    pub(super) fn end(&self, last: Option<Bytes>) {
        let mut out = self.out();
        out.closing = true;
        out.frames.extend(last);
    }

    /// Sends what the kernel takes of what is queued, and then `answer`; true when that was everything.
    ///
    /// The answer goes out only when nothing is stuck: else a flood of pings from a peer that does not read would fill the
    /// queue with pongs.
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

    /// One call to the kernel with all that is queued.
    fn try_send(&self, frames: &VecDeque<Bytes>) -> io::Result<usize> {
        // The common case is cheaper without a vector: no walk through the file layer.
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
