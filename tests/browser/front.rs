//! A reverse proxy that refuses uploads with an HTML error page of its own, as nginx does.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A reverse proxy that passes everything except uploads.
pub struct Front {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Front {
    /// Starts a proxy that answers uploads with that status line and an HTML page.
    pub async fn to(server: SocketAddr, status: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, status));
            }
        });
        Self { address, accepting }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, status: &'static str) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(0) | Err(_) => return,
                Ok(n) if is_upload(&up[..n]) => return refuse(client, status).await,
                Ok(n) => if server.write_all(&up[..n]).await.is_err() { return },
            },
            read = server.read(&mut down) => match read {
                Ok(0) | Err(_) => return,
                Ok(n) => if client.write_all(&down[..n]).await.is_err() { return },
            },
        }
    }
}

fn is_upload(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or(bytes);
    line.starts_with(b"POST /api/v1/rooms/") && line.ends_with(b"/files HTTP/1.1")
}

/// Answers at once, then reads until no more data comes; otherwise the client would see a connection reset.
async fn refuse(mut client: TcpStream, status: &str) {
    let body = format!("<html><body><h1>{status}</h1></body></html>");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = client.write_all(answer.as_bytes()).await;
    let mut rest = vec![0; 64 * 1024];
    while let Ok(Ok(1..)) = timeout(Duration::from_secs(5), client.read(&mut rest)).await {}
}
