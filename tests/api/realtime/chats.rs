//! Messages over HTTP: the public chat, private chats and the list of chats.

use super::*;

#[tokio::test]
async fn the_public_chat_is_the_lobby() {
    let server = TestServer::start().await;
    let (ann, cem) = (guy(&server, "ann").await, server.user("cem").await);
    let edit = json!({"avatar_url": PICTURE});
    ann.http
        .call("PUT", "/api/users/auth-user", Some(edit))
        .await
        .ok(200);
    let said = ann.say(" hello ").await;
    keys(&said, PUBLIC);
    keys(&said["user"], "id username avatar_url");
    assert_eq!(
        said["user"],
        json!({"id": ann.id, "username": "ann", "avatar_url": PICTURE})
    );
    let flat = json!([
        said["content"],
        said["user_id"],
        said["username"],
        said["avatar_url"],
        said["files"]
    ]);
    assert_eq!(flat, json!([" hello", ann.id, "ann", PICTURE, []]));
    let other = cem.say(1, "hi").await;
    let list = ann.http.get("/api/messages").await.ok(200);
    keys(&list, "messages");
    assert_eq!(
        (&list["messages"][0], &list["messages"][1]["id"]),
        (&said, &other["id"])
    );
    let newest = ann.http.get("/api/messages?limit=1").await.ok(200);
    assert_eq!(newest["messages"][0]["id"], other["id"]);
    let before = ann
        .http
        .get(&format!("/api/messages?limit=9&before={}", other["id"]))
        .await
        .ok(200);
    assert_eq!(before, json!({"messages": [said]}));
    ann.http.get("/api/messages?limit=0").await.ok(400);
    ann.http.get("/api/messages?limit=1001").await.ok(400);
    for empty in [json!({}), json!({"content": " "}), json!({"content": null})] {
        let reply = ann.http.post("/api/messages", empty).await;
        refused(&reply, 400, "Message content cannot be empty");
    }
    let long = ann
        .http
        .post("/api/messages", json!({"content": "x".repeat(4001)}))
        .await;
    refused(&long, 400, "Message content is too long");
}

#[tokio::test]
async fn only_senders_delete_messages_of_the_public_chat() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let root = server.admin("root").await;
    let path = format!("/api/messages/{}", id(&ann.say("hello").await));
    for other in [&bob.http, &*root] {
        refused(
            &other.delete(&path).await,
            403,
            "You can only delete your own messages",
        );
    }
    let deleted = ann.http.delete(&path).await.ok(200);
    assert_eq!(deleted, json!({"message": "Message deleted"}));
    refused(&ann.http.delete(&path).await, 404, "Message not found");
    refused(
        &ann.http.delete("/api/messages/999999").await,
        404,
        "Message not found",
    );
    let private = format!("/api/messages/{}", id(&ann.write(&bob, "psst").await));
    refused(&ann.http.delete(&private).await, 404, "Message not found");
    assert_eq!(
        ann.http.get("/api/messages").await.ok(200),
        json!({"messages": []})
    );
}

#[tokio::test]
async fn a_private_chat_is_a_direct_room() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "eve").await,
    );
    let with = |other: i64| format!("/api/messages/private/{other}");
    assert_eq!(
        ann.http.get(&with(bob.id)).await.ok(200),
        json!({"messages": []})
    );
    let said = ann.write(&bob, "psst").await;
    keys(&said, PRIVATE);
    assert_eq!(
        said["sender"],
        json!({"id": ann.id, "username": "ann", "avatar_url": null})
    );
    let flat = json!([
        said["content"],
        said["sender_id"],
        said["username"],
        said["avatar_url"]
    ]);
    assert_eq!(flat, json!(["psst", ann.id, "ann", null]));
    for (one, other) in [(&ann, &bob), (&bob, &ann)] {
        let list = one.http.get(&with(other.id)).await.ok(200);
        assert_eq!(list, json!({"messages": [said]}));
    }
    assert_eq!(
        eve.http.get(&with(ann.id)).await.ok(200),
        json!({"messages": []})
    );
    let post = async |other: i64, content: &str| {
        ann.http
            .post(&with(other), json!({"content": content}))
            .await
    };
    refused(
        &post(ann.id, "x").await,
        400,
        "Cannot send message to yourself",
    );
    refused(&post(999, "x").await, 404, "User not found");
    refused(
        &post(bob.id, "").await,
        400,
        "Message content cannot be empty",
    );
}

#[tokio::test]
async fn only_senders_delete_private_messages() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "eve").await,
    );
    let said = id(&ann.write(&bob, "psst").await);
    let public = id(&ann.say("hello").await);
    let delete = async |who: &Guy, other: &Guy, message: i64| {
        let path = format!("/api/messages/private/{}/{message}", other.id);
        who.http.delete(&path).await
    };
    refused(
        &delete(&ann, &eve, said).await,
        404,
        "Invalid chat or message",
    );
    refused(
        &delete(&ann, &bob, public).await,
        404,
        "Invalid chat or message",
    );
    refused(&delete(&eve, &ann, said).await, 404, "Message not found");
    refused(&delete(&ann, &bob, 999_999).await, 404, "Message not found");
    refused(
        &delete(&bob, &ann, said).await,
        403,
        "You can only delete your own messages",
    );
    let deleted = delete(&ann, &bob, said).await.ok(200);
    assert_eq!(deleted, json!({"message": "Message deleted"}));
    refused(&delete(&ann, &bob, said).await, 404, "Message not found");
}

#[tokio::test]
async fn chats_are_listed_with_unread_count_and_last_message() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "eve").await,
    );
    assert_eq!(
        ann.http.get("/api/chats").await.ok(200),
        json!({"chats": []})
    );
    ann.write(&bob, "one").await;
    let last = ann.write(&bob, "two").await;
    eve.write(&ann, "hello").await;
    let list = bob.http.get("/api/chats").await.ok(200);
    keys(&list, "chats");
    let chat = &list["chats"][0];
    keys(chat, "chat_id other_user unread_count last_message");
    assert_eq!(
        chat["other_user"],
        json!({"id": ann.id, "username": "ann", "avatar_url": null})
    );
    assert_eq!(
        (&chat["unread_count"], &chat["last_message"]),
        (&json!(2), &last)
    );
    let anns = ann.http.get("/api/chats").await.ok(200);
    let names: Vec<_> = anns["chats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chat| chat["other_user"]["username"].clone())
        .collect();
    assert_eq!(json!(names), json!(["eve", "bob"]));

    let path = format!("/api/chats/{}/read", chat["chat_id"]);
    let read = async |who: &Guy, path: &str| who.http.call("POST", path, None).await;
    refused(&read(&eve, &path).await, 404, "Chat not found");
    refused(
        &read(&bob, "/api/chats/1/read").await,
        404,
        "Chat not found",
    );
    refused(
        &read(&bob, "/api/chats/999/read").await,
        404,
        "Chat not found",
    );
    assert_eq!(
        read(&bob, &path).await.ok(200),
        json!({"message": "Chat marked as read"})
    );
    assert_eq!(
        bob.http.get("/api/chats").await.ok(200)["chats"][0]["unread_count"],
        0
    );
}

#[tokio::test]
async fn guests_may_reply_in_a_private_chat_but_not_start_one() {
    let server = TestServer::start().await;
    let (ann, gus) = (guy(&server, "ann").await, server.guest("gus").await);
    let path = format!("/api/messages/private/{}", ann.id);
    let post = async || gus.post(&path, json!({"content": "hi"})).await;
    refused(&post().await, 403, "you may not do that");
    let to_gus = format!("/api/messages/private/{}", gus.id);
    ann.http
        .post(&to_gus, json!({"content": "hello"}))
        .await
        .ok(201);
    keys(&post().await.ok(201), PRIVATE);
}
