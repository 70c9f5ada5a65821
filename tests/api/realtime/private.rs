//! Private chats over sockets: messages, files, read marks and malformed events.

use super::*;

#[tokio::test]
async fn reading_part_of_a_chat_leaves_the_rest_unread() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, guy(&server, "bob").await);
    let mut bobs = bob.socket().await;
    let direct = ann.post("rooms/direct", json!({"user_id": bob.id})).await;
    let room = id(&direct.ok(201));
    let mut said = Vec::new();
    for count in 1..=3 {
        said.push(ann.say(room, "psst").await);
        assert_eq!(
            bobs.event("unread_count_update").await["unread_count"],
            count
        );
    }
    let edit = json!({"content": "hush"});
    let path = format!("messages/{}", said[2]["id"]);
    ann.patch(&path, edit).await.ok(200);
    // Reading up to the first message, then up to the last, which has been edited since.
    for (read, count) in [(0, 3), (2, 2)] {
        let read = json!({"message_id": said[read]["id"]});
        let path = format!("/api/v1/rooms/{room}/read");
        assert_eq!(bob.http.post(&path, read).await.status, 204);
        ann.say(room, "more").await;
        assert_eq!(
            bobs.event("unread_count_update").await["unread_count"],
            count
        );
    }
}

#[tokio::test]
async fn private_messages_reach_both_people_whether_joined_or_not() {
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
        json!({"other_user_id": bob.id, "content": "\n psst "}),
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
    assert_eq!(flat, json!([" psst", ann.id, "ann", joined["chat_id"]]));
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
async fn malformed_events_are_answered_with_errors() {
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
async fn files_are_sent_over_the_socket() {
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
async fn private_messages_skip_sockets_that_have_another_chat_open() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "cem").await,
    );
    let with = |other: &Guy| json!({"other_user_id": other.id});
    let private = |events: Vec<(String, Value)>| {
        let events = events.into_iter();
        let private = events.filter(|(name, _)| name.starts_with("new_private"));
        private
            .map(|(_, value)| value["sender"]["username"].clone())
            .collect::<Vec<_>>()
    };
    let mut with_ann = bob.socket().await;
    with_ann.emit("join_private", with(&ann)).await;
    let chat = with_ann.event("joined_private").await["chat_id"].clone();
    let mut with_cem = bob.socket().await;
    with_cem.emit("join_private", with(&cem)).await;
    with_cem.event("joined_private").await;
    let mut with_nobody = bob.socket().await;
    let mut anns = ann.socket().await;
    let mut anns_other = ann.socket().await;
    anns_other.emit("join_private", with(&cem)).await;
    anns_other.event("joined_private").await;

    let said = json!({"other_user_id": bob.id, "content": "hi bob"});
    anns.emit("send_private_message", said).await;
    let file =
        json!({"other_user_id": bob.id, "filename": "a.jpg", "file_url": PICTURE, "file_size": 9});
    anns.emit("send_private_file", file).await;
    // Received by all sockets of the sender, and by those of the receiver that have this chat or no chat open.
    for socket in [&mut anns, &mut anns_other, &mut with_ann, &mut with_nobody] {
        let told = socket.event("new_private_message").await;
        assert_eq!(
            (&told["content"], &told["chat_id"]),
            (&json!("hi bob"), &chat)
        );
        socket.event("new_private_file_message").await;
    }
    assert_eq!(with_cem.event("unread_count_update").await["chat_id"], chat);
    assert_eq!(
        with_cem.event("unread_count_update").await["unread_count"],
        2
    );
    assert!(private(with_cem.events().await).is_empty());

    // Sending joins the chat: that socket no longer receives Cem's reply.
    let said = json!({"other_user_id": ann.id, "content": "hi ann"});
    with_nobody.emit("send_private_message", said).await;
    with_nobody.event("new_private_message").await;
    cem.write(&bob, "hi").await;
    assert_eq!(private(with_cem.events().await), ["bob", "cem"]);
    assert!(private(with_nobody.events().await).is_empty());
    // A socket may have several chats open, and leave them.
    with_nobody.emit("join_private", with(&cem)).await;
    with_nobody.event("joined_private").await;
    cem.write(&bob, "again").await;
    ann.write(&bob, "again").await;
    assert_eq!(private(with_nobody.events().await), ["cem", "ann"]);
    with_nobody.emit("leave_private", with(&ann)).await;
    ann.write(&bob, "not here").await;
    assert!(private(with_nobody.events().await).is_empty());
    with_nobody.emit("leave_private", with(&cem)).await;
    with_nobody
        .emit("leave_private", json!({"other_user_id": 999}))
        .await;
    assert!(private(with_nobody.events().await).is_empty());
    ann.write(&bob, "here").await;
    assert_eq!(private(with_nobody.events().await), ["ann"]);
    // Events of other protocols on the same socket are not affected.
    with_cem
        .emit(
            "smessage",
            json!({"receiver_id": cem.id, "content": "hello"}),
        )
        .await;
    with_cem.event("message_sent").await;
    ann.write(&bob, "for every other system").await;
    let heard = with_cem.events().await;
    let heard: Vec<_> = heard
        .iter()
        .filter(|(name, value)| {
            value["content"] == "for every other system" && name != "receive_message"
        })
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(heard, ["smessage"]);
}

#[tokio::test]
async fn a_read_receipt_is_sent_only_if_something_was_unread() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let (mut anns, mut bobs) = (ann.socket().await, bob.socket().await);
    let said = ann.write(&bob, "hi").await;
    let chat = json!({"chat_id": said["chat_id"]});
    let receipts = |events: Vec<(String, Value)>| {
        let events = events.iter();
        let receipts = events.filter(|(name, _)| name == "message_read_receipt");
        receipts.count()
    };
    let mut mark = async || {
        bobs.emit("mark_chat_read", chat.clone()).await;
        assert_eq!(bobs.event("chat_marked_read").await, chat);
    };
    mark().await;
    anns.event("message_read_receipt").await;
    // Nothing new to read; then only Bob's own message.
    mark().await;
    bob.write(&ann, "hello").await;
    mark().await;
    let path = format!("/api/chats/{}/read", said["chat_id"]);
    bob.http.post(&path, json!({})).await.ok(200);
    assert_eq!(receipts(anns.events().await), 0);
    // A message deleted before it was read creates no receipt.
    let gone = ann.write(&bob, "oops").await;
    let path = format!("/api/messages/private/{}/{}", bob.id, gone["id"]);
    ann.http.delete(&path).await.ok(200);
    mark().await;
    assert_eq!(receipts(anns.events().await), 0);
    ann.write(&bob, "more").await;
    mark().await;
    anns.event("message_read_receipt").await;
}
