//! Frames that are wrong: answered or closed with a code, and nobody else is disturbed.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::support::*;

/// The longest frame, bytes.
const FRAME_MAX: usize = 64 * 1024;

#[tokio::test]
async fn a_frame_that_cannot_be_read_is_answered_and_the_connection_lives() {
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
async fn an_op_that_is_wrong_is_refused_under_its_number() {
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
async fn a_value_that_is_wrong_is_refused_with_its_name() {
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
        // Nobody is there to see it, and nothing is told of it.
        socket.ok(json!({ "op": "typing", "room": room })).await;
        socket.ok(json!({ "op": "leave", "room": room })).await;
    }
    assert!(ann.history(1).await.is_empty());
}

#[tokio::test]
async fn fields_and_frames_without_a_number_need_no_answer() {
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
    // What goes wrong is told all the same.
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
async fn frames_against_the_protocol_close_only_their_own_connection() {
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
    // As long as allowed is not too long.
    let mut socket = ann.connect().await;
    let mut ping = json!({ "op": "ping", "id": 1 }).to_string();
    ping.push_str(&" ".repeat(FRAME_MAX - ping.len()));
    socket.send_raw(ping.into()).await;
    assert_eq!(socket.answer(1).await, Ok(json!({})));
}

#[tokio::test]
async fn a_frame_in_pieces_and_with_pings_between_is_one_frame() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    let text = json!({ "op": "send", "id": 9, "room": 1, "content": "äöü" })
        .to_string()
        .into_bytes();
    // In the middle of a character.
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
async fn too_many_bad_frames_close() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    for _ in 0..51 {
        socket.send_raw("nonsense".into()).await;
    }
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn one_person_has_so_many_sockets_and_no_more() {
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
    // The place is free as soon as the server has seen that.
    loop {
        let mut again = Socket::open(server.address, Some(&ann.token)).await;
        if again.try_next().await.is_some() {
            break;
        }
    }
}
