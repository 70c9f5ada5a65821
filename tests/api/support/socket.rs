//! A native WebSocket client: sends commands, waits for events, never sleeps.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{DEADLINE, within};

pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Frames received while another one was waited for.
    seen: VecDeque<Value>,
    next: i64,
    pub welcome: Value,
    /// Close code of the server, once [`Socket::try_next`] has reached it.
    pub end: u16,
}

impl Socket {
    /// Connects; a token is sent in the header.
    pub async fn open(address: SocketAddr, token: Option<&str>) -> Self {
        let headers = token.map(|token| ("authorization", format!("Bearer {token}")));
        Self::try_open(address, headers.as_slice()).await.unwrap()
    }

    /// Connects with these headers; returns the status of a refusal.
    pub async fn try_open(
        address: SocketAddr,
        headers: &[(&'static str, String)],
    ) -> Result<Self, u16> {
        let tcp = TcpStream::connect(address).await.unwrap();
        Self::shake_hands(tcp, address, headers).await
    }

    /// Connects with a receive buffer so small that the server notices soon when the client stops reading.
    pub async fn open_narrow(address: SocketAddr, token: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let tcp = socket.connect(address).await.unwrap();
        let headers = [("authorization", format!("Bearer {token}"))];
        Self::shake_hands(tcp, address, &headers).await.unwrap()
    }

    async fn shake_hands(
        tcp: TcpStream,
        address: SocketAddr,
        headers: &[(&'static str, String)],
    ) -> Result<Self, u16> {
        tcp.set_nodelay(true).unwrap();
        let url = format!("ws://{address}/api/v1/ws");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let opening = tokio_tungstenite::client_async(request, tcp);
        match within("the handshake", opening).await {
            Ok((stream, _)) => Ok(Self {
                stream,
                seen: VecDeque::new(),
                next: 1,
                welcome: Value::Null,
                end: 0,
            }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    pub async fn send_raw(&mut self, frame: Message) {
        within("sending", self.stream.send(frame)).await.unwrap();
    }

    /// Sends a command without waiting; returns its request id.
    pub async fn send(&mut self, mut op: Value) -> i64 {
        let id = self.next;
        self.next += 1;
        op["id"] = id.into();
        self.send_raw(op.to_string().into()).await;
        id
    }

    /// Sends a command and waits for its response.
    pub async fn ask(&mut self, op: Value) -> Result<Value, Value> {
        let id = self.send(op).await;
        self.answer(id).await
    }

    /// Sends a command and asserts success.
    pub async fn ok(&mut self, op: Value) -> Value {
        let asked = op.to_string();
        self.ask(op)
            .await
            .unwrap_or_else(|error| panic!("{asked} → {error}"))
    }

    /// Sends a command and asserts an error with that code, which is returned.
    pub async fn refused(&mut self, op: Value, code: &str) -> Value {
        let asked = op.to_string();
        let error = self.ask(op).await.expect_err(&asked);
        assert_eq!(error["code"], code, "{asked} → {error}");
        error
    }

    /// Waits for the response to a request id.
    pub async fn answer(&mut self, id: i64) -> Result<Value, Value> {
        let mut frame = self.wait("an answer", |frame| frame["re"] == id).await;
        if frame["error"].is_null() {
            Ok(frame["ok"].take())
        } else {
            Err(frame["error"].take())
        }
    }

    /// Waits for the next event of that name; other frames are kept.
    pub async fn event(&mut self, name: &str) -> Value {
        self.wait(name, |frame| frame["event"] == name).await
    }

    /// Waits for the first frame for which `fits` is true; other frames are kept.
    pub async fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.seen.iter().position(&fits) {
            return self.seen.remove(place).unwrap();
        }
        let reading = async {
            loop {
                let frame = read(&mut self.stream, what).await;
                if fits(&frame) {
                    return frame;
                }
                self.seen.push_back(frame);
            }
        };
        match timeout(DEADLINE, reading).await {
            Ok(frame) => frame,
            Err(_) => panic!("{what} did not come in time, only {:?}", self.seen),
        }
    }

    /// Returns the next frame of any kind.
    pub async fn next(&mut self, what: &str) -> Value {
        match self.seen.pop_front() {
            Some(frame) => frame,
            None => within(what, read(&mut self.stream, what)).await,
        }
    }

    /// Returns the next frame, or `None` if the connection ends.
    pub async fn try_next(&mut self) -> Option<Value> {
        if let Some(frame) = self.seen.pop_front() {
            return Some(frame);
        }
        let text = self.try_next_text().await?;
        serde_json::from_str(&text).ok()
    }

    /// Like [`Self::try_next`], as raw text and without the kept frames.
    pub async fn try_next_text(&mut self) -> Option<Utf8Bytes> {
        let reading = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Some(text),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(frame))) => {
                        self.end = frame.map_or(1005, |frame| frame.code.into());
                        return None;
                    }
                    _ => return None,
                }
            }
        };
        within("a frame or the end", reading).await
    }

    /// Sends a command; returns its request id, or `None` if the connection has ended.
    pub async fn try_send(&mut self, mut op: Value) -> Option<i64> {
        let id = self.next;
        self.next += 1;
        op["id"] = id.into();
        let sending = self.stream.send(op.to_string().into());
        within("sending", sending).await.ok().map(|()| id)
    }

    /// Waits until the server closes; returns the close code, or 0 if there is none. Other frames are kept.
    pub async fn closed(&mut self) -> u16 {
        let closing = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        return frame.map_or(1005, |frame| frame.code.into());
                    }
                    Some(Ok(Message::Text(text))) => {
                        self.seen.push_back(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return 0,
                }
            }
        };
        within("the close", closing).await
    }

    /// Takes the kept frames.
    pub fn taken(&mut self) -> Vec<Value> {
        self.seen.drain(..).collect()
    }

    /// Waits for a ping of the server. Other frames are kept.
    pub async fn pinged(&mut self) {
        loop {
            match within("a ping", self.stream.next()).await {
                Some(Ok(Message::Ping(_))) => return,
                Some(Ok(Message::Text(text))) => {
                    self.seen.push_back(serde_json::from_str(&text).unwrap());
                }
                other => panic!("waiting for a ping: {other:?}"),
            }
        }
    }

    /// Returns all frames so far: everything queued before the response to a ping.
    pub async fn events(&mut self) -> Vec<Value> {
        self.ok(json!({ "op": "ping" })).await;
        self.seen.drain(..).collect()
    }

    /// Resumes a room page by page until it is live; returns all messages.
    pub async fn resume_all(&mut self, room: i64, after: i64) -> Vec<Value> {
        let (mut after, mut all) = (after, Vec::new());
        loop {
            let page = self
                .ok(json!({ "op": "resume", "room": room, "after": after }))
                .await;
            assert_eq!(page["reset"], false, "{page}");
            let messages = page["messages"].as_array().unwrap();
            all.extend(messages.iter().cloned());
            if page["more"] == false {
                return all;
            }
            assert_eq!(messages.len(), 200);
            after = messages[199]["change_id"].as_i64().unwrap();
        }
    }
}

async fn read(stream: &mut WebSocketStream<TcpStream>, what: &str) -> Value {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("waiting for {what}: {other:?}"),
        }
    }
}
