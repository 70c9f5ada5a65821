//! A WebSocket of a server: messages in through tungstenite, frames out as they are. Must know
//! nothing of what the messages say.
//!
//! tungstenite parses, and its answers to pings and closes are collected, but it never touches the
//! socket's sending side: so whole frames, encoded once for many connections, go out with one
//! vectored write, and nothing can get between their halves.

mod line;

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

pub use line::Line;
pub use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::frame;
use super::socket::Socket;
use line::KEPT_FRAMES;

/// Small, because tungstenite fills it with zeros at each read, and ten thousand idle ones add up.
const READ_BUFFER: usize = 1024;
/// So often it is filled before others have their turn, even if no message is whole by then.
const READS_AT_ONCE: u8 = 8;
/// A peer that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of a connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A message that came in. Pings are answered without being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The answer to a ping, or a sign of life.
    Pong,
    /// The peer closes, with its code if it gave one: call [`WebSocket::close`].
    Close(Option<u16>),
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The connection is gone without a close frame.
    #[error("the connection is gone")]
    Gone,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(io::Error),
    /// A text message is not UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// A message is longer than allowed.
    #[error("message too big")]
    TooBig,
    /// The peer breaks the protocol.
    #[error("protocol error")]
    Protocol,
}

impl ReadError {
    /// The close code to end the connection with; none if there is nobody to tell.
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

/// An open WebSocket. Dropping it cuts the connection; [`WebSocket::close`] ends it well.
#[derive(Debug)]
pub struct WebSocket {
    parser: Parser<Half>,
    /// The peer has closed: it must not be sent another close frame.
    closed: bool,
}

impl WebSocket {
    /// Speaks WebSocket on a connection whose handshake is done; `read_ahead` came in with it.
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

    /// Its sending side, for those who have frames while nobody polls it.
    pub fn line(&self) -> &Arc<Line> {
        &self.parser.get_ref().line
    }

    /// From now on a message may be `bytes` long.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.parser.set_config(|config| {
            config.max_message_size = Some(bytes);
            config.max_frame_size = Some(bytes);
        });
    }

    /// The next message. Safe to cancel: nothing is lost, half a message is kept.
    ///
    /// Also sends on what a cancelled [`WebSocket::write`] left behind, but without its deadline.
    ///
    /// # Errors
    /// Why there will be none; [`ReadError::close_code`] says what to close with.
    pub async fn read(&mut self) -> Result<Incoming, ReadError> {
        poll_fn(|cx| self.poll_read(cx)).await
    }

    /// As [`WebSocket::read`], for those who poll themselves.
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
            // A peer that never stops talking must not keep the thread to itself.
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
                // Has the answer written to our side; that the parser is now done is known.
                let _ = self.parser.flush();
                self.closed = true;
                Some(Incoming::Close(frame.map(|frame| frame.code.into())))
            }
            Message::Ping(_) | Message::Frame(_) => None,
        }
    }

    /// Waits for something to read, sending on meanwhile.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.try_flush()? {
            if self.socket().poll_write_ready(cx)?.is_pending() {
                break;
            }
        }
        self.socket().poll_read_ready(cx)
    }

    /// Sends whole frames, all with one call where the kernel takes them. Safe to cancel: what is
    /// left goes out with the next `write` or `read`.
    ///
    /// # Errors
    /// The connection is gone, or the peer took nothing for 10 s (`TimedOut`).
    pub async fn write(&mut self, frames: &mut Vec<Bytes>) -> io::Result<()> {
        self.line().queue(frames.drain(..));
        if frames.capacity() > KEPT_FRAMES {
            *frames = Vec::new();
        }
        let written = match self.try_flush() {
            Ok(true) => return Ok(()),
            // Boxed, because it is rare and holds a timer.
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

    /// Sends what the kernel takes; true when that was everything.
    fn try_flush(&mut self) -> io::Result<bool> {
        let Half { line, answer, .. } = self.parser.get_mut();
        line.flush(answer)
    }

    /// Sends what is queued and a close frame (unless the peer closed first), and waits shortly for
    /// the peer to hang up.
    pub async fn close(mut self, code: u16, reason: &str) {
        self.ends(|| match reason {
            "" => format!("closed by the server ({code})"),
            reason => format!("closed by the server: {reason} ({code})"),
        });
        let last = (!self.closed).then(|| frame::close_frame(code, reason));
        self.line().end(last);
        let ending = timeout(CLOSE_TIMEOUT, self.hang_up());
        // Whoever does not take the close frame in time has lost it.
        let _ = Box::pin(ending).await;
    }

    /// Hanging up with unread bytes would make the kernel reset the close frame away.
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

    /// Notes for the log why it ends.
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

/// What tungstenite takes for the connection: reading is real, writing only collects.
#[derive(Debug)]
struct Half {
    line: Arc<Line>,
    /// The newest pong, or the answer to a close frame.
    answer: Vec<u8>,
    /// How often the parser has read since it was asked for a message.
    reads: u8,
}

impl Read for Half {
    /// After a read that did not fill `buf` the socket is known to be empty, and is not asked once more: the system tells of
    /// what comes after.
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
    /// Without a write buffer tungstenite writes one whole frame at a time. Only the latest ping
    /// needs an answer (RFC 6455 §5.5.3).
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
