//! Memory of the real binary, which has its own allocator.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::serve::Process;

/// Number of concurrent clients.
const CLIENTS: usize = 1500;
/// Deadline for giving memory back. It takes up to a minute; a busy machine may be slower.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn memory_is_given_back_when_clients_leave() {
    let server = Process::start_by(
        "ulimit -n 8192",
        &[("PARLOR_LIMITS__CONNECTIONS_PER_USER", "0")],
    );
    let token = guest(&server);
    // Allocations at the first client are permanent and do not count.
    drop(open(&server, &token, 0));
    let at_most = server.resident_memory() * 12 / 10;
    for _ in 0..2 {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| open(&server, &token, number))
            .collect();
        assert!(server.resident_memory() > at_most, "too few clients");
        drop(clients);
    }
    let deadline = Instant::now() + PATIENCE;
    while server.resident_memory() > at_most {
        let resident = server.resident_memory();
        assert!(Instant::now() < deadline, "{resident} of {at_most} KiB");
        // A new connection each time, and a response to wait for.
        request(&server, "GET", "/healthz", "");
    }
}

/// Registers a guest and returns the access token.
fn guest(server: &Process) -> String {
    let answer = request(
        server,
        "POST",
        "/api/v1/auth/guest",
        r#"{"username": "ann"}"#,
    );
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let body: Value = serde_json::from_str(body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn request(server: &Process, method: &str, path: &str, body: &str) -> String {
    let mut tcp = server.connect_from(1);
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    tcp.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    answer
}

/// Opens a native WebSocket and waits for its welcome.
fn open(server: &Process, token: &str, number: usize) -> TcpStream {
    let mut tcp = server.connect_from((number % 200 + 1) as u8);
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    tcp.write_all(request.as_bytes()).unwrap();
    let mut read = Vec::new();
    while !read.windows(7).any(|part| part == b"welcome") {
        let mut part = [0; 4096];
        let length = tcp.read(&mut part).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&part[..length]);
    }
    tcp
}
