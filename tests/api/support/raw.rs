//! A plain WebSocket for protocols with JSON frames; never sleeps.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::within;

pub struct RawSocket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl RawSocket {
    /// Opens `path`, which may have a query.
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        Self::try_open(address, path).await.unwrap()
    }

    /// Opens `path`; returns the status of a refusal.
    pub async fn try_open(address: SocketAddr, path: &str) -> Result<Self, u16> {
        Self::try_open_with(address, path, &[]).await
    }

    /// Like [`Self::try_open`], with additional headers.
    pub async fn try_open_with(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, u16> {
        let url = format!("ws://{address}{path}");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let opening = connect_async(request);
        match within("the handshake", opening).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        within("sending", self.0.send(Message::text(text)))
            .await
            .unwrap();
    }

    /// Waits for the next text frame.
    pub async fn text(&mut self) -> String {
        // One deadline around the loop, since pings never stop.
        within("a frame", async {
            loop {
                match self.0.next().await.expect("an open connection").unwrap() {
                    Message::Text(text) => return text.as_str().to_owned(),
                    Message::Close(frame) => panic!("closed with {frame:?}"),
                    _ => {}
                }
            }
        })
        .await
    }

    /// Waits for the next frame and parses it.
    pub async fn next(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Reads until the server closes; returns code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        within("the end", async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return (frame.code.into(), frame.reason.as_str().to_owned());
                    }
                    Some(Ok(_)) => {}
                    other => panic!("ended without a close frame: {other:?}"),
                }
            }
        })
        .await
    }
}
