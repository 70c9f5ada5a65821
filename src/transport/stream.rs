//! A TCP connection and its connection permit. Independent of HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connection_limit::Slot;
use super::connection_log::Record;

/// Time after which the kernel closes a connection whose peer acknowledges nothing (`TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: std::time::Duration = std::time::Duration::from_secs(20);

/// Request extension: the peer address of the request's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// An accepted connection. Its permit is given back on drop.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    slot: Slot,
    record: Arc<Record>,
}

impl Socket {
    /// Wraps an accepted connection and sets its socket options.
    ///
    /// # Errors
    /// If the peer has disconnected already.
    pub fn new(tcp: TcpStream, slot: Slot) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&tcp).set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
        Ok(Self {
            tcp,
            slot,
            record: Arc::default(),
        })
    }

    /// Returns the TCP stream, for readiness checks and non-blocking calls.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Returns the log record of the connection.
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
