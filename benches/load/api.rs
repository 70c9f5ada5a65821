//! HTTP requests that make accounts and rooms, and those that are measured.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A keep-alive connection.
pub struct Api {
    sender: SendRequest<Full<Bytes>>,
}

#[derive(Clone)]
pub struct Person {
    pub name: String,
    pub token: String,
}

impl Api {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .expect("a handshake");
        tokio::task::spawn_local(connection);
        Self { sender }
    }

    /// Sends a request below `/api/v1/`. Returns the response body.
    pub async fn send(&mut self, method: &str, path: &str, token: &str, body: Value) -> Bytes {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request.body(Full::new(body.into())).expect("a request");
        self.answer(request).await
    }

    /// Uploads a file as a message. `form` is made by [`form`]. Returns the id of the message.
    pub async fn upload(&mut self, room: i64, token: &str, form: Bytes) -> i64 {
        let request = Request::post(format!("/api/v1/rooms/{room}/files"))
            .header("host", "localhost")
            .header("content-type", "multipart/form-data; boundary=x")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(form))
            .expect("a request");
        let bytes = self.answer(request).await;
        let message: Value = serde_json::from_slice(&bytes).expect("a message");
        message["id"].as_i64().expect("its id")
    }

    async fn answer(&mut self, request: Request<Full<Bytes>>) -> Bytes {
        let what = format!("{} {}", request.method(), request.uri());
        let response = self.sender.send_request(request).await.expect("a response");
        let status = response.status();
        let body = response.into_body().collect().await;
        let bytes = body.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(status.is_success(), "{what}: {status} {text}");
        bytes
    }

    /// Sends a request like [`Api::send`] and parses the response as JSON.
    pub async fn json(&mut self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let bytes = self.send(method, path, token, body).await;
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    /// Makes an account with a password.
    pub async fn register(&mut self, name: &str) -> Person {
        let body = json!({"username": name, "password": "correct horse"});
        grant(&self.open_route("auth/register", body).await)
    }

    pub async fn login(&mut self, name: &str) -> Person {
        let body = json!({"username": name, "password": "correct horse"});
        grant(&self.open_route("auth/login", body).await)
    }

    /// Makes a guest, which needs no password hash.
    pub async fn guest(&mut self, name: &str) -> Person {
        grant(
            &self
                .open_route("auth/guest", json!({"username": name}))
                .await,
        )
    }

    async fn open_route(&mut self, path: &str, body: Value) -> Value {
        let request = Request::post(format!("/api/v1/{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(body.to_string().into()))
            .expect("a request");
        let response = self.sender.send_request(request).await.expect("a response");
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }
}

/// Builds a form with one file of that size in bytes.
pub fn form(size: usize) -> Bytes {
    let head =
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"large.bin\"\r\n\r\n";
    [head.as_bytes(), &vec![b'u'; size], b"\r\n--x--\r\n"]
        .concat()
        .into()
}

fn grant(answer: &Value) -> Person {
    let text = |value: &Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => panic!("{answer}"),
    };
    Person {
        name: text(&answer["user"]["username"]),
        token: text(&answer["access_token"]),
    }
}

/// Number of concurrent requests, so that they share commits.
const AT_ONCE: usize = 32;

/// Makes guests `{prefix}0`, `{prefix}1`, … who join the room.
pub async fn guests(address: SocketAddr, prefix: &str, count: usize, room: i64) -> Vec<Person> {
    let mut makers = Vec::new();
    for first in 0..AT_ONCE {
        let prefix = prefix.to_owned();
        makers.push(tokio::task::spawn_local(async move {
            let mut api = Api::open(address).await;
            let mut people = Vec::new();
            for number in (first..count).step_by(AT_ONCE) {
                let person = api.guest(&format!("{prefix}{number}")).await;
                api.send(
                    "POST",
                    &format!("rooms/{room}/join"),
                    &person.token,
                    Value::Null,
                )
                .await;
                people.push(person);
            }
            people
        }));
    }
    let mut people = Vec::with_capacity(count);
    for maker in makers {
        people.extend(maker.await.expect("guests"));
    }
    people
}

/// Makes a public room. Returns it and its owner.
pub async fn room(address: SocketAddr, name: &str) -> (i64, Person) {
    let mut api = Api::open(address).await;
    let owner = api.register(&format!("{name}-owner")).await;
    let room = api
        .json("POST", "rooms", &owner.token, json!({"name": name}))
        .await;
    (room["id"].as_i64().expect("a room"), owner)
}
