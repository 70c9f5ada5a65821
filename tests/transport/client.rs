//! Minimal clients: an HTTP request, a WebSocket, a polling session.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Waits for a future, for at most 100 s of the test's own clock.
pub async fn within<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(100);
    tokio::time::timeout(limit, future)
        .await
        .expect("took too long")
}

/// Response to an HTTP request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Asserts 200 and returns the packets of the payload.
    pub fn packets(&self) -> Vec<&str> {
        assert_eq!(self.status, 200, "{self:?}");
        self.body.split('\u{1e}').collect()
    }
}

/// Connects without delay: the kernel must not hold data back, because its clock does not pause.
pub async fn dial(addr: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(addr).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

/// Sends a request's bytes and reads the response until the server closes.
pub async fn exchange(addr: SocketAddr, request: &[u8]) -> Answer {
    let mut tcp = dial(addr).await;
    tcp.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    within(tcp.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("no answer");
    Answer {
        status: head[9..12].parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Sends a request with headers (each ending in CRLF) and a body.
pub async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Answer {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(addr, request.as_bytes()).await
}

pub async fn get(addr: SocketAddr, path: &str) -> Answer {
    request(addr, "GET", path, "", "").await
}

/// A polling session.
#[derive(Clone)]
pub struct Poller {
    pub addr: SocketAddr,
    /// Payload of the server's open packet.
    pub opened: Value,
    path: &'static str,
    pub sid: String,
}

impl Poller {
    /// Opens a session at `/<path>/`.
    pub async fn open(addr: SocketAddr, path: &'static str) -> Self {
        Self::open_with(addr, path, "").await
    }

    pub async fn open_with(addr: SocketAddr, path: &'static str, headers: &str) -> Self {
        let target = format!("/{path}/?EIO=4&transport=polling");
        let answer = request(addr, "GET", &target, headers, "").await;
        let opened: Value =
            serde_json::from_str(answer.packets()[0].strip_prefix('0').unwrap()).unwrap();
        let sid = opened["sid"].as_str().unwrap().to_owned();
        Self {
            addr,
            opened,
            path,
            sid,
        }
    }

    pub fn target(&self) -> String {
        format!("/{}/?EIO=4&transport=polling&sid={}", self.path, self.sid)
    }

    pub async fn poll(&self) -> Answer {
        get(self.addr, &self.target()).await
    }

    /// Polls until a payload has packets other than pings; pings are answered.
    pub async fn hear(&self) -> Vec<String> {
        loop {
            let answer = self.poll().await;
            let packets = answer.packets().into_iter();
            let (pings, others): (Vec<_>, Vec<_>) = packets.partition(|packet| *packet == "2");
            if !pings.is_empty() {
                self.say("3").await;
            }
            if !others.is_empty() {
                return others.into_iter().map(str::to_owned).collect();
            }
        }
    }

    pub async fn post(&self, body: &str) -> Answer {
        request(self.addr, "POST", &self.target(), "", body).await
    }

    /// Posts packets and asserts that they are accepted.
    pub async fn say(&self, body: &str) {
        let answer = self.post(body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }

    /// Opens a WebSocket for this session, to upgrade to it.
    pub async fn websocket(&self) -> Socket {
        let target = format!("/{}/?EIO=4&transport=websocket&sid={}", self.path, self.sid);
        Socket::connect(self.addr, &target).await.unwrap()
    }

    /// Upgrades to a WebSocket as the protocol describes.
    pub async fn upgrade(&self) -> Socket {
        let mut socket = self.websocket().await;
        socket.say("2probe").await;
        assert_eq!(socket.hear().await, "3probe");
        assert_eq!(self.poll().await.packets(), ["6"]);
        socket.say("5").await;
        socket
    }
}

pub struct Socket(pub WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a WebSocket; the error is the status of a refusal.
    pub async fn connect(addr: SocketAddr, path: &str) -> Result<Self, u16> {
        let tcp = dial(addr).await;
        let url = format!("ws://{addr}{path}");
        let connecting = tokio_tungstenite::client_async(url, tcp);
        match within(connecting).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a session at `/<path>/` and returns the payload of the open packet.
    pub async fn open(addr: SocketAddr, path: &str) -> (Self, Value) {
        let target = format!("/{path}/?EIO=4&transport=websocket");
        let mut socket = Self::connect(addr, &target).await.unwrap();
        let opened = socket.hear().await;
        let opened = serde_json::from_str(opened.strip_prefix('0').unwrap()).unwrap();
        (socket, opened)
    }

    pub async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub async fn give(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Waits for the next message.
    pub async fn next(&mut self) -> Message {
        within(self.0.next()).await.unwrap().unwrap()
    }

    /// Waits for the next text message.
    pub async fn hear(&mut self) -> String {
        self.next().await.into_text().unwrap().to_string()
    }

    /// Waits for the next text message other than pings; pings are answered.
    pub async fn hear_past_pings(&mut self) -> String {
        loop {
            match self.hear().await {
                ping if ping == "2" => self.say("3").await,
                other => return other,
            }
        }
    }

    /// Waits until the server closes and returns the close code, 0 if there is none. Other messages are skipped.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match within(self.0.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 0,
            }
        }
    }
}

/// Opens a WebSocket that must be refused and returns the status.
pub async fn refusal(addr: SocketAddr, path: &str) -> u16 {
    Socket::connect(addr, path).await.err().expect("was let in")
}
