//! `parlor user` next to a running server, which notices the changes.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlor::model::{RoomId, UserId};
use parlor::store::{OpenOptions, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::user::{Files, PASSWORD};

/// Deadline for a change to take effect. One second is promised; a busy machine may be much slower.
const SOON: Duration = Duration::from_secs(30);

const LOBBY: i64 = RoomId::LOBBY.0;

/// A server running on these files.
struct Running {
    files: Files,
    address: SocketAddr,
    setup_token: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Running {
    async fn start(files: Files) -> Self {
        let server = files.server().await;
        let (address, setup_token) = (server.address(), server.chat().setup_token());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self {
            files,
            address,
            setup_token,
            stop: Some(stop),
            served,
        }
    }

    /// Starts with the admin `ann` and the user `bob`.
    async fn with_people() -> Self {
        Self::start(Files::with_people()).await
    }

    async fn call(&self, request: &str, token: &str, body: &Value) -> (u16, Value) {
        let (method, path) = request.split_once(' ').unwrap();
        let body = body.to_string();
        let request = format!(
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(tcp.read_to_string(&mut answer)).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        self.call(&format!("GET {path}"), token, &Value::Null).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.call(&format!("POST {path}"), token, &body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    async fn try_log_in(&self, name: &str, password: &str) -> (u16, Value) {
        let login = json!({"username": name, "password": password});
        self.call("POST auth/login", "", &login).await
    }

    /// Logs in with [`PASSWORD`] and returns the access token.
    async fn log_in(&self, name: &str) -> String {
        let (status, grant) = self.try_log_in(name, PASSWORD).await;
        assert_eq!(status, 200, "{grant}");
        grant["access_token"].as_str().unwrap().to_owned()
    }

    /// Opens a WebSocket, waits for its welcome and resumes `rooms`.
    async fn connect(&self, token: &str, rooms: &[i64]) -> Client {
        let url = format!("ws://{}/api/v1/ws", self.address);
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let (socket, _) = client_async(request, tcp).await.unwrap();
        let mut client = Client { socket };
        client.until(|frame| frame["event"] == "welcome").await;
        for room in rooms {
            let resume = json!({"id": room, "op": "resume", "room": room, "after": 0});
            client.send(&resume).await;
            client.until(|frame| frame["re"] == *room).await;
        }
        client
    }

    /// Stops the server and waits until it has closed the database.
    async fn stop(mut self) -> Files {
        drop(self.stop.take());
        soon(self.served).await.unwrap();
        self.files
    }
}

struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    async fn send(&mut self, frame: &Value) {
        let text = Message::text(frame.to_string());
        self.socket.send(text).await.unwrap();
    }

    /// Waits for the next frame for which `which` is true.
    async fn until(&mut self, which: impl Fn(&Value) -> bool) -> Value {
        soon(async {
            loop {
                let frame = self.socket.next().await.unwrap().unwrap();
                if let Message::Text(text) = frame {
                    let frame = serde_json::from_str(&text).unwrap();
                    if which(&frame) {
                        return frame;
                    }
                }
            }
        })
        .await
    }

    /// Waits for the server to close and returns the close code.
    async fn close_code(mut self) -> u16 {
        soon(async {
            loop {
                if let Message::Close(why) = self.socket.next().await.unwrap().unwrap() {
                    return why.unwrap().code.into();
                }
            }
        })
        .await
    }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future)
        .await
        .expect("took too long")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_user_can_log_in_at_once_and_is_in_the_lobby() {
    let server = Running::with_people().await;
    let ann = server.log_in("ann").await;
    let mut ann = server.connect(&ann, &[LOBBY]).await;

    server.files.done("add cleo --password-stdin");
    let cleo = server.log_in("cleo").await;
    let joined = ann.until(|frame| frame["event"] == "joined").await;
    assert_eq!(joined["member"]["person"]["username"], "cleo");
    let (_, rooms) = server.get("rooms", &cleo).await;
    assert_eq!(rooms["items"][0]["id"], LOBBY);
    let hello = json!({"content": "hello"});
    server.post("rooms/1/messages", &cleo, hello).await;
    ann.until(|frame| frame["event"] == "message").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_user_closes_connections_and_leaves_rooms() {
    let server = Running::with_people().await;
    let (ann, bob) = (server.log_in("ann").await, server.log_in("bob").await);
    let kitchen = server.post("rooms", &bob, json!({"name": "Kitchen"})).await;
    let kitchen = kitchen["id"].as_i64().unwrap();
    let join = format!("rooms/{kitchen}/join");
    server.post(&join, &ann, json!({})).await;
    let mut watching = server.connect(&ann, &[LOBBY, kitchen]).await;
    let sockets = [
        server.connect(&bob, &[LOBBY, kitchen]).await,
        server.connect(&bob, &[]).await,
    ];

    server.files.done("remove bob");
    assert_eq!(server.get("me", &bob).await.0, 401);
    assert_eq!(server.try_log_in("bob", PASSWORD).await.0, 401);
    for socket in sockets {
        assert_eq!(socket.close_code().await, 4001);
    }
    let mut left = [0; 2];
    for room in &mut left {
        let event = watching.until(|frame| frame["event"] == "left").await;
        assert_eq!(event["reason"], "ended");
        assert_eq!(event["user"]["deleted"], true);
        *room = event["room"].as_i64().unwrap();
    }
    left.sort_unstable();
    assert_eq!(left, [LOBBY, kitchen]);
    let (_, room) = server.get(&format!("rooms/{kitchen}"), &ann).await;
    assert_eq!(room["owner_id"], 1, "it passed on to ann: {room}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_session() {
    let server = Running::with_people().await;
    let (ann, bob) = (server.log_in("ann").await, server.log_in("bob").await);
    let other = server.connect(&ann, &[LOBBY]).await;
    let socket = server.connect(&bob, &[LOBBY]).await;

    let (code, _, err) = server
        .files
        .user_with("passwd bob --password-stdin", "battery staple\n");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(server.get("me", &bob).await.0, 401);
    assert_eq!(server.try_log_in("bob", PASSWORD).await.0, 401);
    assert_eq!(server.try_log_in("bob", "battery staple").await.0, 200);
    assert_eq!(socket.close_code().await, 4001);

    assert_eq!(server.get("me", &ann).await.0, 200);
    let (_, code) = tokio::join!(server.stop(), other.close_code());
    assert_eq!(code, 1012, "it lived until the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_closes_connections_but_keeps_sessions() {
    let server = Running::with_people().await;
    let bob = server.log_in("bob").await;
    let socket = server.connect(&bob, &[LOBBY]).await;
    server.files.done("role bob admin");
    assert_eq!(server.get("me", &bob).await.1["role"], "admin");
    assert_eq!(socket.close_code().await, 1012);
    server.connect(&bob, &[LOBBY]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_the_first_admin_invalidates_the_setup_link() {
    let server = Running::start(Files::new()).await;
    let token = server.setup_token.clone().unwrap();
    assert_eq!(server.get("server", "").await.1["setup"], true);

    server.files.done("add ann --role admin --password-stdin");
    let admin = json!({"token": token, "username": "eve", "password": PASSWORD});
    let (status, problem) = server.call("POST setup", "", &admin).await;
    assert_eq!(
        (status, &problem["code"]),
        (403, &"setup_token".into()),
        "{problem}"
    );
    soon(async { while server.get("server", "").await.1["setup"] == true {} }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rules_hold_next_to_a_server() {
    let server = Running::with_people().await;
    server.log_in("bob").await;
    let list = server.files.list();
    assert_eq!((list.len(), &list[1]["sessions"]), (2, &1.into()));
    for (args, why) in [
        ("add BOB --password-stdin", "username is taken"),
        ("remove ann", "ann is the last admin"),
        ("role ann user", "ann is the last admin"),
    ] {
        assert!(server.files.refused(args).contains(why), "{args}");
    }
    let files = server.stop().await;
    assert_eq!(files.list().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn memberships_are_left_to_the_server() {
    let files = Running::with_people().await.stop().await;
    // Locks the database like a server, but does not react to changed accounts.
    let store = Store::open(&files.db, &OpenOptions::default()).unwrap();
    files.done("add cleo --password-stdin");
    files.done("remove bob");
    let members = store.members(RoomId::LOBBY, UserId(0), 9).await.unwrap();
    let names: Vec<_> = members.iter().map(|one| &one.person.username).collect();
    assert_eq!(names, ["ann", "bob"]);
    store.close().await;
}
