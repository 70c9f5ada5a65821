//! Connections that end while they subscribe to a room are not left subscribed. Tested on the core, because a socket
//! cannot be closed at the exact moment.

use std::sync::Arc;

use parlor::chat::{
    Caller, CloseReason, Connection, Credential, Encode, Encoder, Frames, Outbox, View,
};
use parlor::model::{Event, MessageId, RoomId};
use tokio::sync::oneshot;

use super::support::*;

/// Encodes every event as a dot.
struct Dots;

impl Encode for Dots {
    fn encode(&self, _: &Event, _: View, frames: &mut Frames) {
        frames.add(|bytes| bytes.push(b'.'));
    }
}

const DOTS: Encoder = Encoder(&Dots);
const LOBBY: RoomId = RoomId::LOBBY;

async fn caller(server: &TestServer, who: &Persona) -> Caller {
    let token = Credential::Token(&who.token);
    server.chat.authenticate(token).await.unwrap()
}

async fn connect(server: &TestServer, caller: &Caller) -> Arc<Connection> {
    let outbox = Arc::new(Outbox::default());
    let connected = server.chat.connect(caller, Some(DOTS), outbox, "");
    connected.await.unwrap()
}

/// Subscribes to the lobby with a resume; returns whether the room answered.
async fn resume(server: &TestServer, caller: &Caller, connection: &Arc<Connection>) -> bool {
    let (reply, answered) = oneshot::channel();
    let reply = Box::new(move |resumed: Result<_, _>| {
        let _ = reply.send(resumed.is_ok());
    });
    let chat = &server.chat;
    chat.resume(caller, connection, DOTS, LOBBY, MessageId(0), reply)
        .await;
    answered.await.unwrap_or(false)
}

#[tokio::test]
async fn a_connection_that_has_ended_is_never_attached() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let caller = caller(&server, &ann).await;
    let watching = async || server.chat.watching_anybody(LOBBY, DOTS).await.len();

    // It ends before the room attaches it: disconnected, closed by the server, or handed on to another account.
    let gone = connect(&server, &caller).await;
    server.chat.disconnect(&gone).await;
    assert!(!resume(&server, &caller, &gone).await);
    let closed = connect(&server, &caller).await;
    closed.outbox().close(CloseReason::SessionEnded);
    assert!(!resume(&server, &caller, &closed).await);
    let handed_on = connect(&server, &caller).await;
    server.chat.hand_on(&handed_on).await;
    assert!(!resume(&server, &caller, &handed_on).await);
    for connection in [gone, closed, handed_on] {
        assert!(server.chat.watch(&connection, DOTS, LOBBY).await.is_err());
    }
    assert_eq!(watching().await, 0);

    // A live connection is attached, and detached when it ends.
    let alive = connect(&server, &caller).await;
    assert!(resume(&server, &caller, &alive).await);
    assert_eq!(watching().await, 1);
    server.chat.disconnect(&alive).await;
    assert_eq!(watching().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_while_attaching_leave_no_subscriber() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let caller = caller(&server, &ann).await;
    for _ in 0..300 {
        let connection = connect(&server, &caller).await;
        let watching = tokio::spawn({
            let (chat, connection) = (server.chat.clone(), connection.clone());
            async move { chat.watch(&connection, DOTS, LOBBY).await.is_ok() }
        });
        server.chat.disconnect(&connection).await;
        let _ = watching.await;
    }
    assert!(server.chat.watching_anybody(LOBBY, DOTS).await.is_empty());
}

#[tokio::test]
async fn connections_closed_by_the_server_are_detached_at_the_next_event() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let caller = caller(&server, &ann).await;
    let (closed, alive) = (
        connect(&server, &caller).await,
        connect(&server, &caller).await,
    );
    for connection in [&closed, &alive] {
        server.chat.watch(connection, DOTS, LOBBY).await.unwrap();
    }
    closed.outbox().close(CloseReason::Lagging);
    ann.say(1, "to all").await;
    alive.outbox().close(CloseReason::Lagging);
    ann.say(1, "to nobody").await;
    assert!(server.chat.watching_anybody(LOBBY, DOTS).await.is_empty());
}
