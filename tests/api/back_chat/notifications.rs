//! The WebSockets of notifications.

use serde_json::{Value, json};

use super::super::support::*;

async fn open(person: &Persona, path: &str) -> RawSocket {
    let path = format!("{path}?token={}", person.token);
    RawSocket::open(person.address, &path).await
}

/// Sends a custom notification and asserts that it is the next frame, so nothing else was queued before it.
async fn settle(socket: &mut RawSocket) {
    socket.send(json!({"content": {}, "type": "here"})).await;
    assert_eq!(socket.next().await["type"], "here");
}

fn assert_exactly(object: &Value, keys: &[&str]) {
    let found: Vec<_> = object.as_object().unwrap().keys().collect();
    assert_eq!(found, keys);
}

#[tokio::test]
async fn notifications_reach_all_sockets_of_their_user_and_nobody_else() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let direct = bob.direct_room(&ann).await;
    bob.say(direct, "before").await;
    let mut anns = open(&ann, "/ws/notifications").await;
    let mut second = open(&ann, "/notifications").await;
    let mut bobs = open(&bob, "/notifications").await;
    for socket in [&mut anns, &mut bobs] {
        settle(socket).await;
    }
    assert_eq!(second.next().await["type"], "here");
    settle(&mut second).await;
    anns.next().await;

    let said = bob.say(1, "hello @ann").await;
    for socket in [&mut anns, &mut second] {
        let told = socket.next().await;
        assert_exactly(&told, &["content", "timestamp", "type"]);
        assert_eq!(told["type"], "mention");
        let time = told["timestamp"].as_str().unwrap();
        assert!(time.len() == 26 && time.as_bytes()[10] == b' ', "{time}");
        let content = &told["content"];
        let keys = ["id", "message_id", "room_id", "text", "title", "user_id"];
        assert_exactly(content, &keys);
        assert_eq!(
            (&content["user_id"], &content["room_id"], &content["text"]),
            (&json!("bob"), &json!(1), &json!("hello @ann"))
        );
        assert_eq!(content["message_id"], said["id"]);
        assert_eq!(content["title"], "Lobby");
    }
    // Bob was sent no notification of Ann's.
    settle(&mut bobs).await;
    bob.say(direct, "psst").await;
    let told = anns.next().await;
    assert_eq!(
        (&told["type"], &told["content"]["text"]),
        (&json!("direct"), &json!("psst"))
    );
}

#[tokio::test]
async fn notifications_sent_by_a_client_are_stored_for_its_user() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut anns, mut bobs) = (
        open(&ann, "/ws/notifications").await,
        open(&bob, "/ws/notifications").await,
    );
    let mut native = ann.connect().await;
    let note = json!({"content": {"colour": "red"}, "type": "reminder", "timestamp": "x"});
    anns.send(note).await;
    let told = anns.next().await;
    assert_eq!(
        (&told["type"], &told["content"]),
        (&json!("reminder"), &json!({"colour": "red"}))
    );
    let event = native.event("notification").await;
    assert_eq!(event["notification"]["kind"], "custom");
    let kept = ann.get("notifications").await.items();
    assert_eq!(
        (&kept[0]["title"], &kept[0]["content"]),
        (&json!("reminder"), &json!({"colour": "red"}))
    );
    // A bare value, stored through another protocol, is wrapped in an object.
    let bare = json!({"title": "count", "content": 7});
    ann.post("notifications", bare).await.ok(201);
    assert_eq!(anns.next().await["content"], json!({"value": 7}));

    for bad in [
        json!("text"),
        json!({"content": {}}),
        json!({"type": "x"}),
        json!({"content": {}, "type": 7}),
    ] {
        anns.send(bad.clone()).await;
        let told = anns.next().await["content"].clone();
        assert_eq!(told, "The frame is no notification", "{bad}");
    }
    for bad in [
        json!("text"),
        json!({"content": {}, "type": ""}),
        json!({"content": {"long": "x".repeat(5000)}, "type": "x"}),
    ] {
        anns.send(bad.clone()).await;
        let warning = anns.next().await;
        assert_exactly(
            &warning,
            &["content", "isMine", "mtype", "timestamp", "user_id"],
        );
        assert_eq!(warning["mtype"], "warning", "{bad}");
    }
    settle(&mut bobs).await;
    assert!(bob.get("notifications").await.items().len() == 1);
}

#[tokio::test]
async fn connected_users_include_notification_sockets_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut lobby = open(&ann, "/messages").await;
    lobby.next().await;
    let (mut first, mut second) = (
        open(&ann, "/notifications").await,
        open(&bob, "/notifications").await,
    );
    for socket in [&mut first, &mut second] {
        settle(socket).await;
    }
    let expected = json!({"connected_users": ["ann", "bob"]});
    assert_eq!(ann.get("/connected_users").await.ok(200), expected);
    let connected = ann.get("/v1/connected-users").await.ok(200);
    assert_eq!(each(connected.as_array().unwrap(), "name"), ["ann", "bob"]);
    assert_exactly(&connected[0], &["lastConnection", "name", "status"]);
    // Notification sockets cause no join and leave messages in the lobby.
    drop(second);
    let room = bob.say(1, "x").await;
    assert_eq!(lobby.next().await["content"], room["content"]);
}

#[tokio::test]
async fn notification_sockets_need_a_token_even_when_the_dialect_is_open() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["back_chat".to_owned()].into());
    })
    .await;
    let ann = server.user("ann").await;
    let good = format!("/ws/notifications?token={}", ann.token);
    for path in [
        "/ws/notifications",
        "/notifications",
        "/notifications?token=rubbish",
    ] {
        let mut socket = RawSocket::open(server.address, path).await;
        assert_eq!(socket.closed().await, (1008, "Unauthorised".to_owned()));
    }
    let mut socket = RawSocket::open(server.address, &good).await;
    settle(&mut socket).await;
    ann.post("auth/logout", json!({})).await.done();
    assert_eq!(socket.closed().await.0, 4001);
    let mut again = RawSocket::open(server.address, &good).await;
    assert_eq!(again.closed().await, (1008, "Unauthorised".to_owned()));
    assert_eq!(server.anybody().get("/notifications").await.status, 426);
}
