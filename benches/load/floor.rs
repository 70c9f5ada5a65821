//! The floor: a minimal tokio-tungstenite server that sends every message to all clients. No accounts, rooms or disk.
//! Runs in a separate process.

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Serves until the process is killed.
pub fn serve(address: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind(address).await.expect("the address");
        let (everybody, _) = broadcast::channel(1024);
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(repeat(stream, everybody.clone()));
        }
    });
}

async fn repeat(stream: TcpStream, everybody: broadcast::Sender<Utf8Bytes>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let config = WebSocketConfig::default().read_buffer_size(1024);
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config))
        .await
        .ok()?;
    let mut news = everybody.subscribe();
    socket.send(Message::text("welcome")).await.ok()?;
    loop {
        tokio::select! {
            told = news.recv() => {
                let mut told = match told {
                    Ok(text) => Some(text),
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return None,
                };
                // Sends all waiting messages with one flush.
                while let Some(text) = told {
                    socket.feed(Message::Text(text)).await.ok()?;
                    told = news.try_recv().ok();
                }
                socket.flush().await.ok()?;
            }
            heard = socket.next() => match heard?.ok()? {
                Message::Text(text) => drop(everybody.send(text)),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}
