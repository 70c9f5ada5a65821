//! Log lines for failed logins, slow requests, and ended connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::serve::{Process, ask};

const PROXY: (&str, &str) = ("PARLOR_SERVER__TRUSTED_PROXIES", "127.0.1.1");

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn log_in(name: &str, password: &str) -> String {
    let body = serde_json::json!({"username": name, "password": password});
    post("/api/v1/auth/login", "", &body.to_string())
}

/// Sends a request and returns the complete response.
fn whole(server: &Process, request: &str) -> String {
    let request = request.replacen("Host:", "Connection: close\r\nHost:", 1);
    let mut tcp = server.connect_from(2);
    tcp.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    answer
}

fn begins(mut tcp: &TcpStream, with: &str) {
    let mut start = vec![0; with.len()];
    tcp.read_exact(&mut start).unwrap();
    assert_eq!(String::from_utf8_lossy(&start), with);
}

#[test]
fn the_listening_address_is_logged() {
    let server = Process::start_by(":", &[]);
    let line = server.logged("listening");
    assert_eq!(line["address"], server.address.to_string());
}

#[test]
fn requests_are_logged_with_client_proxy_and_request_id() {
    let server = Process::start_by(":", &[PROXY]);
    let request = "GET /healthz?secret HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.168.7.7\r\nX-Request-Id: abc-123\r\n\r\n";
    for (from, client, proxy, id) in [
        (1, "192.168.7.7", Value::from("127.0.1.1"), Some("abc-123")),
        (2, "127.0.1.2", Value::Null, None),
    ] {
        let answer = ask(&mut server.connect_from(from), request);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let line = server.logged("request");
        assert_eq!(line["client"], client, "{line}");
        assert_eq!(line["proxy"], proxy, "{line}");
        assert_eq!(line["path"], "/healthz");
        let logged = line["span"]["request_id"].as_str().unwrap();
        match id {
            Some(id) => assert_eq!(logged, id),
            None => assert_eq!(logged.len(), 16, "{line}"),
        }
    }
    let answer = whole(&server, request);
    let line = server.logged("request");
    let id = line["span"]["request_id"].as_str().unwrap();
    assert!(
        answer.contains(&format!("x-request-id: {id}\r\n")),
        "{answer}"
    );
}

#[test]
fn failed_logins_are_logged_with_name_reason_and_request_id() {
    let server = Process::start_by(":", &[("PARLOR_LIMITS__LOGIN_PER_MINUTE", "2")]);
    let register = r#"{"username":"ann","password":"correct horse"}"#;
    whole(&server, &post("/api/v1/auth/register", "", register));
    whole(&server, &log_in("ann", "correct horse"));
    let line = server.logged("logged in");
    assert_eq!(
        (&line["name"], &line["client"]),
        (&"ann".into(), &"127.0.1.2".into())
    );
    let long = "x".repeat(500);
    for (name, logged, reason) in [
        ("ann", "ann", "wrong password"),
        (
            "eve\u{1b}[31m\nroot",
            "eve\u{fffd}[31m\u{fffd}root",
            "no account has this name",
        ),
        (&long, &long[..100], "no account has this name"),
    ] {
        let answer = whole(&server, &log_in(name, "wrong"));
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        let line = server.logged("login failed");
        assert_eq!(line["name"], logged);
        assert_eq!(line["reason"], reason);
        assert_eq!(line["client"], "127.0.1.2");
        let request = server.logged("request");
        assert_eq!(line["span"]["request_id"], request["span"]["request_id"]);
    }
    for _ in 0..2 {
        whole(&server, &log_in("ann", "wrong"));
    }
    while server.logged("login failed")["reason"] != "too many failed logins" {}
}

#[test]
fn the_end_of_a_websocket_is_logged_with_its_cause() {
    let server = Process::start_by(":", &[]);
    let mut tcp = server.connect_from(3);
    let handshake = "GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    tcp.write_all(handshake.as_bytes()).unwrap();
    begins(&tcp, "HTTP/1.1 101");
    let request = server.logged("request");
    // A close frame with code 1001, masked with zeros.
    tcp.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])
        .unwrap();
    let line = server.logged("WebSocket ended");
    assert_eq!(line["cause"], "closed by the client (1001)");
    assert_eq!(line["path"], "/api/v1/ws");
    assert_eq!(line["client"], "127.0.1.3");
    assert_eq!(line["request_id"], request["span"]["request_id"]);
    assert!(line["seconds"].is_number(), "{line}");
}

#[test]
fn a_long_poll_is_not_slow_and_its_session_end_is_logged() {
    let server = Process::start_by(":", &[]);
    let path = "/socket.io/?EIO=4&transport=polling";
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let opened = whole(&server, &get(path));
    let opening = server.logged("request");
    assert!(opening["ms"].is_number(), "{opening}");
    let sid = opened
        .split("\"sid\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let path = format!("{path}&sid={sid}");
    let mut waiting = server.connect_from(2);
    waiting.write_all(get(&path).as_bytes()).unwrap();
    // The client closes, and the poll is answered; the two may be logged in either order.
    let goodbye = whole(&server, &post(&path, "", "1"));
    assert!(goodbye.starts_with("HTTP/1.1 200"), "{goodbye}");
    let ended = server.logged("polling session ended");
    assert_eq!(ended["cause"], "closed by the client");
    assert_eq!(ended["request_id"], opening["span"]["request_id"]);
    begins(&waiting, "HTTP/1.1 200");
    let poll = (0..2)
        .map(|_| server.logged("request"))
        .find(|line| line["method"] == "GET");
    let poll = poll.unwrap();
    assert!(
        poll["ms"].is_null() && poll["waited_ms"].is_number(),
        "{poll}"
    );
}
