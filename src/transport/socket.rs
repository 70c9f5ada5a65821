//! A TCP connection and its place at the gate. Must know nothing of HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::gate::Slot;
use super::record::Record;

/// How long the kernel keeps a connection whose peer acknowledges nothing.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: std::time::Duration = std::time::Duration::from_secs(20);

/// An accepted connection; its place at the gate is free again when it is dropped.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    slot: Slot,
    record: Arc<Record>,
}

impl Socket {
    /// Takes over an accepted connection and sets its options.
    ///
    /// # Errors
    /// The peer is gone already.
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

    /// The connection itself, for readiness and non-blocking calls.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Its place at the gate.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// What the log will say of it.
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
