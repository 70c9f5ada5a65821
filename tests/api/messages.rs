//! Messages over HTTP: sending, resending, paging, editing, deleting, read cursors.

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::*;

const LOBBY: &str = "rooms/1/messages";

#[tokio::test]
async fn a_message_comes_back_as_it_was_sent() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let first = ann.say(1, "\n \n\thi\n\tthere \n").await;
    let uuid = Uuid::new_v4().to_string();
    let body = json!({ "content": "ä 👩‍👩‍👧", "uuid": uuid, "reply_to": first["id"], "sent_at": "2026-01-02T03:04:05.678+01:00" });
    let second = ann.post(LOBBY, body).await.ok(201);
    assert_keys(&second, MESSAGE);
    assert_eq!(first["content"], "\thi\n\tthere");
    assert_eq!(
        (&second["uuid"], &second["reply_to"]),
        (&json!(uuid), &first["id"])
    );
    assert_eq!(
        (&second["sent_at"], &second["content"]),
        (&json!("2026-01-02T02:04:05.678Z"), &json!("ä 👩‍👩‍👧"))
    );
    assert_eq!(
        (&second["edited_at"], &second["deleted_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&second["change_id"], &second["sender"]["id"]),
        (&second["id"], &json!(ann.id))
    );
    assert!(id(&second) > id(&first));
    assert_eq!(
        ann.get(&format!("messages/{}", second["id"])).await.ok(200),
        second
    );
    assert_eq!(ann.history(1).await, [first, second]);
}

#[tokio::test]
async fn invalid_messages_are_refused_with_the_field() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let elsewhere = ann.public_room("elsewhere").await;
    let foreign = ann.say(elsewhere, "there").await;
    ann.post(LOBBY, json!({ "content": "ä".repeat(4000) }))
        .await
        .ok(201);
    for (body, field) in [
        (json!({ "content": "" }), "content"),
        (json!({ "content": " \n\t\u{a0}" }), "content"),
        (json!({ "content": "ä".repeat(4001) }), "content"),
        (json!({ "content": "a\u{0}b" }), "content"),
        (json!({ "content": "a\u{1b}b" }), "content"),
        (json!({ "content": "a", "sent_at": "yesterday" }), "sent_at"),
        (json!({ "content": "a", "sent_at": "" }), "sent_at"),
    ] {
        ann.post(LOBBY, body.clone()).await.invalid(field);
    }
    for reply_to in [json!(999_999), foreign["id"].clone(), json!(-1), json!(0)] {
        let body = json!({ "content": "a", "reply_to": reply_to });
        ann.post(LOBBY, body).await.refused(404, "not_found");
    }
    for (body, field) in [
        (json!({ "content": "a", "uuid": "x" }), "uuid"),
        (json!({ "content": 7 }), "content"),
        (json!({ "content": "a", "reply_to": "1" }), "reply_to"),
        (json!({ "content": "a", "reply_to": 1.5 }), "reply_to"),
    ] {
        let problem = ann.post(LOBBY, body).await.refused(400, "bad_json");
        assert_eq!(problem["field"], field);
    }
}

#[tokio::test]
async fn resending_a_uuid_returns_the_same_message() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut watching = ann.watch(1).await;
    let body = json!({ "content": "once", "uuid": Uuid::new_v4() });
    let first = ann.post(LOBBY, body.clone()).await.ok(201);
    assert_eq!(ann.post(LOBBY, body.clone()).await.ok(200), first);
    let other = json!({ "content": "another text", "uuid": body["uuid"] });
    assert_eq!(ann.post(LOBBY, other).await.ok(200), first);
    let server = server.restart().await;
    let ann = server.log_in("ann").await;
    assert_eq!(ann.post(LOBBY, body).await.ok(200), first);
    assert_eq!(ann.history(1).await.len(), 1);
    assert_eq!(watching.event("message").await["message"], first);
}

#[tokio::test]
async fn a_uuid_of_another_message_is_refused_and_reveals_nothing() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (secret, his) = (
        ann.private_room("secret").await,
        bob.public_room("his").await,
    );
    let body = json!({ "content": "psst", "uuid": Uuid::new_v4() });
    ann.post(&format!("rooms/{secret}/messages"), body.clone())
        .await
        .ok(201);
    let told = bob
        .post(&format!("rooms/{his}/messages"), body.clone())
        .await;
    told.taken("uuid");
    assert!(!String::from_utf8_lossy(&told.body).contains("psst"));
    // Even the sender's own uuid is refused in another room.
    ann.post(LOBBY, body).await.taken("uuid");
}

#[tokio::test]
async fn history_is_paged_both_ways_and_always_oldest_first() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(id(&ann.say(1, &number.to_string()).await));
    }
    let page = async |query: String| {
        let page = ann.get(&format!("{LOBBY}?{query}")).await.ok(200);
        let items = page["items"].as_array().unwrap();
        (
            each(items, "content").concat(),
            page["more"].as_bool().unwrap(),
        )
    };
    assert_eq!(page(String::new()).await, ("0123456".into(), false));
    assert_eq!(page("limit=3".into()).await, ("456".into(), true));
    assert_eq!(
        page(format!("before={}&limit=3", ids[4])).await,
        ("123".into(), true)
    );
    assert_eq!(
        page(format!("before={}&limit=3", ids[1])).await,
        ("0".into(), false)
    );
    assert_eq!(page("after=0&limit=3".into()).await, ("012".into(), true));
    assert_eq!(
        page(format!("after={}&limit=3", ids[3])).await,
        ("456".into(), false)
    );
    assert_eq!(
        page(format!("after={}&before={}&limit=9", ids[1], ids[4])).await,
        ("23".into(), false)
    );
    assert_eq!(
        page(format!("after={}", ids[6])).await,
        (String::new(), false)
    );
}

#[tokio::test]
async fn invalid_page_parameters_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("before=-1", "before"),
        ("before=x", "before"),
        ("after=99999999999999999999", "after"),
    ] {
        for list in [LOBBY, "users", "rooms/public", "rooms/1/members"] {
            let problem = ann
                .get(&format!("{list}?{query}"))
                .await
                .refused(400, "bad_query");
            assert_eq!(problem["field"], field);
        }
    }
}

#[tokio::test]
async fn only_the_sender_edits_a_message() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut watching = bob.watch(1).await;
    let said = ann.say(1, "frist").await;
    let path = format!("messages/{}", said["id"]);
    for other in [&bob, &root] {
        other
            .patch(&path, json!({ "content": "x" }))
            .await
            .refused(403, "forbidden");
    }
    ann.patch(&path, json!({ "content": " " }))
        .await
        .invalid("content");
    let edited = ann
        .patch(&path, json!({ "content": "first" }))
        .await
        .ok(200);
    assert_keys(&edited, MESSAGE);
    assert_eq!(
        (&edited["content"], &edited["id"], &edited["uuid"]),
        (&json!("first"), &said["id"], &said["uuid"])
    );
    assert_time(&edited["edited_at"]);
    assert!(edited["change_id"].as_i64() > said["change_id"].as_i64());
    assert_eq!(
        watching.event("edited").await,
        json!({ "event": "edited", "message": edited })
    );
    // Saving the same text changes nothing.
    assert_eq!(
        ann.patch(&path, json!({ "content": "first" }))
            .await
            .ok(200),
        edited
    );
    assert_eq!(
        watching
            .events()
            .await
            .iter()
            .filter(|event| event["event"] == "edited")
            .count(),
        0
    );
}

#[tokio::test]
async fn a_deleted_message_is_a_tombstone() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut watching = bob.watch(1).await;
    let (said, other) = (ann.say(1, "oops").await, ann.say(1, "rude").await);
    let path = format!("messages/{}", said["id"]);
    bob.delete(&path).await.refused(403, "forbidden");
    let gone = ann.delete(&path).await.ok(200);
    assert_keys(&gone, MESSAGE);
    assert_eq!(
        (&gone["content"], &gone["sender"]["id"]),
        (&json!(""), &json!(ann.id))
    );
    assert_time(&gone["deleted_at"]);
    assert!(gone["change_id"].as_i64() > other["change_id"].as_i64());
    assert_eq!(
        watching.event("deleted").await,
        json!({ "event": "deleted", "message": gone })
    );
    assert_eq!(ann.delete(&path).await.ok(200), gone);
    ann.patch(&path, json!({ "content": "back" }))
        .await
        .refused(404, "not_found");
    assert_eq!(ann.get(&path).await.ok(200), gone);

    let gone_too = root
        .delete(&format!("messages/{}", other["id"]))
        .await
        .ok(200);
    assert_eq!(ann.history(1).await, [gone, gone_too]);
    assert_eq!(ann.overview(1).await.unwrap()["last_message"], Value::Null);
    for id in ["999999", "0", "-1", "x", "99999999999999999999"] {
        ann.get(&format!("messages/{id}"))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn unread_counts_new_messages_of_others_up_to_100() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let unread = async |who: &Persona| who.overview(1).await.unwrap()["unread"].as_i64().unwrap();
    let first = bob.say(1, "1").await;
    let second = bob.say(1, "2").await;
    ann.say(1, "mine").await;
    assert_eq!((unread(&ann).await, unread(&bob).await), (2, 1));
    let read = |message: i64| {
        ann.call(
            "POST",
            "rooms/1/read",
            Some(json!({ "message_id": message })),
        )
    };
    read(id(&first)).await.done();
    assert_eq!(unread(&ann).await, 1);
    bob.delete(&format!("messages/{}", second["id"]))
        .await
        .ok(200);
    assert_eq!(unread(&ann).await, 0);
    let mut socket = bob.connect().await;
    for number in 0..101 {
        socket
            .send(json!({ "op": "send", "room": 1, "content": number.to_string() }))
            .await;
    }
    let last = socket
        .ok(json!({ "op": "send", "room": 1, "content": "last" }))
        .await;
    assert_eq!(unread(&ann).await, 100);
    // The read cursor never moves back, nor beyond the newest message.
    read(1 << 50).await.done();
    assert_eq!(
        ann.overview(1).await.unwrap()["last_read_id"],
        last["message"]["id"]
    );
    read(id(&first)).await.done();
    assert_eq!(
        ann.overview(1).await.unwrap()["last_read_id"],
        last["message"]["id"]
    );
    // Messages older than the account do not count as unread.
    assert_eq!(unread(&server.user("cem").await).await, 0);
}

#[tokio::test]
async fn a_direct_room_shows_how_far_the_other_has_read() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.direct_room(&bob).await;
    let said = ann.say(room, "hello").await;
    assert_eq!(ann.overview(room).await.unwrap()["other_read_id"], 0);
    let mut watching = ann.connect().await;
    bob.post(
        &format!("rooms/{room}/read"),
        json!({ "message_id": said["id"] }),
    )
    .await
    .done();
    let heard = watching.event("read").await;
    assert_eq!(
        heard,
        json!({ "event": "read", "room": room, "user_id": bob.id, "last_read_id": said["id"] })
    );
    assert_eq!(
        ann.overview(room).await.unwrap()["other_read_id"],
        said["id"]
    );
}

#[tokio::test]
async fn messages_are_limited_per_person() {
    let server = TestServer::start_with(|config| {
        config.limits.messages_per_second = 1.try_into().ok();
        config.limits.messages_burst = 5;
    })
    .await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut socket = ann.connect().await;
    let body = || json!({ "content": "x" });
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(ann.post(LOBBY, body()).await.ok(201));
    }
    let reply = ann.post(LOBBY, body()).await;
    reply.refused(429, "limited");
    assert!(
        ["1", "2"].contains(&reply.header("retry-after")),
        "{:?}",
        reply.headers
    );
    let path = format!("messages/{}", said[0]["id"]);
    ann.patch(&path, body()).await.refused(429, "limited");
    ann.delete(&path).await.refused(429, "limited");
    socket
        .refused(
            json!({ "op": "send", "room": 1, "content": "x" }),
            "limited",
        )
        .await;
    bob.post(LOBBY, body()).await.ok(201);
}

#[tokio::test]
async fn invisible_text_is_refused_everywhere() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let said = ann.say(1, "seen").await;
    for text in [
        "\u{3164}",
        "\u{200b}\u{200b}",
        "\u{2800}\n\u{2800}",
        "\u{202e}\u{feff}",
    ] {
        let body = json!({ "content": text });
        ann.post(LOBBY, body.clone()).await.invalid("content");
        let path = format!("messages/{}", said["id"]);
        ann.patch(&path, body).await.invalid("content");
        let realtime = json!({ "content": text });
        assert_eq!(ann.post("/api/messages", realtime).await.status, 400);
        let room = json!({ "name": "room", "description": text });
        ann.post("rooms", room).await.invalid("description");
    }
    // A combining mark alone is visible.
    ann.say(1, "\u{301}").await;
}
