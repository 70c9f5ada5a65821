//! HTTP requests from chosen loopback addresses, one per connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the body as JSON, or null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Connects to the server from the address `from`.
pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let tcp = socket.connect(to).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// Builds the head of a request that closes its connection.
pub fn head(method: &str, path: &str, token: Option<&str>, kind: &str, length: usize) -> String {
    let bearer = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{bearer}\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Sends one request with a JSON body on a new connection.
pub async fn send(
    from: Ipv4Addr,
    to: SocketAddr,
    request: (&str, &str),
    token: Option<&str>,
    body: &Value,
) -> io::Result<Answer> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let head = head(request.0, request.1, token, "application/json", body.len());
    send_raw(from, to, &[head.as_bytes(), body.as_bytes()].concat()).await
}

/// Uploads a form into a room.
pub async fn upload(
    from: Ipv4Addr,
    to: SocketAddr,
    room: i64,
    token: &str,
    form: &[u8],
) -> io::Result<Answer> {
    let path = format!("/api/v1/rooms/{room}/files");
    let kind = "multipart/form-data; boundary=x";
    let head = head("POST", &path, Some(token), kind, form.len());
    send_raw(from, to, &[head.as_bytes(), form].concat()).await
}

/// Sends a complete request that closes its connection, on a new connection.
pub async fn send_raw(from: Ipv4Addr, to: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let mut tcp = connect(from, to).await?;
    tcp.write_all(request).await?;
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).await?;
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = bytes
        .get(9..12)
        .and_then(|code| std::str::from_utf8(code).ok()?.parse().ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    Ok(Answer {
        status,
        body: bytes.split_off(end + 4),
    })
}
