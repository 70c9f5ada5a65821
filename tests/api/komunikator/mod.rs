//! `komunikator` as its front end uses it: routes with statuses, texts and keys, and events with their recipients.

use serde_json::{Value, json};

use super::support::*;

mod accounts;
mod live;
mod members;
mod open;
mod presence;
mod rooms;

const ROOM: &str = "room_id room_name room_owner create_date is_private access_key";
const MINE: &str = "user_name room_id room_name room_owner is_private";
const PAST: &str = "chat_id message_id room_id user_name message create_date";
const INFO: &str =
    "message_count private_rooms_owned public_rooms_owned private_rooms_member public_rooms_member";
const MESSAGE: &str = "chat_id room_id user_name message create_date";

/// Registers through `komunikator`; returns a client with the token.
async fn member(server: &TestServer, name: &str) -> Client {
    let body = json!({"user_name": name, "password": PASSWORD});
    let grant = server.anybody().post("/api/register", body).await.ok(201);
    assert_keys(&grant, "access_token");
    server
        .anybody()
        .token(grant["access_token"].as_str().unwrap())
}

/// Starts a server with `komunikator` in `compat.open`.
async fn open_server() -> TestServer {
    TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["komunikator".to_owned()].into());
    })
    .await
}

async fn said(asking: impl Future<Output = Reply>, text: &str) {
    assert_eq!(asking.await.ok(200), json!({ "message": text }));
}

async fn refused(asking: impl Future<Output = Reply>, status: u16, text: &str) {
    asking.await.refused_below_api(status, text);
}

async fn make(somebody: &Client, room: Value) -> i64 {
    let made = somebody.post("/api/room/create", room).await.ok(200);
    assert_keys(&made, "message room_id");
    assert_eq!(made["message"], "Room created successfully");
    made["room_id"].as_i64().unwrap()
}

async fn public_room(somebody: &Client, name: &str) -> i64 {
    make(somebody, json!({ "room_name": name })).await
}

async fn private_room(somebody: &Client, name: &str, key: &str) -> i64 {
    let room = json!({"room_name": name, "is_private": true, "access_key": key});
    make(somebody, room).await
}

/// Returns the user names of a list of people.
fn names(list: &Value) -> Vec<&str> {
    let people = list.as_array().unwrap().iter();
    people
        .map(|one| one["user_name"].as_str().unwrap())
        .collect()
}

fn is_time(value: &Value) -> bool {
    chrono::NaiveDateTime::parse_from_str(value.as_str().unwrap(), "%Y-%m-%dT%H:%M:%SZ").is_ok()
}

/// A Socket.IO connection and the user name that it sends.
struct Seat {
    name: String,
    socket: EventSocket,
}

impl Seat {
    async fn of(person: &Persona) -> Self {
        let (name, token) = (person.name.clone(), &person.token);
        let socket = EventSocket::open(person.address, token).await;
        Self { name, socket }
    }

    /// Connects without a token.
    async fn named(server: &TestServer, name: &str) -> Self {
        let socket = EventSocket::try_open(server.address, json!({})).await;
        let (name, socket) = (name.to_owned(), socket.unwrap());
        Self { name, socket }
    }

    /// Joins a room and waits for the confirmation.
    async fn join(mut self, room: i64) -> Self {
        self.emit("join", json!({ "room_id": room })).await;
        let joined = self.socket.event("user_joined").await;
        assert_eq!(joined, json!({"user_name": self.name, "room_id": room}));
        self
    }

    /// Sends an event, with the connection's user name unless `value` has one.
    async fn emit(&mut self, name: &str, mut value: Value) {
        if value.get("user_name").is_none() {
            value["user_name"] = self.name.clone().into();
        }
        self.socket.emit(name, value).await;
    }

    async fn say(&mut self, room: i64, text: &str) {
        let value = json!({"room_id": room, "message": text});
        self.emit("message", value).await;
    }

    /// Asserts that the next event of this name has this value.
    async fn hears(&mut self, name: &str, value: Value) {
        assert_eq!(
            self.socket.event(name).await,
            value,
            "{name} to {}",
            self.name
        );
    }

    /// Asserts that the next error has this code and message.
    async fn fails(&mut self, code: u8, message: &str) {
        self.hears("error", json!({"message": message, "code": code}))
            .await;
    }

    /// Returns the names of all events received so far, except greetings and presence, whose timing varies.
    async fn heard(&mut self) -> Vec<String> {
        const ASIDE: [&str; 4] = ["connection", "connected", "user_online", "user_offline"];
        let events = self.socket.events().await.into_iter();
        let names = events.map(|(name, _)| name);
        names
            .filter(|name| !ASIDE.contains(&name.as_str()))
            .collect()
    }

    async fn hears_nothing_of(&mut self, name: &str) {
        let heard = self.heard().await;
        assert!(
            !heard.iter().any(|event| event == name),
            "{heard:?} to {}",
            self.name
        );
    }
}

async fn post(by: &Client, path: &str, body: Value) {
    by.post(path, body).await.ok(200);
}
