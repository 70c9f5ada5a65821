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
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::gate::Gate;
use super::socket::Socket;

/// The address at the other end of a request's connection, as a request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How long a client may take to send a request's head, or to stay silent between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
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
        B: Body<Data = Bytes> + Send + 'static,
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
        B: Body<Data = Bytes> + Send + 'static,
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
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
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
mod tests {
    use super::*;
    use crate::transport::access_log::AccessLog;
    use crate::transport::gate::Limits;
    use crate::transport::testing::within;
    use crate::transport::upgrade::Upgrade;
    use futures_util::FutureExt;
    use hyper::body::Buf;
    use hyper::upgrade::OnUpgrade;
    use hyper_util::service::TowerToHyperService;
    use tokio::sync::Notify;
    use warp::Filter;
    use warp::reply::Response as Reply;

    struct Served {
        addr: SocketAddr,
        gate: Arc<Gate>,
        stop: watch::Sender<bool>,
        /// Lets a request to `/slow` be answered.
        go: Arc<Notify>,
        /// Told when a request to `/slow` has come in.
        came: Arc<Notify>,
    }

    fn routes(
        came: Arc<Notify>,
        go: Arc<Notify>,
    ) -> impl Filter<Extract = (Reply,), Error = warp::Rejection> + Clone {
        let peer = warp::path("peer").and(warp::ext::get::<Peer>());
        let peer = peer.map(|peer: Peer| Reply::new(peer.0.ip().to_string().into()));
        let size = warp::path("size").and(warp::body::aggregate());
        let size = size.map(|body| Reply::new(Buf::remaining(&body).to_string().into()));
        let slow = warp::path("slow").then(move || {
            let (came, go) = (Arc::clone(&came), Arc::clone(&go));
            async move {
                came.notify_one();
                go.notified().await;
                Reply::new("done".into())
            }
        });
        let ws = warp::path("ws")
            .and(warp::header::headers_cloned())
            .and(warp::ext::optional::<OnUpgrade>())
            .map(|headers, on| match Upgrade::check(&headers, on) {
                Ok(upgrade) => {
                    let response = upgrade.response();
                    tokio::spawn(async move {
                        let mut socket = upgrade.open(1024).await.unwrap();
                        let _ = socket.read().await;
                    });
                    response
                }
                Err(refused) => refused.dress(Reply::new(refused.to_string().into())),
            });
        peer.or(size).unify().or(slow).unify().or(ws).unify()
    }

    async fn serve(limits: Limits) -> Served {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = tcp.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let (gate, go, came) = (Gate::new(limits), Arc::default(), Arc::default());
        let service = warp::service(routes(Arc::clone(&came), Arc::clone(&go)));
        let service = AccessLog::new(TowerToHyperService::new(service));
        tokio::spawn(Listener::new(tcp, Arc::clone(&gate)).serve(service, stopped));
        Served {
            addr,
            gate,
            stop,
            go,
            came,
        }
    }

    async fn send(addr: SocketAddr, request: &str) -> TcpStream {
        let mut tcp = TcpStream::connect(addr).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        tcp
    }
    async fn rest(mut tcp: TcpStream) -> String {
        let mut answer = String::new();
        within(tcp.read_to_string(&mut answer)).await.unwrap();
        answer
    }
    /// Reads until the answer's head has come, leaving the connection open.
    async fn head(tcp: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(within(tcp.read_u8()).await.unwrap());
        }
        String::from_utf8(answer).unwrap()
    }
    const UPGRADE: &str = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\
        connection: upgrade\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    #[tokio::test]
    async fn a_request_knows_its_peer() {
        let served = serve(Limits::default()).await;
        let request = "GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = rest(send(served.addr, request).await).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("127.0.0.1"), "{answer}");
    }

    #[tokio::test]
    async fn a_chunked_body_arrives_whole() {
        let served = serve(Limits::default()).await;
        let request = "POST /size HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
            transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
        assert!(
            rest(send(served.addr, request).await)
                .await
                .ends_with("\r\n\r\n7")
        );
    }

    #[tokio::test]
    async fn over_the_limit_a_connection_gets_503_until_one_is_free() {
        let served = serve(Limits {
            per_address: 1,
            ..Limits::default()
        })
        .await;
        let mut first = send(served.addr, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        head(&mut first).await;
        let refused = rest(send(served.addr, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await).await;
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.ends_with("too many connections\n"), "{refused}");
        drop(first);
        within(served.gate.emptied()).await;
        let mut third = send(served.addr, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(head(&mut third).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_websocket_keeps_its_place_at_the_gate() {
        let served = serve(Limits::default()).await;
        let mut tcp = send(served.addr, UPGRADE).await;
        let answer = head(&mut tcp).await;
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        assert_eq!(served.gate.count(), 1);
        served.stop.send(true).unwrap();
        assert!(served.gate.emptied().now_or_never().is_none());
        drop(tcp);
        within(served.gate.emptied()).await;
    }

    #[tokio::test]
    async fn a_drain_finishes_the_request_in_flight_and_takes_no_other() {
        let served = serve(Limits::default()).await;
        let tcp = send(served.addr, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
        within(served.came.notified()).await;
        let mut idle = send(served.addr, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        head(&mut idle).await;
        served.stop.send(true).unwrap();
        assert_eq!(rest(idle).await, "127.0.0.1");
        served.go.notify_one();
        assert!(rest(tcp).await.ends_with("done"));
        within(served.gate.emptied()).await;
        TcpStream::connect(served.addr).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_cut_off() {
        let served = serve(Limits::default()).await;
        let begun = tokio::time::Instant::now();
        let tcp = send(served.addr, "GET /peer HTTP/1.1\r\nhost:").await;
        rest(tcp).await;
        assert!(begun.elapsed() >= HEADER_TIMEOUT && begun.elapsed() < 2 * HEADER_TIMEOUT);
    }

    #[test]
    fn the_descriptor_limit_can_be_raised_twice() {
        let limit = raise_descriptor_limit().unwrap();
        assert_eq!(raise_descriptor_limit().unwrap(), limit);
    }

    #[tokio::test]
    async fn an_ordinary_request_to_a_websocket_gets_426() {
        let served = serve(Limits::default()).await;
        let request = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = rest(send(served.addr, request).await).await;
        assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
        assert!(answer.ends_with("speaks WebSocket only"), "{answer}");
    }
}
