//! Document 004 as its front end speaks it: every route, status, key and text, every event and who hears it.

use serde_json::{Value, json};

use super::support::*;

mod accounts;
mod chats;
mod files;
mod live;
mod open;
mod private;

const USER: &str = "id username email avatar_url created_at";
const PUBLIC: &str = "id content timestamp user_id username avatar_url user files";
const PRIVATE: &str = "id content timestamp sender_id chat_id username avatar_url sender files";
const FILE: &str = "id filename file_url file_size file_type uploaded_at uploader_id uploader \
    public_message_id private_message_id private_chat_id";
const PICTURE: &str = "http://example.com/a.jpg";

/// Somebody who came in through the dialect.
struct Guy {
    id: i64,
    token: String,
    http: Client,
}

/// Registers and logs in.
async fn guy(server: &TestServer, name: &str) -> Guy {
    let new = json!({"username": name, "email": format!("{name}@example.org"), "password": "long secret"});
    let path = "/api/auth/register";
    server.anybody().post(path, new).await.ok(201);
    let login = json!({"username": name, "password": "long secret"});
    let grant = server
        .anybody()
        .post("/api/auth/login", login)
        .await
        .ok(200);
    let token = grant["access_token"].as_str().unwrap().to_owned();
    Guy {
        id: id(&grant["user"]),
        http: server.anybody().token(&token),
        token,
    }
}

impl Guy {
    async fn socket(&self) -> EventSocket {
        EventSocket::open(self.http.address, &self.token).await
    }

    /// A socket in the public chat.
    async fn in_public(&self) -> EventSocket {
        let mut socket = self.socket().await;
        socket.emit_bare("join_public").await;
        socket.event("user_joined").await;
        socket
    }

    /// Says something in the public chat.
    async fn say(&self, content: &str) -> Value {
        let said = self.http.post("/api/messages", json!({"content": content}));
        said.await.ok(201)
    }

    /// Writes to somebody.
    async fn write(&self, other: &Guy, content: &str) -> Value {
        let path = format!("/api/messages/private/{}", other.id);
        self.http
            .post(&path, json!({"content": content}))
            .await
            .ok(201)
    }
}

/// Exactly these keys, and times as the document writes them.
fn keys(object: &Value, wanted: &str) {
    let mut found: Vec<_> = object.as_object().unwrap().keys().collect();
    let mut wanted: Vec<_> = wanted.split_whitespace().collect();
    found.sort();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{object}");
    for time in ["timestamp", "created_at", "uploaded_at"] {
        if let Some(text) = object[time].as_str() {
            assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
            chrono::DateTime::parse_from_rfc3339(text).unwrap();
        }
    }
}

/// An error with that status and text, and no other key.
fn refused(reply: &Reply, status: u16, text: &str) {
    assert_eq!(reply.ok(status), json!({"message": text}), "{reply}");
}

/// An error that also speaks the words of the other systems below `/api`.
fn shared(reply: &Reply, status: u16) {
    let said = reply.ok(status);
    keys(&said, "message error msg detail");
    assert!(
        said.as_object()
            .unwrap()
            .values()
            .all(|text| *text == said["message"]),
        "{said}"
    );
}

/// Without a good token.
fn unknown(reply: &Reply, status: u16, text: &str) {
    assert_eq!(
        reply.ok(status),
        json!({"message": text, "msg": text}),
        "{reply}"
    );
}

async fn error(socket: &mut EventSocket, name: &str, value: Value) -> String {
    socket.emit(name, value).await;
    let error = socket.event("error").await;
    keys(&error, "message");
    error["message"].as_str().unwrap().to_owned()
}

/// Names of all events that have come by now.
async fn heard(socket: &mut EventSocket) -> Vec<String> {
    let events = socket.events().await;
    events.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn every_route_but_these_needs_a_token() {
    let server = TestServer::start().await;
    let rows = [
        ("POST", "/api/auth/logout"),
        ("GET", "/api/messages"),
        ("POST", "/api/messages"),
        ("DELETE", "/api/messages/1"),
        ("GET", "/api/messages/private/1"),
        ("POST", "/api/messages/private/1"),
        ("DELETE", "/api/messages/private/1/1"),
        ("GET", "/api/chats"),
        ("POST", "/api/chats/1/read"),
        ("GET", "/api/files/"),
        ("POST", "/api/files/"),
        ("POST", "/api/files/upload"),
        ("GET", "/api/files/1"),
        ("DELETE", "/api/files/1"),
        ("GET", "/api/files/public/1"),
        ("GET", "/api/files/private/1"),
        ("GET", "/api/users/auth-user"),
        ("PUT", "/api/users/auth-user"),
        ("POST", "/api/users/auth-user/change-password"),
        ("PUT", "/api/users/1"),
        ("DELETE", "/api/users/1"),
    ];
    for (method, path) in rows {
        let reply = server.anybody().call(method, path, None).await;
        unknown(&reply, 401, "Missing Authorization Header");
        let bad = server.anybody().token("rubbish");
        let reply = bad.call(method, path, None).await;
        unknown(&reply, 422, "Signature verification failed");
    }
    for path in ["/api/users", "/api/users/1"] {
        let reply = server.anybody().token("rubbish").get(path).await;
        unknown(&reply, 422, "Signature verification failed");
    }
}

#[tokio::test]
async fn a_token_that_has_expired_is_told_from_others() {
    let (_server, ann) = TestServer::with_expired_token().await;
    let reply = ann.get("/api/messages").await;
    unknown(&reply, 401, "Token has expired");
}

#[tokio::test]
async fn what_concerns_all_systems_below_api_is_said_in_all_their_words() {
    let server = TestServer::start().await;
    let ann = guy(&server, "ann").await;
    shared(&server.anybody().get("/api/nothing").await, 404);
    let wrong = ann.http.call("PATCH", "/api/messages", None).await;
    shared(&wrong, 405);
    assert_eq!(wrong.header("allow"), "GET, HEAD, OPTIONS, POST");
    shared(
        &ann.http
            .send("POST", "/api/messages", Some("text/plain"), "x")
            .await,
        415,
    );
    let long = json!({"content": "x".repeat(70_000)});
    shared(&ann.http.post("/api/messages", long).await, 413);
    for path in [
        "/api/messages/x",
        "/api/messages/private/x/1",
        "/api/files/x",
        "/api/users/x",
    ] {
        shared(&ann.http.delete(path).await, 404);
    }
    let broken = ann
        .http
        .send("POST", "/api/messages", Some("application/json"), "{")
        .await;
    keys(&broken.ok(400), "message");
    let number = ann.http.post("/api/messages", json!({"content": 7})).await;
    keys(&number.ok(400), "message");
}
