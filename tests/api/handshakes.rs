//! WebSocket handshakes: authentication and refusals.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::support::*;

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

#[tokio::test]
async fn the_header_or_the_first_frame_authenticates() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    assert_eq!(ann.connect().await.welcome["user"]["id"], ann.id);
    let mut socket = Socket::open(server.address, None).await;
    socket
        .send_raw(
            json!({ "op": "auth", "id": 5, "token": ann.token })
                .to_string()
                .into(),
        )
        .await;
    assert_eq!(
        socket.next("the answer").await,
        json!({ "re": 5, "ok": {} })
    );
    let welcome = socket.next("the welcome").await;
    assert_eq!(
        (&welcome["event"], &welcome["user"]["id"]),
        (&json!("welcome"), &json!(ann.id))
    );
    // Without an id the command gets no answer, but the welcome comes.
    let mut socket = Socket::open(server.address, None).await;
    socket
        .send_raw(
            json!({ "op": "auth", "token": ann.token })
                .to_string()
                .into(),
        )
        .await;
    assert_eq!(socket.next("the welcome").await["event"], "welcome");
    // A second `auth` is refused.
    socket
        .refused(json!({ "op": "auth", "token": ann.token }), "bad_json")
        .await;
    socket.ok(json!({ "op": "ping" })).await;
}

#[tokio::test]
async fn handshakes_with_an_invalid_token_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for token in ["", "x", &ann.refresh_token] {
        assert_eq!(
            Socket::try_open(server.address, &bearer(token)).await.err(),
            Some(401),
            "{token}"
        );
    }
    ann.call("POST", "auth/logout", None).await.done();
    assert_eq!(
        Socket::try_open(server.address, &bearer(&ann.token))
            .await
            .err(),
        Some(401)
    );
}

#[tokio::test]
async fn a_first_frame_without_a_valid_token_closes_the_connection() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (frame, code) in [
        (
            json!({ "op": "auth", "token": "x" }).to_string(),
            "token_invalid",
        ),
        (
            json!({ "op": "auth", "token": ann.refresh_token }).to_string(),
            "token_invalid",
        ),
        (json!({ "op": "auth" }).to_string(), "unauthenticated"),
        (
            json!({ "op": "send", "room": 1, "content": "x" }).to_string(),
            "unauthenticated",
        ),
        ("{".to_owned(), "unauthenticated"),
        (String::new(), "unauthenticated"),
    ] {
        let mut socket = Socket::open(server.address, None).await;
        socket.send_raw(frame.clone().into()).await;
        let told = socket.next("the refusal").await;
        assert_eq!(
            (&told["re"], &told["error"]["code"]),
            (&Value::Null, &json!(code)),
            "{frame}"
        );
        assert_eq!(socket.closed().await, 4001, "{frame}");
    }
    let mut socket = Socket::open(server.address, None).await;
    socket.send_raw(Message::Binary(vec![1].into())).await;
    assert_eq!(socket.closed().await, 1003);
    assert!(ann.history(1).await.is_empty());
}

#[tokio::test]
async fn unauthenticated_connections_are_closed_after_five_seconds() {
    let server = TestServer::start().await;
    let mut socket = Socket::open(server.address, None).await;
    skip(Duration::from_secs(4)).await;
    server.anybody().get("server").await.ok(200);
    skip(Duration::from_secs(1)).await;
    assert_eq!(socket.closed().await, 4004);
}

#[tokio::test]
async fn invalid_handshakes_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let plain = ann.get("ws").await;
    plain.refused(426, "upgrade_required");
    assert_eq!(
        (
            plain.header("upgrade"),
            plain.header("sec-websocket-version")
        ),
        ("websocket", "13")
    );
    let with = |version: &str, key: &str| {
        format!(
            "GET /api/v1/ws HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nupgrade: websocket\r\n\
             connection: upgrade\r\nsec-websocket-version: {version}\r\nsec-websocket-key: {key}\r\n\r\n",
            ann.token
        )
    };
    for (version, key, status) in [
        ("12", "dGhlIHNhbXBsZSBub25jZQ==", "426"),
        ("13", "short", "400"),
        ("13", "", "400"),
    ] {
        let answer = first_line(server.address, &with(version, key)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}
