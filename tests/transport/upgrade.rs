//! Upgrades from polling to a WebSocket.

use std::time::Duration;

use parlor::transport::engineio::Reason;
use tokio::time::{Instant, sleep};

use crate::client::Poller;
use crate::server::{BOTH, ENGINE, SOCKET, start};

#[tokio::test(start_paused = true)]
async fn a_session_upgrades_and_continues() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut socket = poller.upgrade().await;
    socket.say("4hello").await;
    assert_eq!(socket.hear().await, "4hello");
    Poller::open(server.addr, SOCKET).await.upgrade().await;
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_session_cannot_be_polled() {
    let server = start().await;
    for path in BOTH {
        let poller = Poller::open(server.addr, path).await;
        let mut socket = poller.websocket().await;
        socket.say("2probe").await;
        socket.say("5").await;
        assert_eq!(socket.hear().await, "3probe");
        sleep(Duration::from_millis(1)).await;
        assert_eq!(poller.poll().await.status, 400);
        assert_eq!(poller.post("4hello").await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_session_refuses_a_second_websocket() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut socket = poller.upgrade().await;
    assert_eq!(poller.websocket().await.closed().await, 1000);
    socket.say("4hello").await;
    assert_eq!(socket.hear().await, "4hello");
    let poller = Poller::open(server.addr, SOCKET).await;
    let _socket = poller.upgrade().await;
    assert_eq!(poller.websocket().await.closed().await, 1000);
}

#[tokio::test(start_paused = true)]
async fn packets_sent_during_an_upgrade_arrive_once_and_in_order() {
    let mut server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say("40").await;
    poller.hear().await;
    let client = server.next_client().await;
    let emit = |range: std::ops::Range<i32>| range.for_each(|i| client.emit("n", &i));

    // More packets than one payload takes, so that some stay queued in the session.
    emit(0..40);
    let mut got = poller.hear().await;
    let mut socket = poller.websocket().await;
    emit(40..50);
    socket.say("2probe").await;
    assert_eq!(socket.hear().await, "3probe");
    assert_eq!(poller.poll().await.packets(), ["6"]);
    emit(50..60);
    socket.say("5").await;
    emit(60..70);
    while got.len() < 70 {
        got.push(socket.hear_past_pings().await);
    }
    let wanted: Vec<_> = (0..70).map(|i| format!(r#"42["n",{i}]"#)).collect();
    assert_eq!(got, wanted);
}

#[tokio::test(start_paused = true)]
async fn packets_posted_during_an_upgrade_are_processed() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut socket = poller.websocket().await;
    socket.say("2probe").await;
    assert_eq!(socket.hear().await, "3probe");
    poller.say("4posted").await;
    socket.say("5").await;
    assert_eq!(socket.hear().await, "4posted");
}

#[tokio::test(start_paused = true)]
async fn polling_continues_after_a_failed_upgrade() {
    let server = start().await;
    for wrong in ["4hello", "5", "2", "probe"] {
        let poller = Poller::open(server.addr, ENGINE).await;
        let mut socket = poller.websocket().await;
        socket.say(wrong).await;
        assert_eq!(socket.closed().await, 1000, "{wrong}");
        poller.say("4still here").await;
        assert_eq!(poller.poll().await.packets(), ["4still here"]);
        poller.upgrade().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_lost_after_the_probe_returns_the_session_to_polling() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut socket = poller.websocket().await;
    socket.say("2probe").await;
    assert_eq!(socket.hear().await, "3probe");
    drop(socket);
    sleep(Duration::from_millis(1)).await;
    poller.say("4still here").await;
    assert_eq!(poller.poll().await.packets(), ["4still here"]);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_times_out() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let begun = Instant::now();
    let mut socket = poller.websocket().await;
    assert_eq!(socket.closed().await, 1000);
    assert_eq!(begun.elapsed().as_secs(), 10);
    poller.say("4still here").await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_session_cannot_upgrade() {
    let mut server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say("40").await;
    let mut socket = poller.websocket().await;
    socket.say("2probe").await;
    assert_eq!(socket.hear().await, "3probe");
    poller.say("1").await;
    assert_eq!(server.next_lost().await, Reason::Client);
    socket.say("5").await;
    assert_eq!(socket.closed().await, 1000);
}

#[tokio::test(start_paused = true)]
async fn ended_sessions_are_removed_from_the_table() {
    let mut server = start().await;
    let moved = Poller::open(server.addr, SOCKET).await;
    let mut socket = moved.upgrade().await;
    socket.say("40").await;
    let polling = Poller::open(server.addr, SOCKET).await;
    polling.say("40").await;
    assert_eq!(server.socketio.sessions(), 2);
    drop(socket);
    assert_eq!(server.next_lost().await, Reason::Gone);
    polling.say("1").await;
    assert_eq!(server.next_lost().await, Reason::Client);
    let begun = Instant::now();
    while server.socketio.sessions() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_secs(1)).await;
    }
}
