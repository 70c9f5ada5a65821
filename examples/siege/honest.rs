//! Honest clients, which chat like people and check the messages that they receive.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::http::{connect, send, upload};
use super::payloads::{form, png};

/// Time after the end of sending in which messages may still arrive.
const GRACE: Duration = Duration::from_secs(20);
/// Messages per second of all honest clients together.
const MESSAGES_PER_SECOND: u32 = 50;
pub const PASSWORD: &str = "a long and honest password";

/// Deliveries to all clients together in one measured stretch.
#[derive(Default)]
pub struct Heard {
    pub delivered: usize,
    pub lost: usize,
    pub doubled: usize,
    pub misordered: usize,
    /// Latencies of all deliveries in milliseconds, ascending.
    latencies: Vec<f64>,
}

impl Heard {
    /// Returns the latency quantile at `share`, in milliseconds.
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).copied().unwrap_or(f64::NAN)
    }

    pub fn is_broken(&self) -> bool {
        self.delivered == 0 || self.lost + self.doubled + self.misordered > 0
    }
}

/// Connected clients that all watch one public room.
pub struct Audience {
    pub room: i64,
    address: SocketAddr,
    /// Access tokens of members that use pages and the API.
    workers: Vec<String>,
    clients: Vec<mpsc::Sender<String>>,
    log: Rc<RefCell<Log>>,
}

#[derive(Default)]
struct Log {
    /// Time of sending for each text.
    sent: HashMap<String, Instant>,
    /// For each client, the number of deliveries of each text.
    heard: Vec<BTreeMap<String, u32>>,
    /// For each client, the newest message id received.
    newest: Vec<i64>,
    misordered: usize,
    latencies: Vec<f64>,
    number: u64,
}

impl Audience {
    /// Registers and connects `count` clients, each from its own address, that watch a new room.
    pub async fn gather(address: SocketAddr, count: u8) -> Self {
        let owner_at = Ipv4Addr::new(127, 0, 2, 250);
        let owner = register(owner_at, address, "owner").await;
        let new_room = json!({"name": "Honest room"});
        let room = send(
            owner_at,
            address,
            ("POST", "/api/v1/rooms"),
            Some(&owner),
            &new_room,
        )
        .await;
        let room = room.expect("a room").json()["id"].as_i64().expect("its id");
        let mut audience = Self {
            room,
            address,
            workers: Vec::new(),
            clients: Vec::new(),
            log: Rc::default(),
        };
        for number in 1..=count {
            let from = Ipv4Addr::new(127, 0, 2, number);
            let name = format!("honest{number}");
            let guest = send(
                from,
                address,
                ("POST", "/api/v1/auth/guest"),
                None,
                &json!({"username": name}),
            )
            .await;
            let token = guest.expect("a guest").json()["access_token"]
                .as_str()
                .expect("a token")
                .to_owned();
            let join = format!("/api/v1/rooms/{room}/join");
            send(from, address, ("POST", &join), Some(&token), &Value::Null)
                .await
                .expect("joins");
            audience.add(from, address, &token).await;
        }
        for number in 0..10 {
            let token = register(owner_at, address, &format!("worker{number}")).await;
            let join = format!("/api/v1/rooms/{room}/join");
            send(
                owner_at,
                address,
                ("POST", &join),
                Some(&token),
                &Value::Null,
            )
            .await
            .expect("joins");
            audience.workers.push(token);
        }
        audience
    }

    /// Uses pages, search, history and uploads concurrently, so that the memory before the attack is that of a busy
    /// server.
    pub async fn use_everything(&self) {
        let using = self.workers.iter().map(|token| async move {
            self.look_around(token).await.expect("answers");
        });
        futures_util::future::join_all(using).await;
    }

    async fn look_around(&self, token: &str) -> io::Result<()> {
        let (from, room) = (Ipv4Addr::new(127, 0, 2, 251), self.room);
        let get = async |path: String| {
            send(
                from,
                self.address,
                ("GET", &path),
                Some(token),
                &Value::Null,
            )
            .await
        };
        let details = get(format!("/api/v1/rooms/{room}")).await?.json();
        let uuid = details["uuid"].as_str().unwrap_or_default();
        for _ in 0..3 {
            get(format!("/chat/{uuid}")).await?;
            get("/api/v1/search?q=honest".to_owned()).await?;
            get(format!("/api/v1/rooms/{room}/messages?limit=200")).await?;
        }
        let picture = form("holiday.png", "image/png", &png(2000));
        upload(from, self.address, room, token, &picture).await?;
        Ok(())
    }

    async fn add(&mut self, from: Ipv4Addr, address: SocketAddr, token: &str) {
        let socket = open(from, address, token).await;
        let (mut write, mut read) = socket.split();
        let (sender, mut queue) = mpsc::channel::<String>(64);
        let client = {
            let mut log = self.log.borrow_mut();
            log.heard.push(BTreeMap::new());
            log.newest.push(0);
            log.newest.len() - 1
        };
        tokio::task::spawn_local(async move {
            while let Some(text) = queue.recv().await {
                write
                    .send(Message::text(text))
                    .await
                    .expect("an honest client is not cut off");
            }
        });
        let log = self.log.clone();
        tokio::task::spawn_local(async move {
            while let Some(Ok(message)) = read.next().await {
                if let Message::Text(text) = message {
                    log.borrow_mut().take(client, &text);
                }
            }
            eprintln!("honest client {client} was cut off");
        });
        let resume = json!({"id": 1, "op": "resume", "room": self.room, "after": 0});
        sender
            .send(resume.to_string())
            .await
            .expect("the client lives");
        self.clients.push(sender);
    }

    /// Makes the clients send in turn for `stretch`, and waits until everything is delivered or the grace time is over.
    pub async fn chat(&self, stretch: Duration) -> Heard {
        let begun = Instant::now();
        let pause = Duration::from_secs(1) / MESSAGES_PER_SECOND;
        let mut texts = Vec::new();
        for (turn, client) in self.clients.iter().cycle().enumerate() {
            if begun.elapsed() >= stretch {
                break;
            }
            let text = self.log.borrow_mut().next_text();
            let frame = json!({"id": turn + 2, "op": "send", "room": self.room, "content": text});
            if client.send(frame.to_string()).await.is_err() {
                eprintln!("a client that sends is gone");
            }
            texts.push(text);
            let due = begun + pause * u32::try_from(turn + 1).unwrap_or(u32::MAX);
            tokio::time::sleep_until(due).await;
        }
        let everything = self.clients.len() * texts.len();
        let _ = timeout(GRACE, async {
            while self.log.borrow().count() < everything {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        self.log.borrow_mut().judge(&texts)
    }
}

impl Log {
    fn next_text(&mut self) -> String {
        self.number += 1;
        let text = format!("honest message {}", self.number);
        self.sent.insert(text.clone(), Instant::now());
        text
    }

    fn take(&mut self, client: usize, frame: &str) {
        if !frame.starts_with(r#"{"event":"message""#) {
            if frame.contains(r#""error""#) {
                eprintln!("refused: {frame}");
            }
            return;
        }
        let event: Value = serde_json::from_str(frame).unwrap_or_default();
        let message = &event["message"];
        let (Some(id), Some(text)) = (message["id"].as_i64(), message["content"].as_str()) else {
            return;
        };
        let Some(sent) = self.sent.get(text) else {
            return;
        };
        self.latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
        if id <= self.newest[client] {
            self.misordered += 1;
        }
        self.newest[client] = self.newest[client].max(id);
        *self.heard[client].entry(text.to_owned()).or_default() += 1;
    }

    fn count(&self) -> usize {
        self.heard.iter().map(BTreeMap::len).sum()
    }

    /// Evaluates the deliveries of `texts` and resets the log.
    fn judge(&mut self, texts: &[String]) -> Heard {
        let mut result = Heard {
            misordered: std::mem::take(&mut self.misordered),
            latencies: std::mem::take(&mut self.latencies),
            ..Heard::default()
        };
        result.latencies.sort_by(f64::total_cmp);
        for heard in &mut self.heard {
            for text in texts {
                match heard.get(text) {
                    None => result.lost += 1,
                    Some(times) => {
                        result.delivered += 1;
                        result.doubled += usize::from(*times > 1);
                    }
                }
            }
            heard.clear();
        }
        self.sent.clear();
        result
    }
}

/// Results of honest logins.
pub struct Logins {
    pub tried: u32,
    pub succeeded: u32,
    pub slowest: Duration,
}

/// Logs in once per second with correct passwords, each time from another address.
pub async fn log_in_each_second(address: SocketAddr, stretch: Duration) -> Logins {
    let begun = Instant::now();
    let mut logins = Logins {
        tried: 0,
        succeeded: 0,
        slowest: Duration::ZERO,
    };
    while begun.elapsed() < stretch {
        let from = Ipv4Addr::new(127, 0, 3, u8::try_from(logins.tried % 200 + 1).unwrap_or(1));
        let body =
            json!({"username": format!("worker{}", logins.tried % 10), "password": PASSWORD});
        let asked = Instant::now();
        let answer = send(from, address, ("POST", "/api/v1/auth/login"), None, &body).await;
        logins.tried += 1;
        logins.slowest = logins.slowest.max(asked.elapsed());
        match answer {
            Ok(answer) if answer.status == 200 => logins.succeeded += 1,
            Ok(answer) => eprintln!("an honest login got {}", answer.status),
            Err(error) => eprintln!("an honest login failed: {error}"),
        }
        sleep(Duration::from_secs(1).saturating_sub(asked.elapsed())).await;
    }
    logins
}

/// Makes an account and returns its access token.
pub async fn register(from: Ipv4Addr, address: SocketAddr, name: &str) -> String {
    let body = json!({"username": name, "password": PASSWORD});
    let answer = send(
        from,
        address,
        ("POST", "/api/v1/auth/register"),
        None,
        &body,
    )
    .await;
    let answer = answer.expect("an answer").json();
    answer["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

/// Opens a native WebSocket.
pub async fn open(from: Ipv4Addr, address: SocketAddr, token: &str) -> WebSocketStream<TcpStream> {
    let tcp = connect(from, address).await.expect("a connection");
    let url = format!("ws://localhost:{}/api/v1/ws", address.port());
    let mut request = url.into_client_request().expect("a request");
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    client_async(request, tcp).await.expect("a WebSocket").0
}
