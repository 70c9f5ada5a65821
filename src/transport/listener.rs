//! The accept loop: socket options, limits, HTTP/1, drain. Must know nothing of the routes it serves.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::gate::Gate;
use super::keep_alive::Timed;
use super::socket::Socket;

/// The address at the other end of a request's connection, as a request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Bytes that are read ahead of a request. A head of this size is always taken, one of twice the size never: it is
/// answered 431. Bounds what a connection, and an Engine.IO session before its CONNECT, holds.
const READ_AHEAD: usize = 16 * 1024;
/// Out of descriptors, accepting again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// So many refused connections are told why at one time; further ones are just closed.
const REFUSALS: usize = 64;
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain\r\ncontent-length: 21\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
    too many connections\n";

/// A bound address that accepts connections through a [`Gate`].
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    gate: Arc<Gate>,
    refusals: Arc<Semaphore>,
}

impl Listener {
    /// Serves what arrives at `tcp`; listeners with the same gate share its limits.
    pub fn new(tcp: TcpListener, gate: Arc<Gate>) -> Self {
        Self {
            tcp,
            gate,
            refusals: Arc::new(Semaphore::new(REFUSALS)),
        }
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// The operating system does not know.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts until `shutdown` is true (or its sender gone), then lets requests in flight finish
    /// and returns at once: who wants to wait for the connections waits for [`Gate::emptied`].
    pub async fn serve<S, B>(self, service: S, mut shutdown: watch::Receiver<bool>)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let stop = shutdown.clone();
        let mut stopped = std::pin::pin!(shutdown.wait_for(|stop| *stop));
        loop {
            let accepted = tokio::select! {
                biased;
                _ = &mut stopped => return,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => self.welcome(tcp, peer, service.clone(), stop.clone()),
                Err(error) => pause_after(&error).await,
            }
        }
    }

    fn welcome<S, B>(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        service: S,
        stop: watch::Receiver<bool>,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Some(slot) = self.gate.enter(peer.ip()) else {
            tracing::debug!(%peer, "too many connections");
            return self.refuse(tcp);
        };
        if let Ok(socket) = Socket::new(tcp, slot) {
            tokio::spawn(converse(socket, Peer(peer), service, stop));
        }
    }

    fn refuse(&self, tcp: TcpStream) {
        if let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() {
            tokio::spawn(async move {
                let _ = timeout(Duration::from_secs(1), explain(tcp)).await;
                drop(permit);
            });
        }
    }
}

/// Speaks HTTP/1 on one connection until its end, its upgrade or the drain.
async fn converse<S, B>(socket: Socket, peer: Peer, service: S, mut stop: watch::Receiver<bool>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let record = socket.record().clone();
    let socket = Timed::new(socket);
    let phase = socket.phase().clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        phase.requested();
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(record.clone());
        let (answer, phase) = (service.call(request), phase.clone());
        async move { Ok::<_, Infallible>(answer.await?.map(|body| phase.answered(body))) }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut connection = Box::pin(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.0, %error, "connection ended");
    }
}

/// Says 503 and reads a little on: closing with unread bytes would reset the answer away.
async fn explain(mut tcp: TcpStream) -> io::Result<()> {
    tcp.write_all(REFUSAL).await?;
    tcp.shutdown().await?;
    let mut scratch = [0; 1024];
    while tcp.read(&mut scratch).await? > 0 {}
    Ok(())
}

/// A connection that died in the queue is nothing; anything else (no descriptor or memory left)
/// needs time to pass, and must not end the loop.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    ) {
        return;
    }
    tracing::warn!(%error, "cannot accept connections");
    sleep(ACCEPT_PAUSE).await;
}

/// Raises the number of descriptors this process may open to what the system allows, and returns
/// it; none means without limit.
///
/// # Errors
/// The system refuses.
pub fn raise_descriptor_limit() -> io::Result<Option<u64>> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        )?;
    }
    Ok(limit.maximum)
}

#[cfg(test)]
mod tests;
