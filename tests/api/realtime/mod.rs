//! The realtime protocol as its original front end speaks it: every route, status, key and text, every event and its
//! receivers.

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

/// A person who registered through the dialect.
struct Guy {
    id: i64,
    token: String,
    http: Client,
}

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

    /// Opens a socket that has joined the public chat.
    async fn in_public(&self) -> EventSocket {
        let mut socket = self.socket().await;
        socket.emit_bare("join_public").await;
        socket.event("user_joined").await;
        socket
    }

    /// Posts a message to the public chat.
    async fn say(&self, content: &str) -> Value {
        let said = self.http.post("/api/messages", json!({"content": content}));
        said.await.ok(201)
    }

    /// Posts a private message.
    async fn write(&self, other: &Guy, content: &str) -> Value {
        let path = format!("/api/messages/private/{}", other.id);
        self.http
            .post(&path, json!({"content": content}))
            .await
            .ok(201)
    }
}

/// Asserts that an object has exactly the `wanted` keys, and times in the format of the original API.
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

/// Asserts that a reply is an error with this status and text.
fn refused(reply: &Reply, status: u16, text: &str) {
    reply.refused_below_api(status, text);
}

async fn error(socket: &mut EventSocket, name: &str, value: Value) -> String {
    socket.emit(name, value).await;
    let error = socket.event("error").await;
    keys(&error, "message");
    error["message"].as_str().unwrap().to_owned()
}

/// Returns the names of all events received so far.
async fn heard(socket: &mut EventSocket) -> Vec<String> {
    let events = socket.events().await;
    events.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn routes_that_need_a_token_refuse_missing_and_bad_ones() {
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
        refused(&reply, 401, "Missing Authorization Header");
        let bad = server.anybody().token("rubbish");
        let reply = bad.call(method, path, None).await;
        refused(&reply, 422, "Signature verification failed");
    }
    for path in ["/api/users", "/api/users/1"] {
        let reply = server.anybody().token("rubbish").get(path).await;
        refused(&reply, 422, "Signature verification failed");
    }
}

#[tokio::test]
async fn an_expired_token_has_its_own_error_text() {
    let (_server, ann) = TestServer::with_expired_token().await;
    let reply = ann.get("/api/messages").await;
    refused(&reply, 401, "Token has expired");
}

#[tokio::test]
async fn malformed_ids_are_refused_like_unknown_ones() {
    let server = TestServer::start().await;
    let ann = guy(&server, "ann").await;
    let rows = [
        ("GET", "/api/users/{}", "User not found"),
        ("PUT", "/api/users/{}", "User not found"),
        ("DELETE", "/api/users/{}", "User not found"),
        ("POST", "/api/messages/private/{}", "User not found"),
        ("DELETE", "/api/messages/{}", "Message not found"),
        ("DELETE", "/api/messages/private/1/{}", "Message not found"),
        ("POST", "/api/chats/{}/read", "Chat not found"),
        ("GET", "/api/files/private/{}", "Chat not found"),
        ("GET", "/api/files/{}", "File not found"),
        ("DELETE", "/api/files/{}", "File not found"),
    ];
    for (method, path, text) in rows {
        for id in ["999", "0", "-1", "99999999999999999999", "1.5", "x", "%FF"] {
            let body = json!({"content": "x"});
            let path = path.replace("{}", id);
            let reply = ann.http.call(method, &path, Some(body)).await;
            refused(&reply, 404, text);
        }
    }
    for id in ["0", "-1", "x"] {
        let path = format!("/api/messages/private/{id}");
        refused(&ann.http.get(&path).await, 404, "User not found");
        let message = ann.say("hi").await["id"].clone();
        let path = format!("{path}/{message}");
        refused(
            &ann.http.delete(&path).await,
            404,
            "Invalid chat or message",
        );
    }
}
