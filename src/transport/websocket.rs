//! Server side of a WebSocket: parses messages with tungstenite and writes encoded frames. Independent of the content.
//!
//! tungstenite parses, and its replies to pings and close frames are collected, but it never writes to the socket. So
//! complete frames, encoded once for many connections, are sent with one vectored write, and nothing is interleaved.

mod writer;

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket as Parser, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

pub use tokio_tungstenite::tungstenite::Utf8Bytes;
pub use writer::Line;

use super::frame;
use super::stream::Socket;
use writer::KEPT_FRAMES;

/// Small, because tungstenite zeroes the buffer at each read, and ten thousand idle connections have one each.
const READ_BUFFER: usize = 1024;
/// Number of reads after which other tasks run, even if no message is complete.
const READS_AT_ONCE: u8 = 8;
/// Maximum time in which the peer may accept no bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time for closing a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A received message. Pings are answered and not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Text(Utf8Bytes),
    Binary(Bytes),
    /// The reply to a ping, or an unsolicited pong.
    Pong,
    /// The peer closes, with its code if it sent one. The caller must call [`WebSocket::close`].
    Close(Option<u16>),
}

/// Reason why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The connection ended without a close frame.
    #[error("the connection is gone")]
    Gone,
    #[error("the connection failed: {0}")]
    Io(io::Error),
    /// A text message is not UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// A message is longer than allowed.
    #[error("message too big")]
    TooBig,
    /// The peer violates the protocol.
    #[error("protocol error")]
    Protocol,
}

impl ReadError {
    /// Returns the close code for the peer, or `None` if the connection is gone.
    pub fn close_code(&self) -> Option<u16> {
        match self {
            Self::Gone | Self::Io(_) => None,
            Self::NotUtf8 => Some(1007),
            Self::TooBig => Some(1009),
            Self::Protocol => Some(1002),
        }
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        use tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
        match error {
            Error::Utf8(_) => Self::NotUtf8,
            Error::Capacity(_) => Self::TooBig,
            Error::Io(error) => Self::Io(error),
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ResetWithoutClosingHandshake) => Self::Gone,
            _ => Self::Protocol,
        }
    }
}

/// An open WebSocket. Dropping it cuts the connection; [`WebSocket::close`] closes it cleanly.
#[derive(Debug)]
pub struct WebSocket {
    parser: Parser<Half>,
    /// Whether the peer has closed, so that it must not be sent another close frame.
    closed: bool,
}

impl WebSocket {
    /// Starts WebSocket on a connection after the handshake. `read_ahead` are bytes received together with the
    /// handshake.
    pub fn new(socket: Socket, read_ahead: &[u8], max_message: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(256 * 1024)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        let half = Half {
            line: Arc::new(Line::new(socket)),
            answer: Vec::new(),
            reads: 0,
        };
        let read_ahead = read_ahead.to_vec();
        Self {
            parser: Parser::from_partially_read(half, read_ahead, Role::Server, Some(config)),
            closed: false,
        }
    }

    /// Returns the write half, for sending frames while nothing polls the WebSocket.
    pub fn line(&self) -> &Arc<Line> {
        &self.parser.get_ref().line
    }

    /// Changes the maximum length of a message, in bytes.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.parser.set_config(|config| {
            config.max_message_size = Some(bytes);
            config.max_frame_size = Some(bytes);
        });
    }

    /// Reads the next message. Cancel-safe: a partly received message is kept.
    ///
    /// Also continues a cancelled [`WebSocket::write`], but without its timeout.
    ///
    /// # Errors
    /// The reason why nothing more can be read. [`ReadError::close_code`] is the code to close with.
    pub async fn read(&mut self) -> Result<Incoming, ReadError> {
        poll_fn(|cx| self.poll_read(cx)).await
    }

    /// Poll-based version of [`WebSocket::read`].
    ///
    /// # Errors
    /// As [`WebSocket::read`].
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, ReadError>> {
        let read = ready!(self.poll_message(cx));
        match &read {
            Ok(Incoming::Close(Some(code))) => {
                self.ends(|| format!("closed by the client ({code})"));
            }
            Ok(Incoming::Close(None)) => self.ends(|| "closed by the client".to_owned()),
            Err(error) => self.ends(|| error.to_string()),
            Ok(_) => {}
        }
        Poll::Ready(read)
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, ReadError>> {
        loop {
            // A peer that sends without pause must not block other tasks of this thread.
            let budget = ready!(tokio::task::coop::poll_proceed(cx));
            self.parser.get_mut().reads = 0;
            let message = match self.parser.read() {
                Ok(message) => message,
                Err(Error::Io(error)) if would_block(&error) => {
                    ready!(self.poll_ready(cx)).map_err(ReadError::Io)?;
                    budget.made_progress();
                    continue;
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            };
            budget.made_progress();
            if let Some(incoming) = self.take(message) {
                return Poll::Ready(Ok(incoming));
            }
        }
    }

    fn take(&mut self, message: Message) -> Option<Incoming> {
        match message {
            Message::Text(text) => Some(Incoming::Text(text)),
            Message::Binary(bytes) => Some(Incoming::Binary(bytes)),
            Message::Pong(_) => Some(Incoming::Pong),
            Message::Close(frame) => {
                // Makes the parser write its reply. Its error only says that the connection is closing.
                let _ = self.parser.flush();
                self.closed = true;
                Some(Incoming::Close(frame.map(|frame| frame.code.into())))
            }
            Message::Ping(_) | Message::Frame(_) => None,
        }
    }

    /// Waits until the socket is readable, and writes queued frames meanwhile.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.try_flush()? {
            if self.socket().poll_write_ready(cx)?.is_pending() {
                break;
            }
        }
        self.socket().poll_read_ready(cx)
    }

    /// Sends complete frames, with one system call if the kernel accepts them. Cancel-safe: the next `write` or `read`
    /// sends the rest.
    ///
    /// # Errors
    /// If the connection is gone, or the peer accepts nothing for 10 s (`TimedOut`).
    pub async fn write(&mut self, frames: &mut Vec<Bytes>) -> io::Result<()> {
        self.line().queue(frames.drain(..));
        if frames.capacity() > KEPT_FRAMES {
            *frames = Vec::new();
        }
        let written = match self.try_flush() {
            Ok(true) => return Ok(()),
            // Boxed, because it is rare and contains a timer.
            Ok(false) => Box::pin(self.flush()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &written {
            self.ends(|| match error.kind() {
                io::ErrorKind::TimedOut => "the client took nothing for 10 s".to_owned(),
                _ => format!("the connection failed: {error}"),
            });
        }
        written
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.try_flush()? {
            let writable = poll_fn(|cx| self.socket().poll_write_ready(cx));
            timeout(WRITE_TIMEOUT, writable).await??;
        }
        Ok(())
    }

    /// Writes what the kernel accepts. Returns whether that was everything.
    fn try_flush(&mut self) -> io::Result<bool> {
        let Half { line, answer, .. } = self.parser.get_mut();
        line.flush(answer)
    }

    /// Sends all queued frames and a close frame, unless the peer closed first, and waits up to 3 s for the peer to
    /// disconnect.
    pub async fn close(mut self, code: u16, reason: &str) {
        self.ends(|| match reason {
            "" => format!("closed by the server ({code})"),
            reason => format!("closed by the server: {reason} ({code})"),
        });
        let last = (!self.closed).then(|| frame::close_frame(code, reason));
        self.line().end(last);
        let ending = timeout(CLOSE_TIMEOUT, self.hang_up());
        // A peer that does not accept the close frame in time misses it.
        let _ = Box::pin(ending).await;
    }

    /// Closes the write half and reads until the peer disconnects. Closing with unread bytes would make the kernel
    /// reset the connection and lose the close frame.
    async fn hang_up(&mut self) -> io::Result<()> {
        self.flush().await?;
        SockRef::from(self.socket()).shutdown(Shutdown::Write)?;
        let mut scratch = [0; READ_BUFFER];
        loop {
            poll_fn(|cx| self.socket().poll_read_ready(cx)).await?;
            match self.socket().try_read(&mut scratch) {
                Ok(0) => return Ok(()),
                Err(error) if !would_block(&error) => return Err(error),
                _ => {}
            }
        }
    }

    /// Records the cause of the end for the log.
    fn ends(&self, cause: impl FnOnce() -> String) {
        self.line().record().ends(cause);
    }

    fn socket(&self) -> &TcpStream {
        self.line().tcp()
    }
}

fn would_block(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, WouldBlock};
    matches!(error.kind(), WouldBlock | Interrupted)
}

/// The transport given to tungstenite: reads from the socket, but only collects writes.
#[derive(Debug)]
struct Half {
    line: Arc<Line>,
    /// The reply to the latest ping or to a close frame.
    answer: Vec<u8>,
    /// Number of reads since the parser was last asked for a message.
    reads: u8,
}

impl Read for Half {
    /// After a read that did not fill `buf`, the socket is known to be empty and is not read again: the system reports
    /// when more arrives.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.reads == READS_AT_ONCE {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.reads += 1;
        let tcp = self.line.tcp();
        let mut last = 0;
        let read = tcp.try_io(Interest::READABLE, || {
            match (&*SockRef::from(tcp)).read(buf)? {
                bytes if bytes == 0 || bytes == buf.len() => Ok(bytes),
                bytes => {
                    last = bytes;
                    Err(io::ErrorKind::WouldBlock.into())
                }
            }
        });
        if last > 0 { Ok(last) } else { read }
    }
}

impl Write for Half {
    /// Without a write buffer, tungstenite writes one complete frame per call. Only the latest ping needs a reply
    /// (RFC 6455, section 5.5.3).
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.answer.clear();
        self.answer.extend_from_slice(frame);
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
