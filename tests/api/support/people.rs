//! A logged-in person and the most common actions.

use std::net::SocketAddr;
use std::ops::Deref;

use serde_json::{Value, json};

use super::{Client, PASSWORD, Socket};

/// A logged-in person; makes requests like a [`Client`].
#[derive(Clone)]
pub struct Persona {
    pub id: i64,
    pub name: String,
    pub token: String,
    pub refresh_token: String,
    client: Client,
}

impl Deref for Persona {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Persona {
    /// Builds a persona from the response to a login.
    pub fn new(address: SocketAddr, grant: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let token = text(&grant["access_token"]);
        Self {
            id: grant["user"]["id"].as_i64().unwrap(),
            name: text(&grant["user"]["username"]),
            client: Client::new(address).token(&token),
            refresh_token: text(&grant["refresh_token"]),
            token,
        }
    }

    /// Returns the same person at another address, of a server after its restart.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self {
            client: Client::new(address).token(&self.token),
            ..self.clone()
        }
    }

    /// Returns the same person in another session.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            client: Client::new(self.address).token(token),
            ..self.clone()
        }
    }

    /// Creates a public room and returns its id.
    pub async fn public_room(&self, name: &str) -> i64 {
        self.new_room(json!({ "name": name })).await
    }

    /// Creates a private room without an access key and returns its id.
    pub async fn private_room(&self, name: &str) -> i64 {
        self.new_room(json!({ "name": name, "kind": "private" }))
            .await
    }

    async fn new_room(&self, body: Value) -> i64 {
        id(&self.post("rooms", body).await.ok(201))
    }

    /// Returns the id of the direct room with `other`.
    pub async fn direct_room(&self, other: &Persona) -> i64 {
        let reply = self.post("rooms/direct", json!({ "user_id": other.id }));
        let reply = reply.await;
        id(&reply.ok(reply.status.as_u16()))
    }

    /// Adds a person to a room with a role.
    pub async fn add(&self, room: i64, other: &Persona, role: &str) {
        let path = format!("rooms/{room}/members");
        self.post(&path, json!({ "user_id": other.id }))
            .await
            .ok(201);
        if role != "member" {
            let path = format!("{path}/{}", other.id);
            self.patch(&path, json!({ "role": role })).await.ok(200);
        }
    }

    /// Posts a message and returns it.
    pub async fn say(&self, room: i64, content: &str) -> Value {
        let path = format!("rooms/{room}/messages");
        self.post(&path, json!({ "content": content }))
            .await
            .ok(201)
    }

    /// Returns up to 200 of the newest messages of a room, oldest first.
    pub async fn history(&self, room: i64) -> Vec<Value> {
        let path = format!("rooms/{room}/messages?limit=200");
        self.get(&path).await.items()
    }

    /// Returns one of the person's rooms, as the list shows it.
    pub async fn overview(&self, room: i64) -> Option<Value> {
        let rooms = self.get("rooms").await.items();
        rooms.into_iter().find(|found| found["id"] == room)
    }

    /// Opens a WebSocket and waits for its welcome.
    pub async fn connect(&self) -> Socket {
        let mut socket = Socket::open(self.address, Some(&self.token)).await;
        socket.welcome = socket.event("welcome").await;
        socket
    }

    /// Opens a WebSocket that is subscribed to a room and receives future events only.
    pub async fn watch(&self, room: i64) -> Socket {
        let mut socket = self.connect().await;
        socket.resume_all(room, i64::from(u32::MAX)).await;
        socket
    }
}

/// Registers an account.
pub async fn register(address: SocketAddr, name: &str) -> Persona {
    let body = json!({ "username": name, "password": PASSWORD });
    let reply = Client::new(address).post("auth/register", body).await;
    Persona::new(address, &reply.ok(201))
}

pub fn id(object: &Value) -> i64 {
    object["id"].as_i64().unwrap()
}
