//! Invalid WebSocket frames: each gets an error or a close code, and no other connection is affected.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::support::*;

/// Size limit of a frame, in bytes.
const FRAME_MAX: usize = 64 * 1024;

#[tokio::test]
async fn unparsable_frames_get_an_error_and_keep_the_connection() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    for text in [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\u{feff}{}",
        r#"{"id":"seven","op":"ping"}"#,
        r#"{"id":1.5,"op":"ping"}"#,
        r#"{"id":99999999999999999999,"op":"ping"}"#,
        r#"{"id":[1],"op":"ping"}"#,
        &"[".repeat(20_000),
        r#"{"op":"send","room":1,"content":"\ud800"}"#,
    ] {
        socket.send_raw(text.to_owned().into()).await;
        let told = socket.next("the answer").await;
        assert_eq!(
            (&told["re"], &told["error"]["code"]),
            (&Value::Null, &json!("bad_json")),
            "{text}"
        );
        assert!(!told["error"]["detail"].as_str().unwrap().is_empty());
    }
    socket.ok(json!({ "op": "ping" })).await;
}

#[tokio::test]
async fn malformed_commands_are_refused_with_their_id() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    for op in [
        json!({}),
        json!({ "op": 7 }),
        json!({ "op": "explode" }),
        json!({ "op": "Ping" }),
        json!({ "op": "send" }),
        json!({ "op": "send", "room": 1 }),
        json!({ "op": "send", "content": "x" }),
        json!({ "op": "send", "room": "1", "content": "x" }),
        json!({ "op": "send", "room": 1.5, "content": "x" }),
        json!({ "op": "send", "room": u64::MAX, "content": "x" }),
        json!({ "op": "send", "room": 1, "content": ["x"] }),
        json!({ "op": "send", "room": 1, "content": "x", "uuid": "x" }),
        json!({ "op": "edit", "message": 1 }),
        json!({ "op": "delete" }),
        json!({ "op": "read", "room": 1 }),
        json!({ "op": "resume", "room": 1 }),
        json!({ "op": "resume", "room": 1, "after": null }),
        json!({ "op": "typing" }),
        json!({ "op": "leave", "room": true }),
    ] {
        socket.refused(op, "bad_json").await;
    }
}

#[tokio::test]
async fn invalid_values_are_refused_with_the_field() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    for content in ["", " ", "a\u{0}b", "\u{7}", &"x".repeat(4001)] {
        let error = socket
            .refused(
                json!({ "op": "send", "room": 1, "content": content }),
                "invalid",
            )
            .await;
        assert_eq!(error["field"], "content");
    }
    let error = socket
        .refused(
            json!({ "op": "send", "room": 1, "content": "x", "sent_at": "x" }),
            "invalid",
        )
        .await;
    assert_eq!(error["field"], "sent_at");
    for room in [0, -1, 99, i64::MAX, i64::MIN] {
        socket
            .refused(
                json!({ "op": "send", "room": room, "content": "x" }),
                "not_found",
            )
            .await;
        socket
            .refused(
                json!({ "op": "resume", "room": room, "after": 0 }),
                "not_found",
            )
            .await;
        socket
            .refused(
                json!({ "op": "read", "room": room, "message": 1 }),
                "not_found",
            )
            .await;
        socket
            .refused(json!({ "op": "delete", "message": room }), "not_found")
            .await;
        socket
            .refused(
                json!({ "op": "edit", "message": room, "content": "x" }),
                "not_found",
            )
            .await;
        // Typing in and leaving an unknown room have no effect and are no errors.
        socket.ok(json!({ "op": "typing", "room": room })).await;
        socket.ok(json!({ "op": "leave", "room": room })).await;
    }
    assert!(ann.history(1).await.is_empty());
}

#[tokio::test]
async fn commands_without_an_id_get_no_answer_but_errors() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.watch(1).await;
    socket
        .send_raw(
            json!({ "op": "send", "room": 1, "content": "x", "unknown": [1] })
                .to_string()
                .into(),
        )
        .await;
    socket.event("message").await;
    socket
        .send_raw(json!({ "op": "ping", "id": null }).to_string().into())
        .await;
    // Errors are reported even without an id.
    socket
        .send_raw(
            json!({ "op": "send", "room": 99, "content": "x" })
                .to_string()
                .into(),
        )
        .await;
    let told = socket
        .wait("a refusal", |frame| frame["error"].is_object())
        .await;
    assert_eq!(
        (&told["re"], &told["error"]["code"]),
        (&Value::Null, &json!("not_found"))
    );
    let rest = socket.events().await;
    assert!(
        rest.iter().all(|frame| frame["event"] == "presence"),
        "{rest:?}"
    );
}

#[tokio::test]
async fn protocol_violations_close_only_their_own_connection() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut other = bob.watch(1).await;
    let text = |bytes: Vec<u8>, last: bool| {
        Message::Frame(Frame::message(bytes, OpCode::Data(Data::Text), last))
    };
    let more = |bytes: Vec<u8>, last: bool| {
        Message::Frame(Frame::message(bytes, OpCode::Data(Data::Continue), last))
    };
    let half = vec![b' '; FRAME_MAX / 2 + 1];
    for (frames, code) in [
        (vec![Message::Binary(vec![0; 10].into())], 1003),
        (vec![text(vec![b' '; FRAME_MAX + 1], true)], 1009),
        (vec![text(half.clone(), false), more(half, true)], 1009),
        (vec![text(vec![0xff, 0xfe], true)], 1007),
        (
            vec![text(vec![b'{', 0xc3], false), more(vec![0x28], true)],
            1007,
        ),
        (vec![more(vec![b'x'], true)], 1002),
        (vec![text(vec![b'x'], false), text(vec![b'y'], true)], 1002),
        (
            vec![Message::Frame(Frame::message(
                vec![],
                OpCode::Data(Data::Reserved(3)),
                true,
            ))],
            1002,
        ),
        (vec![Message::Close(None)], 1005),
    ] {
        let mut socket = ann.watch(1).await;
        let told = format!("{frames:?}");
        for frame in frames {
            socket.send_raw(frame).await;
        }
        assert_eq!(
            socket.closed().await,
            code,
            "{}",
            &told[..told.len().min(200)]
        );
        ann.say(1, "still here").await;
        other.event("message").await;
    }
    // A frame of exactly the maximum size is accepted.
    let mut socket = ann.connect().await;
    let mut ping = json!({ "op": "ping", "id": 1 }).to_string();
    ping.push_str(&" ".repeat(FRAME_MAX - ping.len()));
    socket.send_raw(ping.into()).await;
    assert_eq!(socket.answer(1).await, Ok(json!({})));
}

#[tokio::test]
async fn fragments_with_pings_in_between_are_one_frame() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    let text = json!({ "op": "send", "id": 9, "room": 1, "content": "äöü" })
        .to_string()
        .into_bytes();
    // Two fragments of one text frame.
    let (first, rest) = text.split_at(text.len() - 4);
    socket
        .send_raw(Message::Frame(Frame::message(
            first.to_vec(),
            OpCode::Data(Data::Text),
            false,
        )))
        .await;
    socket.send_raw(Message::Ping(vec![1, 2, 3].into())).await;
    socket
        .send_raw(Message::Frame(Frame::message(
            rest.to_vec(),
            OpCode::Data(Data::Continue),
            true,
        )))
        .await;
    assert_eq!(socket.answer(9).await.unwrap()["message"]["content"], "äöü");
}

#[tokio::test]
async fn too_many_invalid_frames_close_the_connection() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    for _ in 0..51 {
        socket.send_raw("nonsense".into()).await;
    }
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn connections_are_limited_per_person() {
    let server =
        TestServer::start_with(|config| config.limits.connections_per_user = 2.try_into().ok())
            .await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut first, _second) = (ann.connect().await, ann.connect().await);
    let mut third = Socket::open(server.address, Some(&ann.token)).await;
    assert_eq!(third.closed().await, 1008);
    bob.connect().await;
    first.send_raw(Message::Close(None)).await;
    first.closed().await;
    // The place is free once the server has seen the close.
    loop {
        let mut again = Socket::open(server.address, Some(&ann.token)).await;
        if again.try_next().await.is_some() {
            break;
        }
    }
}
