//! Many connections at once, on both transports.

use std::collections::HashSet;

use bytes::Bytes;
use parlor::transport::send_queue::Outgoing;
use parlor::transport::socketio::event;
use tokio::task::JoinSet;

use crate::client::{Poller, Socket};
use crate::server::{SOCKET, start};

const EACH: usize = 250;
const MESSAGES: usize = 100;

fn said(i: usize) -> String {
    format!(r#"42["n",{i}]"#)
}

async fn by_websocket(addr: std::net::SocketAddr) -> Vec<String> {
    let (mut socket, _) = Socket::open(addr, SOCKET).await;
    socket.say("40").await;
    socket.hear().await;
    socket.hear().await;
    let mut heard = Vec::new();
    while heard.len() < MESSAGES {
        heard.push(socket.hear_past_pings().await);
    }
    heard
}

async fn by_polling(addr: std::net::SocketAddr) -> Vec<String> {
    let poller = Poller::open(addr, SOCKET).await;
    poller.say("40").await;
    let mut heard = Vec::new();
    while heard.len() < 2 + MESSAGES {
        heard.extend(poller.hear().await);
    }
    heard.split_off(2)
}

/// Runs on the real clock: with so much data at once, some of it waits in the kernel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_receives_all_messages_once_and_in_order() {
    let mut server = start().await;
    let mut listeners = JoinSet::new();
    let mut clients = Vec::new();
    for _ in 0..EACH {
        listeners.spawn(by_websocket(server.addr));
        listeners.spawn(by_polling(server.addr));
        clients.push(server.next_client().await);
        clients.push(server.next_client().await);
    }
    let names: HashSet<_> = clients.iter().map(|client| client.sid()).collect();
    assert_eq!(names.len(), 2 * EACH);
    for i in 0..MESSAGES {
        let frame: Bytes = event("n").arg(&i).frame();
        for client in &clients {
            client.outgoing().push(frame.clone());
        }
        tokio::task::yield_now().await;
    }
    let wanted: Vec<_> = (0..MESSAGES).map(said).collect();
    while let Some(heard) = listeners.join_next().await {
        assert_eq!(heard.unwrap(), wanted);
    }
}
