//! Private chats over sockets: messages, files, read marks, and what makes no sense.

use super::*;

#[tokio::test]
async fn what_is_read_in_part_leaves_the_rest_unread() {
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
    // The first of them; then the last, which was changed since.
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
