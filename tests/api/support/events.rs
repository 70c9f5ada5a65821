//! A minimal Socket.IO client over WebSocket: emits, waits for events, never sleeps.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::within;

/// An open Socket.IO connection in the main namespace.
pub struct EventSocket {
    stream: WebSocketStream<TcpStream>,
    /// Events received while another one was waited for.
    seen: VecDeque<(String, Value)>,
    acks: u64,
}

impl EventSocket {
    /// Connects with a token in the CONNECT packet.
    pub async fn open(address: SocketAddr, token: &str) -> Self {
        Self::try_open(address, json!({"token": token}))
            .await
            .unwrap()
    }

    /// Connects with that `auth`; returns the message of a refusal.
    pub async fn try_open(address: SocketAddr, auth: Value) -> Result<Self, String> {
        Self::try_open_with(address, auth, &[]).await
    }

    /// Like [`Self::try_open`], with additional headers.
    pub async fn try_open_with(
        address: SocketAddr,
        auth: Value,
        headers: &[(&'static str, String)],
    ) -> Result<Self, String> {
        let tcp = TcpStream::connect(address).await.unwrap();
        let mut socket = Self::begin_with(tcp, headers).await;
        socket.send_raw(format!("40{auth}")).await;
        let answer = socket.packet("the answer to CONNECT").await;
        match answer.strip_prefix("44") {
            None => Ok(socket),
            Some(refusal) => {
                let refusal: Value = serde_json::from_str(refusal).unwrap();
                Err(refusal["message"].as_str().unwrap().to_owned())
            }
        }
    }

    /// Connects with a receive buffer so small that the server notices soon when the client stops reading.
    pub async fn open_narrow(address: SocketAddr, token: &str) -> Self {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(4096).unwrap();
        let mut socket = Self::begin(tcp.connect(address).await.unwrap()).await;
        socket
            .send_raw(format!("40{}", json!({ "token": token })))
            .await;
        socket
    }

    /// Opens a session without sending CONNECT.
    pub async fn begin(tcp: TcpStream) -> Self {
        Self::begin_with(tcp, &[]).await
    }

    async fn begin_with(tcp: TcpStream, headers: &[(&'static str, String)]) -> Self {
        let address = tcp.peer_addr().unwrap();
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let opening = tokio_tungstenite::client_async(request, tcp);
        let (stream, _) = within("the handshake", opening).await.unwrap();
        let mut socket = Self {
            stream,
            seen: VecDeque::new(),
            acks: 0,
        };
        assert!(socket.packet("the open packet").await.starts_with('0'));
        socket
    }

    /// Sends an event with one value.
    pub async fn emit(&mut self, name: &str, value: Value) {
        self.send_raw(format!("42{}", json!([name, value]))).await;
    }

    /// Sends an event without a value.
    pub async fn emit_bare(&mut self, name: &str) {
        self.send_raw(format!("42{}", json!([name]))).await;
    }

    pub async fn send_raw(&mut self, packet: String) {
        within("sending", self.stream.send(Message::text(packet)))
            .await
            .unwrap();
    }

    /// Sends a binary attachment.
    pub async fn give(&mut self, bytes: &[u8]) {
        let message = Message::binary(bytes.to_vec());
        within("sending", self.stream.send(message)).await.unwrap();
    }

    /// Waits for the next event of that name and returns its first value; other events are kept.
    pub async fn event(&mut self, name: &str) -> Value {
        if let Some(place) = self.seen.iter().position(|(seen, _)| seen == name) {
            return self.seen.remove(place).unwrap().1;
        }
        // One deadline around the loop, since pings never stop.
        within(name, async {
            loop {
                let (got, value) = self.read(name).await;
                if got == name {
                    return value;
                }
                self.seen.push_back((got, value));
            }
        })
        .await
    }

    /// Returns all events received so far: everything queued before the answer to a probe.
    pub async fn events(&mut self) -> Vec<(String, Value)> {
        self.acks += 1;
        let mark = format!("nothing-{}", self.acks);
        self.emit_bare(&mark).await;
        let mut events: Vec<_> = self.seen.drain(..).collect();
        loop {
            let (name, value) = self.read("the answer to an unknown event").await;
            if name == "error" && value["code"] == 0 {
                return events;
            }
            events.push((name, value));
        }
    }

    /// Waits until the server closes; returns whether it sent DISCONNECT, so that the client does not reconnect.
    pub async fn closed(&mut self) -> bool {
        let mut stay_away = false;
        within("the end", async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => stay_away |= text.as_str() == "41",
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return stay_away,
                    Some(Ok(_)) => {}
                }
            }
        })
        .await
    }

    /// Waits until the server closes and returns the close code.
    pub async fn close_code(&mut self) -> u16 {
        within("the end", async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                    Some(Ok(_)) => {}
                    end => panic!("ended without a close frame: {end:?}"),
                }
            }
        })
        .await
    }

    async fn read(&mut self, what: &str) -> (String, Value) {
        loop {
            let packet = self.packet(what).await;
            let Some(event) = packet.strip_prefix("42") else {
                continue;
            };
            let mut values: Vec<Value> = serde_json::from_str(event).unwrap();
            let value = if values.len() > 1 {
                values.swap_remove(1)
            } else {
                Value::Null
            };
            return (values[0].as_str().unwrap().to_owned(), value);
        }
    }

    /// Returns the next packet that is not a ping; pings are answered.
    pub async fn packet(&mut self, what: &str) -> String {
        within(what, async {
            loop {
                let message = self.stream.next().await;
                let message = message.unwrap_or_else(|| panic!("closed, waiting for {what}"));
                match message.unwrap() {
                    Message::Text(text) if text.as_str() == "2" => {
                        self.send_raw("3".to_owned()).await
                    }
                    Message::Text(text) => return text.as_str().to_owned(),
                    Message::Close(frame) => panic!("closed with {frame:?}, waiting for {what}"),
                    _ => {}
                }
            }
        })
        .await
    }
}
