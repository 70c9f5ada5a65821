//! A plain WebSocket of one of the other protocols: JSON frames in and out, never sleeps.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::within;

/// An open WebSocket.
pub struct RawSocket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl RawSocket {
    /// Opens `path`, which may have a query.
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        Self::try_open(address, path).await.unwrap()
    }

    /// Opens `path`; the status if that is refused.
    pub async fn try_open(address: SocketAddr, path: &str) -> Result<Self, u16> {
        Self::try_open_with(address, path, &[]).await
    }

    /// The same with these headers.
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

    /// Sends a frame of JSON.
    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        within("sending", self.0.send(Message::text(text)))
            .await
            .unwrap();
    }

    /// The next text frame, as it is.
    pub async fn text(&mut self) -> String {
        // All of it, since pings come for ever.
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

    /// The next frame as JSON.
    pub async fn next(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Reads on until the server closes; the code and the reason.
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
