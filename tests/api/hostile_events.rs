//! Invalid events of every dialect that uses Socket.IO: each gets that dialect's error, or the connection is closed
//! cleanly.

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::support::*;

/// An event that needs a payload.
struct Row {
    name: &'static str,
    /// A valid payload.
    good: Value,
    /// Event that answers the valid payload, if one does.
    answer: Option<&'static str>,
    /// Field of the payload that is set to invalid values.
    field: &'static str,
    /// Keys of the dialect's error.
    error: &'static str,
}

/// Values that are not a valid id.
fn bad_ids() -> Vec<Value> {
    let texts = ["", " ", "x", "-1", "1.5", "99999999999999999999", "\u{0}"];
    let others = [
        json!(true),
        json!([]),
        json!([1]),
        json!({}),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
    ];
    texts.map(Value::from).into_iter().chain(others).collect()
}

/// Values that are not a valid text of a message.
fn bad_texts() -> Vec<Value> {
    let long = "x".repeat(4001);
    vec![
        json!(""),
        json!(" \n"),
        json!(7),
        json!(true),
        json!([]),
        json!({}),
        json!(null),
        json!(long),
        json!("\u{0}"),
    ]
}

/// Payloads that are invalid for every event, as JSON that follows its name.
fn junk() -> Vec<String> {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let plain = [
        "",
        ",null",
        ",\"text\"",
        ",7",
        ",[]",
        ",{}",
        ",true",
        ",{\"\\ud800\":1}",
        ",null,{},[],1,\"x\"",
    ];
    let mut all: Vec<_> = plain.map(str::to_owned).into();
    all.push(format!(",{deep}"));
    all
}

fn row(
    name: &'static str,
    good: Value,
    answer: &'static str,
    field: &'static str,
    error: &'static str,
) -> Row {
    Row {
        name,
        good,
        answer: (!answer.is_empty()).then_some(answer),
        field,
        error,
    }
}

/// The events of all dialects. To take a dialect out of the server, remove its rows here too.
fn rows(bob: i64, chat: i64) -> Vec<Row> {
    [
        komunikator_rows(),
        chat_app_rows(bob),
        realtime_rows(bob, chat),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn komunikator_rows() -> Vec<Row> {
    const ERROR: &str = "message code";
    vec![
        row(
            "join",
            json!({"user_name": "ann", "room_id": 1}),
            "user_joined",
            "room_id",
            ERROR,
        ),
        row(
            "message",
            json!({"user_name": "ann", "room_id": 1, "message": "hi"}),
            "new",
            "message",
            ERROR,
        ),
        row(
            "message",
            json!({"user_name": "ann", "room_id": "1", "message": "hi"}),
            "new_message",
            "room_id",
            ERROR,
        ),
        row(
            "watchdog",
            json!({"user_name": "ann"}),
            "",
            "user_name",
            ERROR,
        ),
        row(
            "leave",
            json!({"user_name": "ann", "room_id": 1}),
            "user_left",
            "room_id",
            ERROR,
        ),
    ]
}

fn chat_app_rows(bob: i64) -> Vec<Row> {
    const ERROR: &str = "error message";
    vec![
        row(
            "smessage",
            json!({"receiver_id": bob, "content": "hi"}),
            "message_sent",
            "receiver_id",
            ERROR,
        ),
        row(
            "smessage",
            json!({"receiver_id": bob, "content": "hi"}),
            "receive_message",
            "content",
            ERROR,
        ),
        row(
            "mark_message_read",
            json!({"sender_id": bob}),
            "read_status_update",
            "sender_id",
            ERROR,
        ),
    ]
}

fn realtime_rows(bob: i64, chat: i64) -> Vec<Row> {
    const ERROR: &str = "message";
    let file = json!({"filename": "a.pdf", "file_url": "http://example.com/a.pdf", "file_size": 9, "other_user_id": bob});
    vec![
        row(
            "send_public_message",
            json!({"content": "hi"}),
            "new_public_message",
            "content",
            ERROR,
        ),
        row(
            "send_public_file",
            file.clone(),
            "new_public_file_message",
            "file_size",
            ERROR,
        ),
        row(
            "join_private",
            json!({"other_user_id": bob}),
            "joined_private",
            "other_user_id",
            ERROR,
        ),
        row(
            "send_private_message",
            json!({"other_user_id": bob, "content": "hi"}),
            "new_private_message",
            "other_user_id",
            ERROR,
        ),
        row(
            "send_private_message",
            json!({"other_user_id": bob, "content": "hi"}),
            "new_private_message",
            "content",
            ERROR,
        ),
        row(
            "send_private_file",
            file,
            "new_private_file_message",
            "other_user_id",
            ERROR,
        ),
        row(
            "mark_chat_read",
            json!({"chat_id": chat}),
            "chat_marked_read",
            "chat_id",
            ERROR,
        ),
        row(
            "leave_private",
            json!({"other_user_id": bob}),
            "",
            "other_user_id",
            ERROR,
        ),
    ]
}

/// Returns the errors received so far.
async fn errors(socket: &mut EventSocket) -> Vec<Value> {
    let events = socket.events().await.into_iter();
    let errors = events.filter(|(name, _)| name == "error");
    errors.map(|(_, value)| value).collect()
}

/// Asserts that the packet gets exactly one error, with these keys.
async fn refused(socket: &mut EventSocket, packet: String, keys: &str) {
    let shown = packet.chars().take(120).collect::<String>();
    socket.send_raw(packet).await;
    let errors = errors(socket).await;
    assert_eq!(errors.len(), 1, "{shown}: {errors:?}");
    assert_keys(&errors[0], keys);
    let told = errors[0]["message"].as_str().unwrap();
    assert!(!told.is_empty() && told.len() < 200, "{shown}: {told}");
}

#[tokio::test]
async fn invalid_payloads_get_the_error_of_their_dialect() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let chat = ann.direct_room(&bob).await;
    let mut socket = EventSocket::open(server.address, &ann.token).await;
    socket.emit_bare("join_public").await;
    socket.event("user_joined").await;
    for row in rows(bob.id, chat) {
        let Row {
            name,
            good,
            field,
            error,
            ..
        } = &row;
        for junk in junk() {
            refused(&mut socket, format!("42[\"{name}\"{junk}]"), error).await;
            refused(&mut socket, format!("4277[\"{name}\"{junk}]"), error).await;
        }
        let bad = match *field {
            "content" | "message" => bad_texts(),
            // A file of 0 bytes is valid.
            "file_size" => bad_ids().into_iter().filter(|bad| *bad != 0).collect(),
            _ => bad_ids(),
        };
        for bad in bad {
            let mut value = good.clone();
            value[field] = bad;
            refused(&mut socket, format!("42{}", json!([name, value])), error).await;
        }
        // A binary attachment instead of the payload.
        socket
            .send_raw(format!(
                "451-[\"{name}\",{{\"_placeholder\":true,\"num\":0}}]"
            ))
            .await;
        socket.give(&[1, 2, 3]).await;
        refused(&mut socket, "3".to_owned(), error).await;
        let more = json!([name, good, 1, "more", {"than": ["one"]}]);
        socket.send_raw(format!("42{more}")).await;
        match row.answer {
            Some(answer) => drop(socket.event(answer).await),
            None => assert_eq!(errors(&mut socket).await, [Value::Null; 0], "{name}"),
        }
    }
}

#[tokio::test]
async fn events_without_a_payload_ignore_it() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = EventSocket::open(server.address, &ann.token).await;
    for junk in junk() {
        for (name, answer) in [
            ("join_public", "user_joined"),
            ("get_online_users", "online_users"),
            ("mark_public_read", "public_chat_marked_read"),
            ("leave_public", "user_left"),
            ("leave_public", "error"),
            ("nobody_knows_it", "error"),
            ("", "error"),
        ] {
            // Waits for each answer by name: `EventSocket::events` takes the error of an unknown event for its marker.
            socket.send_raw(format!("42[\"{name}\"{junk}]")).await;
            socket.event(answer).await;
        }
    }
}

#[tokio::test]
async fn oversized_and_early_events_close_only_their_connection() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut other = EventSocket::open(server.address, &ann.token).await;
    let rows = rows(2, 1);
    let names: Vec<_> = rows
        .iter()
        .map(|row| row.name)
        .chain(["join_public"])
        .collect();
    for name in names {
        let large = format!("42{}", json!([name, {"content": "x".repeat(2_000_000)}]));
        let early = format!("42{}", json!([name, {"user_name": "ann", "room_id": 1}]));
        let mut socket = EventSocket::open(server.address, &ann.token).await;
        socket.send_raw(large.clone()).await;
        assert_eq!(socket.close_code().await, 1009, "{name}");
        let poller = Poller::open(server.address, &ann.token).await;
        assert_eq!(poller.post(large).await.status, 413, "{name}");
        assert_eq!(poller.poll().await.status, 400, "{name}");

        let tcp = TcpStream::connect(server.address).await.unwrap();
        let mut socket = EventSocket::begin(tcp).await;
        socket.send_raw(early.clone()).await;
        assert_eq!(socket.close_code().await, 1002, "{name}");
        let poller = Poller::begin(server.address).await;
        assert_eq!(poller.post(early).await.status, 400, "{name}");
    }
    assert_eq!(errors(&mut other).await, [Value::Null; 0]);
}

#[tokio::test]
async fn invalid_events_get_the_same_errors_over_polling() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let poller = Poller::open(server.address, &ann.token).await;
    // Skips the greetings, which precede the first answer.
    poller.say(r#"42["hello"]"#).await;
    while !poller.hear().await.concat().contains("Unknown event") {}
    let bytes = r#"451-["message",{"_placeholder":true,"num":0}]"#;
    let late = [
        (
            r#"42["join"]"#.to_owned(),
            r#"{"message":"Missing user_name or room_id","code":3}"#,
        ),
        (
            format!("{bytes}\u{1e}bAQID"),
            r#"{"message":"Missing user_name or room_id","code":3}"#,
        ),
        (
            r#"42["smessage",7]"#.to_owned(),
            r#"{"error":"receiver_id must be the number of a user","message":"receiver_id must be the number of a user"}"#,
        ),
        (
            r#"42["send_public_message"]"#.to_owned(),
            r#"{"message":"Not in public chat"}"#,
        ),
        (
            r#"42["what"]"#.to_owned(),
            r#"{"message":"Unknown event","error":"Unknown event","code":0}"#,
        ),
    ];
    for (packet, error) in late {
        poller.say(&packet).await;
        assert_eq!(
            poller.hear().await,
            [format!(r#"42["error",{error}]"#)],
            "{packet}"
        );
    }
    assert_eq!(poller.post("bAQID").await.status, 400);
    assert_eq!(poller.poll().await.status, 400);
}
