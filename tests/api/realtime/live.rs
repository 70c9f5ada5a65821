//! The public chat over sockets: every event, and which sockets receive it.

use super::*;

const PASSAGE: &str = "username user message user_name room_id";

#[tokio::test]
async fn sockets_need_a_valid_token_and_close_on_logout() {
    let server = TestServer::start().await;
    let ann = guy(&server, "ann").await;
    for auth in [json!({}), json!({"token": "rubbish"})] {
        assert!(EventSocket::try_open(server.address, auth).await.is_err());
    }
    let mut socket = ann.socket().await;
    let welcome = socket.event("connected").await;
    assert_eq!(welcome, json!({"message": "Welcome ann!"}));
    ann.http
        .call("POST", "/api/auth/logout", None)
        .await
        .ok(200);
    assert!(socket.closed().await);
}

#[tokio::test]
async fn joining_and_leaving_the_public_chat_is_announced() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let mut anns = ann.socket().await;
    anns.emit_bare("join_public").await;
    let joined = anns.event("user_joined").await;
    keys(&joined, PASSAGE);
    assert_eq!(joined["user"], json!({"id": ann.id, "username": "ann"}));
    assert_eq!(
        json!([joined["username"], joined["message"]]),
        json!(["ann", "ann joined the chat"])
    );
    let mut bobs = bob.in_public().await;
    assert_eq!(anns.event("user_joined").await["username"], "bob");
    // Joining twice is answered again.
    bobs.emit_bare("join_public").await;
    let again = bobs.event("user_joined").await;
    assert_eq!(
        json!([again["username"], again["message"]]),
        json!(["bob", "bob joined the chat"])
    );
    let mut second = bob.in_public().await;
    assert_eq!(anns.event("user_joined").await["username"], "bob");
    second.emit_bare("get_online_users").await;
    let online = second.event("online_users").await;
    assert_eq!(
        online,
        json!({"users": [{"id": ann.id, "username": "ann"}, {"id": bob.id, "username": "bob"}]})
    );

    bobs.events().await;
    bobs.emit_bare("leave_public").await;
    for socket in [&mut anns, &mut bobs] {
        let left = socket.event("user_left").await;
        keys(&left, PASSAGE);
        assert_eq!(left["user"], json!({"id": bob.id, "username": "bob"}));
        assert_eq!(left["message"], "bob left the chat");
    }
    assert_eq!(
        error(&mut bobs, "leave_public", Value::Null).await,
        "Not in public chat"
    );
    drop(second);
    ann.say("anybody here?").await;
    anns.event("new_public_message").await;
    assert!(!heard(&mut anns).await.contains(&"user_left".to_owned()));
}

#[tokio::test]
async fn public_messages_reach_the_public_chat_and_others_are_notified() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "cem").await,
    );
    let (mut anns, mut bobs) = (ann.in_public().await, bob.in_public().await);
    let (mut cems, mut other) = (cem.socket().await, ann.socket().await);
    cems.emit_bare("get_online_users").await;
    other.emit_bare("get_online_users").await;
    for socket in [&mut cems, &mut other] {
        socket.event("online_users").await;
    }
    let content = "é".repeat(60);
    anns.emit("send_public_message", json!({"content": content}))
        .await;
    let told = anns.event("new_public_message").await;
    keys(&told, PUBLIC);
    assert_eq!(
        told["user"],
        json!({"id": ann.id, "username": "ann", "avatar_url": null})
    );
    assert_eq!(
        json!([told["content"], told["user_id"], told["username"]]),
        json!([content, ann.id, "ann"])
    );
    assert_eq!(bobs.event("new_public_message").await, told);
    let notice = cems.event("public_message_notification").await;
    keys(&notice, "sender_id sender_username content timestamp");
    assert_eq!(
        notice,
        json!({"sender_id": ann.id, "sender_username": "ann", "content": "é".repeat(50), "timestamp": told["timestamp"]})
    );
    // The same for messages sent over HTTP. Neither the sender nor sockets in the chat receive a notification.
    bob.say("hello").await;
    assert_eq!(anns.event("new_public_message").await["content"], "hello");
    assert_eq!(
        cems.event("public_message_notification").await["content"],
        "hello"
    );
    assert_eq!(
        other.event("public_message_notification").await["content"],
        "hello"
    );
    for socket in [&mut anns, &mut bobs, &mut other] {
        assert!(
            !heard(socket)
                .await
                .contains(&"public_message_notification".to_owned())
        );
    }
    assert!(
        !heard(&mut cems)
            .await
            .contains(&"new_public_message".to_owned())
    );

    assert_eq!(
        error(&mut cems, "send_public_message", json!({"content": "x"})).await,
        "Not in public chat"
    );
    for empty in [
        Value::Null,
        json!("text"),
        json!({"content": " "}),
        json!({"content": 7}),
    ] {
        assert_eq!(
            error(&mut anns, "send_public_message", empty).await,
            "Message content cannot be empty"
        );
    }
    cems.emit_bare("mark_public_read").await;
    assert_eq!(cems.event("public_chat_marked_read").await, json!({}));
}

#[tokio::test]
async fn messages_are_exchanged_with_native_clients() {
    let server = TestServer::start().await;
    let (ann, cem) = (guy(&server, "ann").await, server.user("cem").await);
    let mut anns = ann.in_public().await;
    let mut cems = cem.watch(1).await;
    let said = cem.say(1, "natively").await;
    let told = anns.event("new_public_message").await;
    assert_eq!(
        json!([told["id"], told["username"]]),
        json!([said["id"], "cem"])
    );
    anns.emit("send_public_message", json!({"content": "back"}))
        .await;
    cems.event("message").await;
    assert_eq!(cems.event("message").await["message"]["content"], "back");
    let room = cem
        .post("rooms/direct", json!({"user_id": ann.id}))
        .await
        .ok(201);
    cem.say(id(&room), "psst").await;
    assert_eq!(
        anns.event("new_private_message").await["chat_id"],
        room["id"]
    );
    // A read mark set by a native client is sent as a receipt.
    ann.http
        .post(
            &format!("/api/messages/private/{}", cem.id),
            json!({"content": "yes?"}),
        )
        .await
        .ok(201);
    let last = cem.history(id(&room)).await.pop().unwrap();
    cem.post(
        &format!("rooms/{}/read", room["id"]),
        json!({"message_id": last["id"]}),
    )
    .await
    .done();
    let receipt = anns.event("message_read_receipt").await;
    assert_eq!(
        receipt,
        json!({"chat_id": room["id"], "reader_id": cem.id, "reader_username": "cem"})
    );
}

#[tokio::test]
async fn adding_a_file_sends_an_edit_to_native_clients() {
    let server = TestServer::start().await;
    let (ann, cem) = (guy(&server, "ann").await, server.user("cem").await);
    let message = id(&ann.say("look").await);
    let mut cems = cem.watch(1).await;
    let body = json!({"filename": "a.pdf", "file_url": PICTURE, "file_size": 9, "public_message_id": message});
    let file = ann.http.post("/api/files/", body).await.ok(201);
    let edited = cems.event("edited").await;
    assert_eq!(only_file(&edited["message"])["id"], file["id"]);
    ann.http
        .delete(&format!("/api/files/{}", file["id"]))
        .await
        .ok(200);
    assert_eq!(cems.event("edited").await["message"]["files"], json!([]));
}
