//! Limits on clients: silence, size of messages, slow reading, number of sessions.

use std::net::SocketAddr;
use std::time::Duration;

use parlor::transport::connection_limit::{Gate, Limits};
use parlor::transport::engineio::{Config, Reason};
use parlor::transport::send_queue::Outgoing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::client::{Poller, Socket, dial, exchange, get, within};
use crate::server::{SOCKET, start, start_with};

async fn entered(addr: SocketAddr) -> Socket {
    let (mut socket, _) = Socket::open(addr, SOCKET).await;
    socket.say("40").await;
    socket.hear().await;
    socket.hear().await;
    socket
}

/// Returns an event of exactly `bytes` bytes that the server sends back.
fn message(bytes: usize) -> String {
    let empty = r#"42["message",""]"#;
    format!(r#"42["message","{}"]"#, "x".repeat(bytes - empty.len()))
}

#[tokio::test(start_paused = true)]
async fn a_silent_websocket_is_closed_after_five_seconds() {
    let server = start().await;
    let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
    let begun = Instant::now();
    assert_eq!(socket.closed().await, 1000);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_refused_websocket_is_closed_after_five_seconds() {
    let server = start().await;
    let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
    let begun = Instant::now();
    socket.say(r#"40{"token":"bad"}"#).await;
    assert_eq!(socket.hear().await, r#"44{"message":"Not authorized"}"#);
    assert_eq!(socket.closed().await, 1000);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_silent_or_refused_poller_is_closed_after_five_seconds() {
    let server = start().await;
    for body in ["40/nowhere", r#"40{"token":"bad"}"#] {
        let poller = Poller::open(server.addr, SOCKET).await;
        let begun = Instant::now();
        poller.say(body).await;
        poller.hear().await;
        assert_eq!(poller.poll().await.status, 400);
        assert_eq!(begun.elapsed().as_secs(), 5);
    }
    let _never_polls = Poller::open(server.addr, SOCKET).await;
    let begun = Instant::now();
    while server.socketio.sessions() > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!((4..7).contains(&begun.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn an_authenticated_client_is_not_timed_out() {
    let server = start().await;
    let mut socket = entered(server.addr).await;
    let begun = Instant::now();
    assert_eq!(socket.hear().await, "2");
    assert_eq!(begun.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn unauthenticated_clients_may_send_at_most_64_kib() {
    let server = start().await;
    let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
    let connect = |bytes: usize| format!(r#"40{{"a":"{}"}}"#, "x".repeat(bytes - 10));
    socket.say(&connect(64 * 1024 + 1)).await;
    assert_eq!(socket.closed().await, 1009);

    let poller = Poller::open(server.addr, SOCKET).await;
    assert_eq!(poller.post(&connect(64 * 1024 + 1)).await.status, 413);
    assert_eq!(poller.poll().await.status, 400);

    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say(&connect(64 * 1024)).await;
}

#[tokio::test(start_paused = true)]
async fn authenticated_clients_may_send_a_million_bytes() {
    let mut server = start().await;
    let mut socket = entered(server.addr).await;
    socket.say(&message(1_000_000)).await;
    assert_eq!(socket.hear().await.len(), 1_000_000 + "-back".len());
    socket.say(&message(1_000_001)).await;
    assert_eq!(socket.closed().await, 1009);
    assert_eq!(server.next_lost().await, Reason::Invalid);

    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say("40").await;
    poller.hear().await;
    poller.say(&message(1_000_000)).await;
    assert_eq!(poller.hear().await[0].len(), 1_000_000 + "-back".len());
    assert_eq!(poller.post(&message(1_000_001)).await.status, 413);
    assert_eq!(poller.poll().await.status, 400);
    assert_eq!(server.next_lost().await, Reason::Gone);
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_for_chunked_bodies() {
    let server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    let chunk = format!("4000\r\n{}\r\n", "4".repeat(0x4000));
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        poller.target(),
        chunk.repeat(5)
    );
    assert_eq!(exchange(poller.addr, request.as_bytes()).await.status, 413);
    assert_eq!(poller.poll().await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn attachments_have_at_most_a_million_bytes_in_total() {
    let server = start().await;
    let mut socket = entered(server.addr).await;
    socket.say(r#"452-["message"]"#).await;
    socket.give(&vec![0; 600_000]).await;
    socket.give(&vec![0; 600_000]).await;
    assert_eq!(socket.closed().await, 1002);
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_body_times_out() {
    let server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say("40").await;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n4",
        poller.target()
    );
    let mut tcp = dial(server.addr).await;
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    within(tcp.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed_without_delaying_others() {
    let mut server = start().await;
    let _deaf = entered(server.addr).await;
    let deaf = server.next_client().await;
    let mut good = entered(server.addr).await;
    let client = server.next_client().await;

    let begun = Instant::now();
    let big = "x".repeat(100_000);
    let lost = loop {
        if !deaf.outgoing().is_closed() {
            deaf.emit("n", &big);
        }
        client.emit("n", &1);
        assert_eq!(good.hear_past_pings().await, r#"42["n",1]"#);
        if let Ok(lost) = server.lost.try_recv() {
            break lost;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(deaf.outgoing().is_closed());
    assert_eq!(lost, Reason::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_does_not_poll_is_closed_and_may_reconnect() {
    let mut server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say("40").await;
    poller.hear().await;
    let client = server.next_client().await;
    for i in 0..300 {
        client.emit("n", &i);
    }
    assert_eq!(server.next_lost().await, Reason::Server);
    // Neither "41" nor "1", so that the client reconnects by itself.
    assert_eq!(poller.poll().await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn polling_sessions_are_limited_per_address() {
    let server = start_with(Config {
        sessions: Gate::new(Limits {
            per_address: 2,
            ..Limits::default()
        }),
        ..Config::default()
    })
    .await;
    let first = Poller::open(server.addr, SOCKET).await;
    let _second = Poller::open(server.addr, SOCKET).await;
    let target = "/socket.io/?EIO=4&transport=polling";
    assert_eq!(get(server.addr, target).await.status, 503);
    first.say("1").await;
    first.poll().await;
    Poller::open(server.addr, SOCKET).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_releases_its_permit() {
    let mut server = start().await;
    let socket = entered(server.addr).await;
    drop(socket);
    assert_eq!(server.next_lost().await, Reason::Gone);
    within(server.gate.emptied()).await;
}
