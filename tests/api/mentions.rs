//! Mentions, and quotes in replies.

use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn mentions_resolve_to_members_of_the_room() {
    let server = TestServer::start().await;
    let (ann, smith) = (server.user("ann").await, server.user("ann smith").await);
    let bob = server.user("bob").await;
    let said = bob
        .say(1, "@Ann Smith and @ann, not me@bob or @nobody")
        .await;
    assert_eq!(said["mentions"], json!([smith.id, ann.id]));
    assert_eq!(said["mentions_room"], false);
    assert_eq!(bob.history(1).await, std::slice::from_ref(&said));

    let room = bob.private_room("kitchen").await;
    assert_eq!(bob.say(room, "@ann").await["mentions"], json!([]));
    bob.add(room, &ann, "member").await;
    assert_eq!(bob.say(room, "@ann").await["mentions"], json!([ann.id]));
    bob.delete(&format!("rooms/{room}/members/{}", ann.id))
        .await
        .done();
    assert_eq!(bob.say(room, "@ann").await["mentions"], json!([]));

    let path = format!("messages/{}", said["id"]);
    let edited = bob.patch(&path, json!({ "content": "@bob" })).await.ok(200);
    assert_eq!(edited["mentions"], json!([bob.id]));
    let gone = bob.delete(&path).await.ok(200);
    assert_eq!(gone["mentions"], json!([]));
}

#[tokio::test]
async fn code_and_addresses_mention_nobody() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    for text in [
        "`@bob`",
        "``a ` @bob``",
        "```\n@bob\n```",
        "> ```\n> @bob",
        "https://m.example/@bob",
        "„https://m.example/@bob“",
        "www.m.example/@bob",
        "mail ann@bob.example or bob@bob.example",
        "\\@bob",
    ] {
        assert_eq!(ann.say(1, text).await["mentions"], json!([]), "{text}");
    }
    let told = bob.get("notifications").await.ok(200);
    assert_eq!(told["items"], json!([]));
    for text in ["*@bob*", "> @bob", "- (@bob)", "`a` @bob", "**@bob** `"] {
        assert_eq!(
            ann.say(1, text).await["mentions"],
            json!([bob.id]),
            "{text}"
        );
    }
}

#[tokio::test]
async fn quotes_and_notifications_are_cut_between_graphemes() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
    for (character, kept) in [(family, 134), ("e\u{301}", 139), ("🇩🇪", 139)] {
        let lead = format!("@bob {}", "x".repeat(kept - 5));
        let said = ann.say(1, &format!("{lead}{character} and more")).await;
        let body = json!({ "content": "yes", "reply_to": said["id"] });
        let answer = bob.post("rooms/1/messages", body).await.ok(201);
        assert_eq!(answer["reply"]["content"], lead);
        let told = bob.get("notifications").await.ok(200);
        assert_eq!(told["items"][0]["text"], lead);
    }
}

#[tokio::test]
async fn mentions_follow_a_rename_at_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    assert_eq!(bob.say(1, "@ann").await["mentions"], json!([ann.id]));
    ann.patch("me", json!({ "username": "anna" })).await.ok(200);
    assert_eq!(bob.say(1, "@anna @ann").await["mentions"], json!([ann.id]));
    let cem = server.user("cem").await;
    assert_eq!(bob.say(1, "@cem").await["mentions"], json!([cem.id]));
}

#[tokio::test]
async fn only_moderators_may_mention_the_room() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.private_room("kitchen").await;
    ann.add(room, &bob, "moderator").await;
    ann.add(room, &cem, "member").await;
    for (who, room, called) in [
        (&ann, room, true),
        (&bob, room, true),
        (&cem, room, false),
        (&ann, 1, false),
        (&root, 1, true),
        (&ann, ann.direct_room(&bob).await, false),
    ] {
        let said = who.say(room, "look, @room!").await;
        assert_eq!(said["mentions_room"], called, "{}", who.name);
        assert_eq!(said["mentions"], json!([]));
    }
}

#[tokio::test]
async fn a_reply_quotes_the_original_message() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let long = "ä".repeat(200);
    let first = ann.say(1, &long).await;
    let body = json!({ "content": "yes", "reply_to": first["id"] });
    let second = bob.post("rooms/1/messages", body).await.ok(201);
    assert_eq!(
        second["reply"],
        json!({ "id": first["id"], "sender": first["sender"], "content": "ä".repeat(140), "deleted": false })
    );
    assert_eq!(ann.history(1).await, [first.clone(), second.clone()]);
    let path = format!("messages/{}", second["id"]);
    assert_eq!(ann.get(&path).await.ok(200), second);

    ann.delete(&format!("messages/{}", first["id"]))
        .await
        .ok(200);
    let quote = &ann.get(&path).await.ok(200)["reply"];
    assert_eq!(
        (&quote["content"], &quote["deleted"]),
        (&json!(""), &json!(true))
    );
}

#[tokio::test]
async fn cleared_messages_cannot_be_replied_to() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.public_room("kitchen").await;
    let first = ann.say(room, "secret").await;
    ann.post(&format!("rooms/{room}/clear"), Value::Null)
        .await
        .ok(200);
    let body = json!({ "content": "what?", "reply_to": first["id"] });
    ann.post(&format!("rooms/{room}/messages"), body)
        .await
        .refused(404, "not_found");
}
