//! Plain WebSockets of `team` and `back_chat` with PyPI's `websockets`.

use serde_json::{Value, json};

use crate::support::*;

fn url(server: &TestServer, path: &str) -> String {
    format!("ws://{}{path}", server.address)
}

/// Returns a client connected to the path, which includes any token it needs.
async fn connected(server: &TestServer, path: &str) -> Option<Driven> {
    let mut client = Driven::websockets()?;
    client.order("open", json!({"url": url(server, path)}));
    client.told("opened").await;
    Some(client)
}

async fn uuid(person: &Persona, path: &str) -> Value {
    person.get(path).await.ok(200)["uuid"].clone()
}

/// Builds a chat message as the page of `team` sends it.
fn words(conversation: &Value, sender: &Value, content: &str) -> Value {
    let meta = json!({"conversationId": conversation, "senderId": sender, "timestamp": "2026-01-02T03:04:05Z"});
    json!({"messageType": "ChatMessage", "payload": {"content": content, "displayName": "me"}, "meta": meta})
}

#[tokio::test]
async fn team_websocket_identifies_and_exchanges_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (own, lobby) = (uuid(&ann, "me").await, uuid(&ann, "rooms/1").await);
    let grant = json!({"email": "ann", "password": PASSWORD});
    let grant = server.anybody().post("/auth/token", grant).await.ok(200);
    let token = grant["access_token"].as_str().unwrap();
    let Some(mut anns) = connected(&server, &format!("/?token={token}")).await else {
        return;
    };
    let mut bobs = Driven::websockets().unwrap();
    let header = json!({"Authorization": format!("Bearer {}", bob.token)});
    bobs.order("open", json!({"url": url(&server, "/"), "headers": header}));
    bobs.told("opened").await;

    // Anything but an IdMessage of the sender gets an error, and the connection stays open.
    let id = |sender: &Value| json!({"messageType": "IdMessage", "senderId": sender, "convId": lobby, "timestamp": "2026-01-02T03:04:05Z"});
    let stranger = uuid(&bob, "me").await;
    for wrong in [words(&lobby, &own, "too early"), id(&stranger), json!(7)] {
        anns.order("send", wrong);
        let heard = anns.told("heard").await;
        assert_eq!(heard["messageType"], "ErrorMessage", "{heard}");
    }
    anns.order("text", json!("{"));
    assert_eq!(
        anns.told("heard").await["payload"]["message"],
        "The frame is no JSON"
    );

    anns.order("send", id(&own));
    bobs.order(
        "send",
        json!({"message_type": "IdMessage", "sender_id": stranger}),
    );
    bobs.order("send", words(&lobby, &stranger, "hello"));
    assert_eq!(bobs.told("heard").await["payload"]["displayName"], "bob");
    anns.order("send", words(&lobby, &own, "hi"));
    let expected = json!({
        "messageType": "ChatMessage", "payload": {"content": "hi", "displayName": "ann"},
        "meta": {"conversationId": lobby, "senderId": own, "timestamp": "2026-01-02T03:04:05Z"}
    });
    assert_eq!(bobs.told("heard").await, expected);
    let is_hi = |line: &Value| (line["heard"] == expected).then_some(Value::Null);
    anns.find("one's own message", is_hi).await;
    anns.order("send", words(&lobby, &stranger, "as bob"));
    let is_error =
        |line: &Value| (line["heard"]["messageType"] == "ErrorMessage").then_some(Value::Null);
    anns.find("the refusal", is_error).await;
    assert_eq!(ann.history(1).await.len(), 2);
}

#[tokio::test]
async fn team_refuses_websockets_without_a_session() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let path = format!("/?token={}", ann.token);
    let Some(mut anns) = connected(&server, &path).await else {
        return;
    };
    ann.post("auth/logout", json!({})).await.done();
    assert_eq!(anns.told("closed").await, 4001);
    for path in ["/", "/?token=rubbish", &path] {
        let mut client = Driven::websockets().unwrap();
        client.order("open", json!({"url": url(&server, path)}));
        let status = client.told("refused").await;
        assert!(status == 401 || status == 422, "{path}: {status}");
    }
}

#[tokio::test]
async fn back_chat_websocket_exchanges_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let Some(mut anns) = connected(&server, &format!("/ws/messages?token={}", ann.token)).await
    else {
        return;
    };
    let came = |name: &str, heard: &Value, kind: &str, content: &str| {
        let expected = json!({"user_id": name, "content": content, "timestamp": heard["timestamp"], "mtype": kind, "isMine": false});
        assert_eq!(*heard, expected);
    };
    came("ann", &anns.told("heard").await, "connect", "join the chat");
    let path = format!("/messages?token={}", bob.token);
    let mut bobs = connected(&server, &path).await.unwrap();
    came("bob", &bobs.told("heard").await, "connect", "join the chat");
    came("bob", &anns.told("heard").await, "connect", "join the chat");

    let said = json!({"user_id": "null", "content": "hi", "timestamp": "now", "mtype": "message"});
    anns.order("send", said);
    for (client, is_mine) in [(&mut anns, true), (&mut bobs, false)] {
        let heard = client.told("heard").await;
        let expected = json!({"user_id": "ann", "content": "hi", "timestamp": heard["timestamp"], "mtype": "message", "isMine": is_mine});
        assert_eq!(heard, expected);
    }
    bobs.order("text", json!("hi"));
    assert_eq!(bobs.told("heard").await["mtype"], "warning");
    bobs.order("close", json!(true));
    assert_eq!(bobs.told("closed").await, 1000);
    came(
        "bob",
        &anns.told("heard").await,
        "disconnect",
        "left the chat",
    );
    ann.post("auth/logout", json!({})).await.done();
    assert_eq!(anns.told("closed").await, 4001);
}

#[tokio::test]
async fn back_chat_websocket_delivers_notifications() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let path = format!("/ws/notifications?token={}", ann.token);
    let Some(mut anns) = connected(&server, &path).await else {
        return;
    };
    bob.say(1, "@ann look").await;
    let told = anns.told("heard").await;
    let keys: Vec<_> = told.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["content", "timestamp", "type"]);
    assert_eq!(told["type"], "mention");
    anns.order("send", json!({"content": {"due": "now"}, "type": "note"}));
    let noted = anns.told("heard").await;
    assert_eq!(
        (&noted["content"], &noted["type"]),
        (&json!({"due": "now"}), &json!("note"))
    );
    ann.post("auth/logout", json!({})).await.done();
    assert_eq!(anns.told("closed").await, 4001);
}

#[tokio::test]
async fn back_chat_closes_websockets_without_a_session_with_1008() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    ann.post("auth/logout", json!({})).await.done();
    let ended = format!("/ws/messages?token={}", ann.token);
    for path in [
        "/ws/messages",
        "/messages?token=rubbish",
        &ended,
        "/ws/notifications",
        "/notifications?token=rubbish",
    ] {
        let Some(mut client) = connected(&server, path).await else {
            return;
        };
        let is_end = |line: &Value| line.get("closed").map(|_| line.clone());
        let end = client.find("the end", is_end).await;
        assert_eq!(end, json!({"closed": 1008, "reason": "Unauthorised"}));
    }
}

#[tokio::test]
async fn team_direct_rooms_need_a_token_even_when_the_dialect_is_open() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["team".to_owned()].into());
    })
    .await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (own, lobby) = (uuid(&bob, "me").await, uuid(&bob, "rooms/1").await);
    let number = ann.direct_room(&bob).await;
    let direct = uuid(&bob, &format!("rooms/{number}")).await;
    let Some(mut socket) = connected(&server, "/").await else {
        return;
    };
    let id = |conversation: &Value| json!({"messageType": "IdMessage", "senderId": own, "convId": conversation});
    for frame in [
        id(&direct),
        id(&Value::Null),
        words(&direct, &own, "am I bob?"),
    ] {
        socket.order("send", frame);
    }
    for _ in 0..2 {
        let text = socket.told("heard").await["payload"]["message"].clone();
        assert_eq!(text, "Conversation not found");
    }
    ann.say(number, "for bob alone").await;
    // Milliseconds since 1970, as scripts read the browser's clock.
    let mut said = words(&lobby, &own, "hello");
    said["meta"]["timestamp"] = json!(1_767_323_045_000_i64);
    socket.order("send", said);
    let heard = socket.told("heard").await;
    assert_eq!(heard["payload"]["content"], "hello");
    assert_eq!(heard["meta"]["timestamp"], 1_767_323_045_000_i64);
    assert_eq!(
        bob.history(1).await[0]["sent_at"],
        "2026-01-02T03:04:05.000Z"
    );
    assert_eq!(bob.history(number).await.len(), 1);
}
