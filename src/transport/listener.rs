//! Accept loop: socket options, connection limits, HTTP/1, drain. Independent of the routes.

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

use super::connection_limit::Gate;
use super::keep_alive::Timed;
use super::stream::{Peer, Socket};

/// Bytes read ahead of a request. A request head up to this size is always accepted; one of twice the size is always
/// refused with 431. Limits the memory of a connection, and of an Engine.IO session before its CONNECT.
const READ_AHEAD: usize = 16 * 1024;
/// Pause after running out of file descriptors: accepting again at once would only use processor time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Maximum number of refused connections that get a 503 at the same time. Further ones are just closed.
const REFUSALS: usize = 64;
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain\r\ncontent-length: 21\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
    too many connections\n";

/// A bound address that accepts connections within the limits of a [`Gate`].
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    gate: Arc<Gate>,
    refusals: Arc<Semaphore>,
}

impl Listener {
    /// Creates a listener for `tcp`. Listeners with the same gate share its limits.
    pub fn new(tcp: TcpListener, gate: Arc<Gate>) -> Self {
        Self {
            tcp,
            gate,
            refusals: Arc::new(Semaphore::new(REFUSALS)),
        }
    }

    /// Returns the address to which it is bound.
    ///
    /// # Errors
    /// If the operating system cannot tell the address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts connections until `shutdown` is true or its sender is dropped, then returns. Requests in flight finish;
    /// use [`Gate::emptied`] to wait for the connections.
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

/// Serves HTTP/1 on one connection until it ends, is upgraded or is drained.
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

/// Sends a 503 and reads until the peer closes: closing with unread bytes would reset the connection and lose the
/// response.
async fn explain(mut tcp: TcpStream) -> io::Result<()> {
    tcp.write_all(REFUSAL).await?;
    tcp.shutdown().await?;
    let mut scratch = [0; 1024];
    while tcp.read(&mut scratch).await? > 0 {}
    Ok(())
}

/// Pauses after an error of `accept`, except for a connection that was reset while queued. All other errors, such as a
/// lack of file descriptors or memory, need time and must not end the loop.
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

/// Raises the limit of open file descriptors of this process to the hard limit and returns it; `None` means unlimited.
///
/// # Errors
/// If the system refuses.
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
