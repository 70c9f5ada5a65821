//! The raw WebSocket: authentication, messages, malformed frames.

use super::*;

/// Sends a frame and asserts that it is answered with that error.
async fn refused(socket: &mut RawSocket, frame: Value, text: &str) {
    socket.send(frame.clone()).await;
    let told = json!({"messageType": "ErrorMessage", "payload": {"message": text}});
    assert_eq!(socket.next().await, told, "{frame}");
}

fn id_message(sender: Option<&str>, conversation: Option<&str>) -> Value {
    json!({"messageType": "IdMessage", "senderId": sender, "convId": conversation, "timestamp": "2026-01-02T03:04:05Z"})
}

fn chat_message(content: &str, meta: Value) -> Value {
    json!({"messageType": "ChatMessage", "payload": {"content": content, "displayName": "somebody"}, "meta": meta})
}

#[tokio::test]
async fn a_message_on_the_raw_socket_reaches_all_subscribers() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (ann_uuid, lobby) = (uuid(&ann).await, room_uuid(&ann, 1).await);
    let mut anns = RawSocket::open(server.address, &format!("/?token={}", ann.token)).await;
    let mut bobs = RawSocket::open(server.address, &format!("/?token={}", bob.token)).await;
    let mut native = bob.watch(1).await;
    anns.send(id_message(Some(&ann_uuid), Some(&lobby))).await;
    bobs.send(json!({"message_type": "IdMessage"})).await;
    let meta = json!({"conversationId": lobby, "senderId": ann_uuid, "timestamp": "2026-01-02T03:04:05Z", "colour": "red"});
    // Bob has joined once his own frame comes back.
    bobs.send(chat_message("me too", json!({"conversationId": lobby})))
        .await;
    assert_eq!(
        bobs.next().await["payload"],
        json!({"content": "me too", "displayName": "bob"})
    );
    anns.send(chat_message("hi", meta.clone())).await;
    let expected = json!({"messageType": "ChatMessage", "payload": {"content": "hi", "displayName": "ann"}, "meta": meta});
    assert_eq!(bobs.next().await, expected);
    native.event("message").await;
    assert_eq!(
        native.event("message").await["message"]["sent_at"],
        "2026-01-02T03:04:05.000Z"
    );

    let said = bob.say(1, "from elsewhere").await;
    let told = bobs.next().await;
    assert_eq!(told["meta"]["messageId"], said["uuid"]);
    assert_exactly(&told["meta"], "conversationId senderId messageId timestamp");
}

#[tokio::test]
async fn malformed_frames_get_an_error_and_keep_the_connection() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (bob_uuid, lobby) = (uuid(&bob).await, room_uuid(&ann, 1).await);
    let secret = room_uuid(&bob, bob.private_room("Secret").await).await;
    let mut socket = RawSocket::open(server.address, &format!("/?token={}", ann.token)).await;
    socket.send_text("{").await;
    assert_eq!(
        socket.next().await["payload"]["message"],
        "The frame is no JSON"
    );
    for (frame, text) in [
        (json!("text"), "messageType is missing"),
        (json!({"messageType": "Other"}), "Unknown messageType"),
        (
            json!({"messageType": "ChatMessage", "payload": {}}),
            "payload.content is missing",
        ),
        (
            chat_message("too early", json!({"conversationId": lobby})),
            "Missing Authorization Header",
        ),
        (
            id_message(Some(&bob_uuid), Some(&lobby)),
            "you may not do that",
        ),
        (
            json!({"message_type": "IdMessage", "sender_id": bob_uuid}),
            "you may not do that",
        ),
        (id_message(None, Some(&secret)), "Conversation not found"),
        (id_message(None, Some("7")), "Conversation not found"),
    ] {
        refused(&mut socket, frame, text).await;
    }
    socket.send(id_message(None, None)).await;
    refused(
        &mut socket,
        chat_message("where?", json!({})),
        "Conversation not found",
    )
    .await;
    socket.send(id_message(None, Some(&lobby))).await;
    for (frame, text) in [
        (
            chat_message("hi", json!({"senderId": bob_uuid})),
            "you may not do that",
        ),
        (
            chat_message("hi", json!({"sender_id": bob_uuid})),
            "you may not do that",
        ),
        (
            chat_message("hi", json!({"conversationId": secret})),
            "Conversation not found",
        ),
        // One byte more than the 2 KiB of `meta` that are passed on.
        (
            chat_message("hi", json!({"note": "x".repeat(2038)})),
            "meta is too large",
        ),
        (chat_message(" ", json!({})), "content must not be empty"),
    ] {
        refused(&mut socket, frame, text).await;
    }
    let note = "x".repeat(2037);
    socket.send(chat_message("hi", json!({"note": note}))).await;
    assert_eq!(socket.next().await["meta"]["note"], note);
    socket.send(chat_message("at last", json!({}))).await;
    let meta = socket.next().await["meta"].clone();
    assert_eq!(meta["conversationId"], json!(lobby));
}

#[tokio::test]
async fn keys_may_come_in_snake_case() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let (own, lobby) = (uuid(&ann).await, room_uuid(&ann, 1).await);
    let kitchen = room_uuid(&ann, ann.private_room("Kitchen").await).await;
    let mut socket = RawSocket::open(server.address, &format!("/?token={}", ann.token)).await;
    let come = |conversation: &str| json!({"message_type": "IdMessage", "sender_id": own, "conv_id": conversation});
    // Frames of the conversation it was in before still arrive, so each is awaited by its own message.
    socket.send(come(&lobby)).await;
    socket.send(chat_message("here", json!({}))).await;
    assert_eq!(socket.next().await["meta"]["conversationId"], lobby);
    socket.send(come(&kitchen)).await;
    for (meta, place) in [
        (json!({}), &kitchen),
        (json!({"conversation_id": kitchen}), &kitchen),
        (
            json!({"conversation_id": kitchen, "sender_id": own}),
            &kitchen,
        ),
        (json!({"conversation_id": lobby}), &lobby),
        (json!({"sender_id": own}), &kitchen),
        (json!({"conversationId": lobby}), &lobby),
        (json!({"senderId": own}), &kitchen),
    ] {
        socket.send(chat_message("hi", meta.clone())).await;
        let told = socket.next().await["meta"].clone();
        // None of them is passed on as an unknown key of the client.
        assert_exactly(&told, "conversationId senderId messageId timestamp");
        let ids = json!([told["conversationId"], told["senderId"]]);
        assert_eq!(ids, json!([place, own]), "{meta}");
    }
}

#[tokio::test]
async fn a_valid_client_timestamp_is_kept() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let lobby = room_uuid(&ann, 1).await;
    let mut socket = RawSocket::open(server.address, &format!("/?token={}", ann.token)).await;
    socket.send(id_message(None, Some(&lobby))).await;
    for time in [
        json!("2026-01-02T03:04:05Z"),
        json!("2026-01-02T04:04:05+01:00"),
        json!("2026-01-02 03:04:05"),
        json!("2026-01-02T03:04:05.678"),
        json!(1_767_323_045_000_i64),
    ] {
        let said = chat_message("hi", json!({"timestamp": time}));
        socket.send(said).await;
        assert_eq!(socket.next().await["meta"]["timestamp"], time);
    }
    socket
        .send(chat_message("now", json!({"timestamp": "soon"})))
        .await;
    let meta = socket.next().await["meta"].clone();
    assert_exactly(&meta, "conversationId senderId messageId timestamp");
    assert_time(&meta["timestamp"]);
    let kept = ann.get(&format!("/conversation/{lobby}/messages")).await;
    let kept = kept.ok(200)["messages"].as_array().unwrap().clone();
    let (now, before) = kept.split_last().unwrap();
    assert_eq!(now["sent_from_client"], now["sent_from_server"]);
    assert_eq!(each(before, "sent_from_client"), ["2026-01-02 03:04:05"; 5]);
}

#[tokio::test]
async fn the_raw_socket_needs_a_token_unless_the_dialect_is_open() {
    let server = TestServer::start().await;
    assert_eq!(
        RawSocket::try_open(server.address, "/").await.err(),
        Some(401)
    );
    let ann = server.user("ann").await;
    let path = format!("/?token={}", ann.token);
    let mut socket = RawSocket::open(server.address, &path).await;
    socket.send(id_message(None, None)).await;
    socket.send(chat_message("x", json!({}))).await;
    socket.next().await;
    ann.post("auth/logout", json!({})).await.done();
    assert_eq!(socket.closed().await.0, 4001);
    assert_eq!(
        RawSocket::try_open(server.address, &path).await.err(),
        Some(401)
    );

    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["team".to_owned()].into());
    })
    .await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let lobby = room_uuid(&ann, 1).await;
    let mut socket = RawSocket::open(server.address, "/").await;
    socket
        .send(id_message(Some(&uuid(&root).await), Some(&lobby)))
        .await;
    assert_eq!(socket.next().await["messageType"], "ErrorMessage");
    socket
        .send(id_message(Some(&uuid(&ann).await), Some(&lobby)))
        .await;
    socket.send(chat_message("believed", json!({}))).await;
    assert_eq!(socket.next().await["payload"]["displayName"], "ann");
}

#[tokio::test]
async fn ws_listen_serves_the_same_chat() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = TestServer::start_with(|config| config.compat.ws_listen = Some(free)).await;
    let ann = server.user("ann").await;
    let mut socket = RawSocket::open(free, &format!("/?token={}", ann.token)).await;
    let lobby = room_uuid(&ann, 1).await;
    socket.send(id_message(None, Some(&lobby))).await;
    socket.send(chat_message("hi", json!({}))).await;
    socket.next().await;
    assert_eq!(ann.history(1).await.len(), 1);
}

#[tokio::test]
async fn direct_conversations_need_a_token_even_when_open() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["team".to_owned()].into());
    })
    .await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let number = ann.direct_room(&bob).await;
    let (lobby, direct) = (room_uuid(&ann, 1).await, room_uuid(&ann, number).await);
    let bob_uuid = uuid(&bob).await;
    let mut socket = RawSocket::open(server.address, "/").await;
    let come = |conversation| id_message(Some(&bob_uuid), conversation);
    refused(&mut socket, come(Some(&direct)), "Conversation not found").await;
    // Joins all of Bob's conversations except direct ones.
    socket.send(come(None)).await;
    let there = json!({ "conversationId": direct });
    refused(
        &mut socket,
        chat_message("as bob", there.clone()),
        "Conversation not found",
    )
    .await;
    ann.say(number, "for bob alone").await;
    ann.say(1, "for all").await;
    assert_eq!(socket.next().await["payload"]["content"], "for all");
    let told = json!({ "conversationId": lobby });
    socket.send(chat_message("hello", told)).await;
    assert_eq!(socket.next().await["payload"]["content"], "hello");
    assert_eq!(ann.history(number).await.len(), 1);
    // With a token, direct conversations are available.
    let mut proven = RawSocket::open(server.address, &format!("/?token={}", bob.token)).await;
    proven.send(come(None)).await;
    proven.send(chat_message("it is me", there)).await;
    assert_eq!(proven.next().await["payload"]["content"], "it is me");
}

#[tokio::test]
async fn ids_of_a_wrong_json_type_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let lobby = room_uuid(&ann, 1).await;
    let mut socket = RawSocket::open(server.address, &format!("/?token={}", ann.token)).await;
    socket.send(id_message(None, Some(&lobby))).await;
    for other in [json!(7), json!(["x"]), json!({}), json!(true)] {
        let id = json!({"messageType": "IdMessage", "senderId": other});
        refused(&mut socket, id, "you may not do that").await;
        let said = chat_message("hi", json!({ "senderId": other }));
        refused(&mut socket, said, "you may not do that").await;
        let there = chat_message("hi", json!({ "conversationId": other }));
        refused(&mut socket, there, "Conversation not found").await;
    }
    let own = chat_message("hi", json!({"senderId": null, "conversationId": ""}));
    socket.send(own).await;
    assert_eq!(socket.next().await["payload"]["content"], "hi");
}

#[tokio::test]
async fn a_timestamp_out_of_range_is_ignored() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut native = ann.watch(1).await;
    let lobby = room_uuid(&ann, 1).await;
    let mut socket = RawSocket::open(server.address, &format!("/?token={}", ann.token)).await;
    socket.send(id_message(None, Some(&lobby))).await;
    for (timestamp, sent_at) in [
        (
            json!(1_767_323_045_123_i64),
            json!("2026-01-02T03:04:05.123Z"),
        ),
        (json!(i64::MAX), Value::Null),
    ] {
        let said = chat_message("hi", json!({ "timestamp": timestamp }));
        socket.send(said).await;
        let told = native.event("message").await;
        assert_eq!(told["message"]["sent_at"], sent_at, "{timestamp}");
    }
}
