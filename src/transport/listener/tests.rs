//! Tests of the accept loop over real connections.

use super::*;
use crate::transport::access_log::{AccessLog, Client};
use crate::transport::connection_limit::Limits;
use crate::transport::guard::Guard;
use crate::transport::keep_alive::{HEAD_TIMEOUT, KEEP_ALIVE};
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
    /// Releases the response to `/slow`.
    go: Arc<Notify>,
    /// Notified when a request to `/slow` arrives.
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
    let locate = |peer: SocketAddr, _: &_| Client {
        address: peer.ip(),
        is_proxied: false,
    };
    let service = Guard::new(TowerToHyperService::new(service));
    let service = AccessLog::new(service, Arc::new(locate));
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
/// Reads the response head, and leaves the connection open.
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
async fn a_request_has_its_peer_address() {
    let served = serve(Limits::default()).await;
    let request = "GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = rest(send(served.addr, request).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_arrives_completely() {
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
async fn a_websocket_keeps_its_connection_permit() {
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
async fn draining_finishes_the_request_in_flight_and_accepts_no_other() {
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

/// Waits until the server closes the connection, without a timeout.
async fn ended(tcp: &mut TcpStream) {
    assert_eq!(tcp.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_request_head_times_out() {
    let served = serve(Limits::default()).await;
    let begun = tokio::time::Instant::now();
    let tcp = send(served.addr, "GET /peer HTTP/1.1\r\nhost:").await;
    rest(tcp).await;
    assert!(begun.elapsed() >= HEAD_TIMEOUT && begun.elapsed() < 2 * HEAD_TIMEOUT);
}

const GET: &str = "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends a request on an open connection and reads the response.
async fn ask(tcp: &mut TcpStream) -> String {
    tcp.write_all(GET.as_bytes()).await.unwrap();
    let head = head(tcp).await;
    within(tcp.read_exact(&mut [0; "127.0.0.1".len()]))
        .await
        .unwrap();
    head
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_the_keep_alive_timeout() {
    let served = serve(Limits::default()).await;
    let mut tcp = TcpStream::connect(served.addr).await.unwrap();
    for rest in [
        Duration::ZERO,
        Duration::from_secs(121),
        Duration::from_secs(149),
    ] {
        sleep(rest).await;
        assert!(ask(&mut tcp).await.starts_with("HTTP/1.1 200"), "{rest:?}");
    }
    let begun = tokio::time::Instant::now();
    ended(&mut tcp).await;
    assert!(begun.elapsed() >= KEEP_ALIVE && begun.elapsed() < 2 * KEEP_ALIVE);
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_request_head_on_a_reused_connection_times_out() {
    let served = serve(Limits::default()).await;
    let mut tcp = TcpStream::connect(served.addr).await.unwrap();
    ask(&mut tcp).await;
    sleep(Duration::from_secs(60)).await;
    tcp.write_all(b"GET /peer HTTP/1.1\r\nhost:").await.unwrap();
    let begun = tokio::time::Instant::now();
    rest(tcp).await;
    assert!(begun.elapsed() >= HEAD_TIMEOUT && begun.elapsed() < 2 * HEAD_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_close_earlier_under_load_except_of_proxies() {
    for (exempt, after) in [(vec![], HEAD_TIMEOUT), (vec!["127.0.0.1/32"], KEEP_ALIVE)] {
        let served = serve(Limits {
            total: 3,
            exempt: exempt.iter().map(|net| net.parse().unwrap()).collect(),
            ..Limits::default()
        })
        .await;
        let mut tcp = TcpStream::connect(served.addr).await.unwrap();
        ask(&mut tcp).await;
        let _slow = send(served.addr, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
        within(served.came.notified()).await;
        let begun = tokio::time::Instant::now();
        ended(&mut tcp).await;
        assert!(
            begun.elapsed() >= after && begun.elapsed() < 2 * after,
            "{exempt:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_response_does_not_time_out() {
    let served = serve(Limits::default()).await;
    let mut tcp = send(served.addr, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    within(served.came.notified()).await;
    sleep(2 * KEEP_ALIVE).await;
    served.go.notify_one();
    assert!(head(&mut tcp).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let served = serve(Limits::default()).await;
    let mut tcp = TcpStream::connect(served.addr).await.unwrap();
    let [one, other] = [ask(&mut tcp).await, ask(&mut tcp).await].map(|head| {
        let id = head
            .lines()
            .find_map(|line| line.strip_prefix("x-request-id: "));
        id.unwrap().to_owned()
    });
    assert_ne!(one, other);
}

#[tokio::test]
async fn a_request_target_without_a_path_is_refused() {
    let served = serve(Limits::default()).await;
    for (request, status) in [
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "405"),
        (
            "GET * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            "400",
        ),
    ] {
        let mut tcp = send(served.addr, request).await;
        let answer = head(&mut tcp).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn the_request_head_is_limited() {
    let served = serve(Limits::default()).await;
    for (bytes, status) in [(READ_AHEAD - 100, "200"), (2 * READ_AHEAD, "431")] {
        let long = "a".repeat(bytes);
        let request = format!("GET /peer HTTP/1.1\r\nhost: x\r\nlong: {long}\r\n\r\n");
        let mut tcp = send(served.addr, &request).await;
        let answer = head(&mut tcp).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
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
