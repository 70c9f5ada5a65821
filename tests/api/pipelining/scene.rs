//! Two people, a room, and a connection whose frames are read one by one.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::protocols::{Protocol, Room};
use crate::support::*;

/// Two people and a room that Ann's connection is in.
pub(super) struct Scene {
    pub(super) server: TestServer,
    pub(super) ann: Persona,
    pub(super) bob: Persona,
    /// An otherwise idle connection of Bob.
    pub(super) pinger: Socket,
    pub(super) room: i64,
    pub(super) uuid: Value,
}

impl Scene {
    pub(super) async fn new(protocol: &Protocol) -> Self {
        Self::on(TestServer::start().await, protocol).await
    }

    pub(super) async fn on(server: TestServer, protocol: &Protocol) -> Self {
        let (ann, bob) = (server.user("ann").await, server.user("bob").await);
        let room = match protocol.room {
            Room::Lobby => 1,
            Room::Public => ann.public_room("room").await,
            Room::Direct => ann.direct_room(&bob).await,
        };
        if matches!(protocol.room, Room::Public) {
            ann.add(room, &bob, "member").await;
        }
        let uuid = bob.get(&format!("rooms/{room}")).await.ok(200)["uuid"].clone();
        let pinger = bob.connect().await;
        Self {
            server,
            ann,
            bob,
            pinger,
            room,
            uuid,
        }
    }

    /// Blocks all commits of the server until the connection is rolled back or dropped.
    pub(super) fn hold_writes(&self) -> Connection {
        let db = Connection::open(self.server.db()).unwrap();
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        db
    }

    /// Waits until the room has `count` messages and returns their texts.
    pub(super) async fn said(&self, count: usize) -> Vec<String> {
        let reading = async {
            loop {
                let history = self.bob.history(self.room).await;
                if history.len() >= count {
                    let texts = each(&history, "content");
                    return texts.into_iter().map(str::to_owned).collect();
                }
            }
        };
        within("everything said", reading).await
    }

    /// Gives the server time to read all that has been sent: it has nothing else to do on this thread. Only for a
    /// short time, because the server abandons a commit that is blocked for five seconds.
    pub(super) async fn let_it_read(&mut self) {
        for _ in 0..5 {
            self.pinger.ok(json!({"op": "ping"})).await;
        }
    }
}

/// A WebSocket whose frames are inspected as they arrive.
pub(super) struct Wire {
    pub(super) stream: WebSocketStream<TcpStream>,
    pub(super) seen: VecDeque<String>,
}

impl Wire {
    pub(super) async fn enter(protocol: &Protocol, scene: &Scene) -> Self {
        let address = scene.server.address;
        let url = format!("ws://{address}{}", protocol.path);
        let mut request = url.into_client_request().unwrap();
        let token = format!("Bearer {}", scene.ann.token).parse().unwrap();
        request.headers_mut().insert("authorization", token);
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let opening = tokio_tungstenite::client_async(request, tcp);
        let (stream, _) = within("the handshake", opening).await.unwrap();
        let seen = VecDeque::new();
        let mut wire = Self { stream, seen };
        if protocol.path != "/" {
            wire.text().await;
        }
        for (frame, answer) in (protocol.enter)(scene) {
            wire.send(frame).await;
            while !answer.is_empty() && !wire.text().await.starts_with(answer) {}
        }
        if protocol.path == "/" {
            assert!((protocol.refuses)(&wire.text().await));
        }
        wire
    }

    pub(super) async fn send(&mut self, text: String) {
        let sending = self.stream.send(Message::text(text));
        within("sending", sending).await.unwrap();
    }

    /// Waits until the server has read and started everything sent so far. Frames received meanwhile are kept.
    pub(super) async fn read(&mut self) {
        let ping = Message::Ping(bytes::Bytes::new());
        within("sending", self.stream.send(ping)).await.unwrap();
        loop {
            match within("a pong", self.stream.next()).await.unwrap().unwrap() {
                Message::Pong(_) => return,
                Message::Text(text) => self.seen.push_back(text.as_str().to_owned()),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) async fn text(&mut self) -> String {
        if let Some(text) = self.seen.pop_front() {
            return text;
        }
        loop {
            match within("a frame", self.stream.next())
                .await
                .unwrap()
                .unwrap()
            {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Returns all frames up to and including the first for which `fits` is true.
    pub(super) async fn until(&mut self, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.text().await);
            if fits(frames.last().unwrap()) {
                return frames;
            }
        }
    }
}
