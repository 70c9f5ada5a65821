//! Reactions: adding, removing, resuming.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::support::*;

fn path(message: &Value, emoji: &str) -> String {
    let emoji = utf8_percent_encode(emoji, NON_ALPHANUMERIC);
    format!("messages/{}/reactions/{emoji}", message["id"])
}

async fn react(who: &Persona, message: &Value, emoji: &str) -> Value {
    who.call("PUT", &path(message, emoji), None).await.ok(200)
}

#[tokio::test]
async fn reactions_are_counted_by_emoji_and_sent_to_subscribers() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut watching = ann.watch(1).await;
    let said = ann.say(1, "pizza?").await;
    assert_eq!(said["reactions"], json!([]));

    let once = react(&bob, &said, "👍🏽").await;
    assert_keys(&once, MESSAGE);
    assert!(once["change_id"].as_i64() > said["change_id"].as_i64());
    assert_eq!(once["edited_at"], Value::Null);
    let heard = watching.event("reaction").await;
    assert_eq!(heard, json!({ "event": "reaction", "message": once }));

    react(&ann, &said, "❤️").await;
    let all = react(&ann, &said, "👍🏽").await;
    let expected = json!([
        { "emoji": "👍🏽", "count": 2, "user_ids": [bob.id, ann.id] },
        { "emoji": "❤️", "count": 1, "user_ids": [ann.id] },
    ]);
    assert_eq!(all["reactions"], expected);
    assert_eq!(ann.history(1).await, std::slice::from_ref(&all));
    // Repeating a reaction changes nothing.
    assert_eq!(react(&ann, &said, "❤️").await, all);

    let less = bob.delete(&path(&said, "👍🏽")).await.ok(200);
    assert_eq!(less["reactions"][0]["user_ids"], json!([ann.id]));
    assert_eq!(bob.delete(&path(&said, "👍🏽")).await.ok(200), less);
    for _ in 0..2 {
        watching.event("reaction").await;
    }
    assert_eq!(watching.event("reaction").await["message"], less);
}

#[tokio::test]
async fn reacting_works_over_the_socket() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let said = ann.say(1, "hi").await;
    let mut socket = ann.connect().await;
    let op = |emoji: &str| json!({ "op": "react", "message": said["id"], "emoji": emoji });
    let answer = socket.ok(op("🎉")).await;
    assert_eq!(answer["message"]["reactions"][0]["emoji"], "🎉");
    let mut back = op("🎉");
    back["on"] = false.into();
    assert_eq!(socket.ok(back).await["message"]["reactions"], json!([]));
    let error = socket.refused(op("hello"), "invalid").await;
    assert_eq!(error["field"], "emoji");
}

#[tokio::test]
async fn resuming_includes_reactions() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (first, second) = (ann.say(1, "1").await, ann.say(1, "2").await);
    let known = second["change_id"].as_i64().unwrap();
    let reacted = react(&bob, &first, "👀").await;
    let mut socket = ann.connect().await;
    assert_eq!(
        socket.resume_all(1, known).await,
        std::slice::from_ref(&reacted)
    );
    let server = server.restart().await;
    let ann = server.log_in("ann").await;
    let mut socket = ann.connect().await;
    assert_eq!(
        socket.resume_all(1, known).await,
        std::slice::from_ref(&reacted)
    );
    assert_eq!(ann.history(1).await, [reacted, second]);
}

#[tokio::test]
async fn reacting_needs_permission_to_post() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (open, closed) = (
        ann.public_room("open").await,
        ann.private_room("closed").await,
    );
    let (shown, hidden) = (ann.say(open, "a").await, ann.say(closed, "b").await);
    let put =
        async |message: &Value, emoji: &str| bob.call("PUT", &path(message, emoji), None).await;
    put(&shown, "👍").await.refused(403, "forbidden");
    put(&hidden, "👍").await.refused(404, "not_found");
    put(&json!({ "id": 999_999 }), "👍")
        .await
        .refused(404, "not_found");
    ann.add(open, &bob, "member").await;
    for text in ["ok", "👍👍", "%"] {
        put(&shown, text).await.invalid("emoji");
    }
    let mute = json!({ "muted_until": "2999-01-01T00:00:00Z" });
    let member = format!("rooms/{open}/members/{}", bob.id);
    ann.patch(&member, mute).await.ok(200);
    put(&shown, "👍").await.refused(403, "muted");
    ann.delete(&format!("messages/{}", shown["id"]))
        .await
        .ok(200);
    ann.call("PUT", &path(&shown, "👍"), None)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_message_takes_20_different_emoji_and_a_tombstone_none() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let said = ann.say(1, "hi").await;
    let emoji = |number: u32| char::from_u32(0x1f600 + number).unwrap().to_string();
    for number in 0..20 {
        react(&ann, &said, &emoji(number)).await;
    }
    bob.call("PUT", &path(&said, &emoji(20)), None)
        .await
        .invalid("emoji");
    let joined = react(&bob, &said, &emoji(3)).await;
    assert_eq!(joined["reactions"][3]["count"], 2);
    let gone = ann
        .delete(&format!("messages/{}", said["id"]))
        .await
        .ok(200);
    assert_eq!(gone["reactions"], json!([]));
    assert_eq!(ann.history(1).await, [gone]);
}

#[tokio::test]
async fn emoji_variants_are_one_reaction_also_in_older_databases() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let said = ann.say(1, "hi").await;
    react(&ann, &said, "❤\u{fe0f}").await;
    let both = react(&bob, &said, "❤").await;
    let one = |people: &[i64]| json!([{ "emoji": "❤\u{fe0f}", "count": people.len(), "user_ids": people }]);
    assert_eq!(both["reactions"], one(&[ann.id, bob.id]));
    // Repeating it in either form changes nothing.
    assert_eq!(react(&ann, &said, "❤").await, both);
    let less = ann.delete(&path(&said, "❤")).await.ok(200);
    assert_eq!(less["reactions"], one(&[bob.id]));
    // Earlier versions stored the two forms as different reactions.
    server.edit_file(&format!(
        "INSERT INTO reactions SELECT message_id, {ann}, '❤', change_id + 1 FROM reactions;
         INSERT INTO reactions SELECT message_id, user_id, '❤\u{fe0f}', change_id + 2 FROM reactions WHERE user_id = {ann};
         INSERT OR IGNORE INTO reactions SELECT message_id, user_id, '❤', change_id + 3 FROM reactions WHERE user_id = {bob}",
        ann = ann.id,
        bob = bob.id,
    ));
    let shown = ann.history(1).await;
    assert_eq!(shown[0]["reactions"], one(&[bob.id, ann.id]));
    let less = ann.delete(&path(&said, "❤\u{fe0f}")).await.ok(200);
    assert_eq!(less["reactions"], one(&[bob.id]));
}
