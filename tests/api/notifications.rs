//! Notifications: mentions, replies, direct messages and custom ones, live, listed, paged and marked as read.

use serde_json::{Value, json};

use super::support::*;

async fn listed(who: &Persona) -> Vec<Value> {
    let items = who.get("notifications").await.items();
    for item in &items {
        assert_keys(item, NOTIFICATION);
    }
    items
}

async fn kinds(who: &Persona) -> Vec<String> {
    let kind = |item: &Value| item["kind"].as_str().unwrap().to_owned();
    listed(who).await.iter().map(kind).collect()
}

async fn unread(who: &Persona) -> i64 {
    who.connect().await.welcome["unread_notifications"]
        .as_i64()
        .unwrap()
}

async fn answer(who: &Persona, to: &Value, content: &str) -> Value {
    let path = format!("rooms/{}/messages", to["room_id"]);
    who.post(&path, json!({ "content": content, "reply_to": to["id"] }))
        .await
        .ok(201)
}

#[tokio::test]
async fn a_mention_notifies_live_and_is_listed_after_a_restart() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut socket = ann.connect().await;
    assert_eq!(socket.welcome["unread_notifications"], 0);
    let said = bob.say(1, "@ann @bob look").await;
    let heard = socket.event("notification").await;
    assert_eq!(heard["new"], true);
    let notification = &heard["notification"];
    assert_keys(notification, NOTIFICATION);
    assert_eq!(
        notification,
        &json!({ "id": said["id"], "kind": "mention", "room_id": 1, "message_id": said["id"], "by": said["sender"],
            "title": "Lobby", "text": "@ann @bob look", "content": null, "created_at": said["created_at"], "read": false })
    );
    assert_eq!(listed(&ann).await, std::slice::from_ref(notification));
    assert_eq!(unread(&ann).await, 1);
    // Senders are not notified of their own messages, and a message without a mention notifies nobody.
    bob.say(1, "plain").await;
    assert_eq!((kinds(&bob).await.len(), kinds(&ann).await.len()), (0, 1));
    let server = server.restart().await;
    assert_eq!(listed(&server.log_in("ann").await).await.len(), 1);
}

#[tokio::test]
async fn a_reply_notifies_its_author_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let said = ann.say(1, "who comes?").await;
    answer(&bob, &said, "me").await;
    answer(&bob, &said, "@ann me").await;
    answer(&ann, &said, "good").await;
    assert_eq!(kinds(&ann).await, ["mention", "reply"]);
}

#[tokio::test]
async fn an_edit_notifies_only_newly_mentioned_people() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let said = cem.say(1, "@ann").await;
    let path = format!("messages/{}", said["id"]);
    let body = json!({ "content": "@ann @bob" });
    let edited = cem.patch(&path, body).await.ok(200);
    assert_eq!(kinds(&ann).await, ["mention"]);
    let told = listed(&bob).await;
    assert_eq!(
        (&told[0]["id"], &told[0]["message_id"]),
        (&edited["change_id"], &said["id"])
    );
    assert_eq!(listed(&ann).await[0]["text"], "@ann @bob");
    cem.delete(&path).await.ok(200);
    assert_eq!((unread(&ann).await, unread(&bob).await), (0, 0));
}

#[tokio::test]
async fn an_edit_removes_notifications_of_people_no_longer_mentioned() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let mut hers = ann.connect().await;
    let first = ann.say(1, "who cooks?").await;
    let said = answer(&bob, &first, "@ann @cem cook").await;
    let path = format!("messages/{}", said["id"]);
    let edit = async |text: &str| bob.patch(&path, json!({ "content": text })).await.ok(200);
    assert_eq!(
        (kinds(&ann).await, kinds(&cem).await),
        (vec!["mention".to_owned()], vec!["mention".to_owned()])
    );
    let mut his = cem.connect().await;
    edit("@ann cooks").await;
    assert_eq!(his.event("notifications_read").await["unread"], 0);
    assert!(listed(&cem).await.is_empty());
    assert_eq!(kinds(&ann).await, ["mention"]);
    // Ann is no longer mentioned, but the message still replies to hers.
    edit("nobody cooks").await;
    assert_eq!(kinds(&ann).await, ["reply"]);
    assert_eq!(unread(&ann).await, 1);
    edit("@cem cooks").await;
    assert_eq!(kinds(&cem).await, ["mention"]);
    // Notifications that are already read are removed as well.
    cem.post("notifications/read", json!({"through": i64::MAX}))
        .await
        .ok(200);
    edit("take-away").await;
    assert!(listed(&cem).await.is_empty());
    assert!(
        hers.events()
            .await
            .iter()
            .all(|event| event["event"] != "notifications_read")
    );
}

#[tokio::test]
async fn an_edit_without_the_room_mention_removes_its_notifications() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.private_room("kitchen").await;
    ann.add(room, &bob, "member").await;
    ann.add(room, &cem, "member").await;
    let mark = json!({"through": i64::MAX});
    for somebody in [&bob, &cem] {
        somebody
            .post("notifications/read", mark.clone())
            .await
            .ok(200);
    }
    let said = ann.say(room, "@room dinner").await;
    assert_eq!((unread(&bob).await, unread(&cem).await), (1, 1));
    let path = format!("messages/{}", said["id"]);
    ann.patch(&path, json!({"content": "@bob dinner"}))
        .await
        .ok(200);
    assert_eq!((unread(&bob).await, unread(&cem).await), (1, 0));
}

#[tokio::test]
async fn direct_messages_have_one_notification_until_read() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = bob.direct_room(&ann).await;
    let mut socket = ann.connect().await;
    bob.say(room, "one").await;
    let two = bob.say(room, "two @ann").await;
    let mut heard = Vec::new();
    for _ in 0..2 {
        let event = socket.event("notification").await;
        heard.push((event["new"].clone(), event["notification"]["text"].clone()));
    }
    assert_eq!(
        heard,
        [
            (json!(true), json!("one")),
            (json!(false), json!("two @ann"))
        ]
    );
    let told = listed(&ann).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["kind"], &told[0]["id"], &told[0]["title"]),
        (&json!("direct"), &two["id"], &json!(""))
    );

    let mark = json!({ "message_id": two["id"] });
    ann.post(&format!("rooms/{room}/read"), mark).await.done();
    let heard = socket.event("notifications_read").await;
    assert_eq!(heard, json!({ "event": "notifications_read", "unread": 0 }));
    bob.say(room, "three").await;
    assert_eq!(socket.event("notification").await["new"], true);
    let told = listed(&ann).await;
    assert_eq!(
        (told.len(), &told[0]["read"], &told[1]["read"]),
        (2, &json!(false), &json!(true))
    );
    assert_eq!(kinds(&bob).await.len(), 0);
}

#[tokio::test]
async fn a_room_mention_notifies_all_members_but_those_with_notify_none() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let mute = json!({ "notify": "none" });
    cem.patch("rooms/1/members/me", mute).await.ok(200);
    let mut socket = ann.connect().await;
    root.say(1, "@room @bob dinner").await;
    assert_eq!(
        socket.event("notification").await["notification"]["kind"],
        "mention"
    );
    assert_eq!(kinds(&bob).await, ["mention"]);
    assert_eq!((kinds(&cem).await.len(), kinds(&root).await.len()), (0, 0));
}

#[tokio::test]
async fn the_notify_setting_of_a_room_filters_notifications() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = bob.direct_room(&ann).await;
    let mut socket = ann.connect().await;
    let path = format!("rooms/{room}/members/me");
    let overview = ann
        .patch(&path, json!({ "notify": "mentions" }))
        .await
        .ok(200);
    assert_keys(&overview, OVERVIEW);
    assert_eq!(overview["notify"], "mentions");
    assert_eq!(
        socket.event("notify_changed").await,
        json!({ "event": "notify_changed", "room": room, "notify": "mentions" })
    );
    let mine = ann.say(room, "hello").await;
    bob.say(room, "plain").await;
    bob.say(room, "@ann").await;
    answer(&bob, &mine, "hello").await;
    assert_eq!(kinds(&ann).await, ["reply", "mention"]);
    ann.patch(&path, json!({ "notify": "none" })).await.ok(200);
    bob.say(room, "@ann").await;
    assert_eq!(kinds(&ann).await.len(), 2);

    ann.patch(&path, json!({ "notify": "some" }))
        .await
        .invalid("notify");
    let elsewhere = bob.public_room("elsewhere").await;
    let path = format!("rooms/{elsewhere}/members/me");
    ann.patch(&path, json!({ "notify": "none" }))
        .await
        .refused(409, "not_member");
    let hidden = bob.private_room("hidden").await;
    let path = format!("rooms/{hidden}/members/me");
    ann.patch(&path, json!({ "notify": "none" }))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn adding_and_removing_members_notifies_and_clears_room_notifications() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = bob.private_room("kitchen").await;
    let mut socket = ann.connect().await;
    bob.add(room, &ann, "member").await;
    let heard = socket.event("notification").await;
    let told = &heard["notification"];
    assert_eq!(
        (&told["kind"], &told["title"], &told["by"]["id"]),
        (&json!("added"), &json!("kitchen"), &json!(bob.id))
    );
    bob.say(room, "@ann secret").await;
    bob.delete(&format!("rooms/{room}/members/{}", ann.id))
        .await
        .done();
    let told = listed(&ann).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["kind"], &told[0]["title"]),
        (&json!("removed"), &json!("kitchen"))
    );
    // Joining and leaving by oneself creates no notification.
    let open = bob.public_room("open").await;
    ann.post(&format!("rooms/{open}/join"), Value::Null)
        .await
        .ok(200);
    ann.post(&format!("rooms/{open}/leave"), Value::Null)
        .await
        .done();
    assert_eq!(kinds(&ann).await.len(), 1);
}

#[tokio::test]
async fn clearing_or_deleting_a_room_removes_its_notifications() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = bob.public_room("kitchen").await;
    bob.add(room, &ann, "member").await;
    bob.say(room, "@ann").await;
    assert_eq!(unread(&ann).await, 2);
    bob.post(&format!("rooms/{room}/clear"), Value::Null)
        .await
        .ok(200);
    assert_eq!(
        (kinds(&ann).await, unread(&ann).await),
        (vec!["added".to_owned()], 1)
    );
    bob.delete(&format!("rooms/{room}")).await.done();
    assert_eq!((kinds(&ann).await.len(), unread(&ann).await), (0, 0));
}

#[tokio::test]
async fn notifications_are_paged_and_marked_as_read() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(id(&bob.say(1, "@ann").await));
    }
    let page = ann.get("notifications?limit=2").await.ok(200);
    assert_eq!(page["more"], true);
    let before = page["items"][1]["id"].as_i64().unwrap();
    assert_eq!(before, ids[3]);
    let path = format!("notifications?limit=3&before={before}");
    let page = ann.get(&path).await.ok(200);
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["more"]),
        (3, &json!(false))
    );

    let mut socket = ann.connect().await;
    let read = async |body: Value| ann.post("notifications/read", body).await;
    let left = read(json!({ "ids": [ids[4], ids[0], 999_999] }))
        .await
        .ok(200);
    assert_eq!(left, json!({ "unread": 3 }));
    assert_eq!(socket.event("notifications_read").await["unread"], 3);
    assert_eq!(
        read(json!({ "through": ids[2] })).await.ok(200)["unread"],
        1
    );
    let states: Vec<_> = listed(&ann)
        .await
        .iter()
        .map(|item| item["read"].clone())
        .collect();
    assert_eq!(states, [true, false, true, true, true].map(Value::from));
    // Marking as read affects the caller's notifications only.
    bob.post("notifications/read", json!({ "through": ids[4] }))
        .await
        .ok(200);
    assert_eq!(unread(&ann).await, 1);
    read(json!({})).await.invalid("through");
    read(json!({ "through": 1, "ids": [] }))
        .await
        .invalid("through");
    read(json!({ "ids": vec![1; 201] })).await.invalid("ids");
}

#[tokio::test]
async fn custom_notifications_are_delivered_to_their_creator_only() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut socket, mut other) = (ann.connect().await, bob.connect().await);
    let body = json!({ "title": "build", "content": { "ok": true, "took": [1, "s"] } });
    let noted = ann.post("notifications", body.clone()).await.ok(201);
    assert_keys(&noted, NOTIFICATION);
    assert_eq!(
        (&noted["kind"], &noted["title"], &noted["content"]),
        (&json!("custom"), &body["title"], &body["content"])
    );
    assert_eq!(socket.event("notification").await["notification"], noted);
    assert_eq!(listed(&ann).await, [noted]);
    assert!(other.events().await.is_empty());
    for (body, field) in [
        (json!({ "title": " ", "content": 1 }), "title"),
        (
            json!({ "title": "x", "content": "y".repeat(4096) }),
            "content",
        ),
    ] {
        ann.post("notifications", body).await.invalid(field);
    }
    ann.post("notifications", json!({ "title": "x" }))
        .await
        .refused(400, "bad_json");
}

#[tokio::test]
async fn only_the_newest_500_notifications_are_kept() {
    let server = TestServer::start_with(|config| {
        config.limits.messages_per_second = None;
    })
    .await;
    let ann = server.user("ann").await;
    for number in 0..503 {
        let body = json!({ "title": "n", "content": number });
        ann.post("notifications", body).await.ok(201);
    }
    let mut all = ann.get("notifications?limit=200").await.items();
    while let Some(last) = all.last().filter(|_| all.len() % 200 == 0) {
        let path = format!("notifications?limit=200&before={}", last["id"]);
        all.extend(ann.get(&path).await.items());
    }
    assert_eq!((all.len(), &all[499]["content"]), (500, &json!(3)));
    assert_eq!(unread(&ann).await, 100);
}
