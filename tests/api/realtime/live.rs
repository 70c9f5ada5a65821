//! Sockets: every event, and who hears it.

use super::*;

const PASSAGE: &str = "username user message user_name room_id";

async fn error(socket: &mut EventSocket, name: &str, value: Value) -> String {
    socket.emit(name, value).await;
    let error = socket.event("error").await;
    keys(&error, "message");
    error["message"].as_str().unwrap().to_owned()
}

/// Names of all events that have come by now.
async fn heard(socket: &mut EventSocket) -> Vec<String> {
    let events = socket.events().await;
    events.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn who_comes_without_a_good_token_is_refused() {
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
async fn people_come_to_the_public_chat_and_leave_it() {
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
    // Who comes again is there already.
    bobs.emit_bare("join_public").await;
    assert_eq!(bobs.event("user_joined").await["username"], "bob");
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
    // Over HTTP, too; not to oneself, and nobody in the chat is notified.
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
async fn private_messages_reach_both_people_joined_or_not() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "eve").await,
    );
    let (mut anns, mut bobs, mut eves) =
        (ann.socket().await, bob.socket().await, eve.socket().await);
    anns.emit("join_private", json!({"other_user_id": bob.id.to_string()}))
        .await;
    let joined = anns.event("joined_private").await;
    keys(&joined, "chat_id other_user");
    assert_eq!(
        joined["other_user"],
        json!({"id": bob.id, "username": "bob"})
    );
    anns.emit(
        "send_private_message",
        json!({"other_user_id": bob.id, "content": " psst "}),
    )
    .await;
    let told = anns.event("new_private_message").await;
    keys(&told, PRIVATE);
    assert_eq!(
        told["sender"],
        json!({"id": ann.id, "username": "ann", "avatar_url": null})
    );
    let flat = json!([
        told["content"],
        told["sender_id"],
        told["username"],
        told["chat_id"]
    ]);
    assert_eq!(flat, json!(["psst", ann.id, "ann", joined["chat_id"]]));
    assert_eq!(bobs.event("new_private_message").await, told);
    let unread = bobs.event("unread_count_update").await;
    let expected = json!({"chat_id": joined["chat_id"], "unread_count": 1, "other_user_id": ann.id, "other_username": "ann"});
    assert_eq!(unread, expected);
    ann.write(&bob, "again").await;
    assert_eq!(bobs.event("unread_count_update").await["unread_count"], 2);
    assert_eq!(anns.event("new_private_message").await["content"], "again");

    bobs.emit("mark_chat_read", json!({"chat_id": joined["chat_id"]}))
        .await;
    assert_eq!(
        bobs.event("chat_marked_read").await,
        json!({"chat_id": joined["chat_id"]})
    );
    let receipt = anns.event("message_read_receipt").await;
    assert_eq!(
        receipt,
        json!({"chat_id": joined["chat_id"], "reader_id": bob.id, "reader_username": "bob"})
    );
    ann.write(&bob, "more").await;
    assert_eq!(bobs.event("unread_count_update").await["unread_count"], 1);
    let path = format!("/api/chats/{}/read", joined["chat_id"]);
    bob.http.call("POST", &path, None).await.ok(200);
    anns.event("message_read_receipt").await;
    anns.emit("leave_private", json!({"other_user_id": bob.id}))
        .await;
    let anns = heard(&mut anns).await;
    assert!(
        !anns.contains(&"unread_count_update".to_owned()) && !anns.contains(&"error".to_owned()),
        "{anns:?}"
    );
    assert!(
        !heard(&mut bobs)
            .await
            .contains(&"message_read_receipt".to_owned())
    );
    let eves = heard(&mut eves).await;
    assert!(
        !eves
            .iter()
            .any(|name| name.contains("private") || name.contains("unread"))
    );
}

#[tokio::test]
async fn events_about_people_and_chats_that_make_no_sense_are_answered() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "eve").await,
    );
    let foreign = bob.write(&eve, "psst").await["chat_id"].clone();
    let mut socket = ann.socket().await;
    for name in ["join_private", "leave_private", "send_private_message"] {
        let mut told = async |other: Value| {
            let value = json!({"other_user_id": other, "content": "x"});
            error(&mut socket, name, value).await
        };
        assert_eq!(told(Value::Null).await, "Other user ID required", "{name}");
        assert_eq!(told(json!("")).await, "Other user ID required", "{name}");
        for bad in [json!("x"), json!(-1), json!([1]), json!(1.5)] {
            assert_eq!(told(bad).await, "Invalid user ID", "{name}");
        }
        if name != "leave_private" {
            assert_eq!(told(json!(999)).await, "User not found", "{name}");
            assert_eq!(
                told(json!(ann.id)).await,
                "Cannot send message to yourself",
                "{name}"
            );
        }
        assert_eq!(
            error(&mut socket, name, Value::Null).await,
            "Other user ID required"
        );
    }
    let empty = json!({"other_user_id": bob.id, "content": ""});
    assert_eq!(
        error(&mut socket, "send_private_message", empty).await,
        "Message content cannot be empty"
    );
    let mut read =
        async |chat: Value| error(&mut socket, "mark_chat_read", json!({"chat_id": chat})).await;
    assert_eq!(read(Value::Null).await, "Chat ID required");
    assert_eq!(read(json!("x")).await, "Invalid chat ID");
    for unknown in [foreign, json!(1), json!(999)] {
        assert_eq!(read(unknown).await, "Chat not found");
    }
}

#[tokio::test]
async fn files_are_sent_like_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let (mut anns, mut bobs) = (ann.in_public().await, bob.socket().await);
    let file = json!({"filename": "a.jpg", "file_url": PICTURE, "file_size": 9, "file_type": "image/jpeg"});
    anns.emit("send_public_file", file.clone()).await;
    let told = anns.event("new_public_file_message").await;
    keys(&told, &format!("{PUBLIC} file"));
    keys(&told["file"], FILE);
    assert_eq!(
        json!([told["content"], told["files"]]),
        json!(["", [told["file"]]])
    );
    let shown = json!([
        told["file"]["filename"],
        told["file"]["file_url"],
        told["file"]["file_size"],
        told["file"]["file_type"]
    ]);
    assert_eq!(shown, json!(["a.jpg", PICTURE, 9, "image/jpeg"]));
    assert_eq!(told["file"]["public_message_id"], told["id"]);
    assert_eq!(
        bobs.event("public_message_notification").await["content"],
        "a.jpg"
    );

    let mut private = file.clone();
    private["other_user_id"] = bob.id.into();
    anns.emit("send_private_file", private.clone()).await;
    let told = anns.event("new_private_file_message").await;
    keys(&told, &format!("{PRIVATE} file"));
    assert_eq!(told["file"]["private_chat_id"], told["chat_id"]);
    assert_eq!(bobs.event("new_private_file_message").await, told);
    assert_eq!(bobs.event("unread_count_update").await["unread_count"], 1);

    assert_eq!(
        error(&mut bobs, "send_public_file", file.clone()).await,
        "Not in public chat"
    );
    let missing = "Missing required fields: filename, file_url, file_size";
    assert_eq!(
        error(&mut anns, "send_public_file", Value::Null).await,
        missing
    );
    assert_eq!(
        error(&mut anns, "send_private_file", file).await,
        "Other user ID required"
    );
    private["file_size"] = json!(6_000_000);
    assert_eq!(
        error(&mut anns, "send_private_file", private.clone()).await,
        "File size exceeds 5MB limit"
    );
    private["file_size"] = json!("large");
    assert_eq!(
        error(&mut anns, "send_private_file", private).await,
        "Invalid file"
    );
}

#[tokio::test]
async fn other_systems_people_are_heard_and_hear() {
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
    // Read by a native client, the mark is a receipt.
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
async fn a_message_that_gets_a_file_is_changed_for_the_others() {
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
