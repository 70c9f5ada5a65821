//! Changing, transferring, clearing and deleting rooms.

use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn the_owner_changes_a_room_field_by_field() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let path = format!("rooms/{}", ann.public_room("old").await);
    bob.patch(&path, json!({ "name": "x" }))
        .await
        .refused(403, "forbidden");
    let room = ann
        .patch(&path, json!({ "name": "new", "description": "d" }))
        .await
        .ok(200);
    assert_eq!(
        (&room["name"], &room["description"], &room["kind"]),
        (&json!("new"), &json!("d"), &json!("public"))
    );
    let room = ann
        .patch(&path, json!({ "kind": "private", "access_key": "k" }))
        .await
        .ok(200);
    assert_eq!(
        (&room["name"], &room["kind"], &room["access_key"]),
        (&json!("new"), &json!("private"), &json!("k"))
    );
    assert_eq!(ann.patch(&path, json!({})).await.ok(200)["access_key"], "k");
    assert_eq!(
        ann.patch(&path, json!({ "access_key": null }))
            .await
            .ok(200)["access_key"],
        Value::Null
    );
    ann.patch(&path, json!({ "access_key": "k" })).await.ok(200);
    let room = ann.patch(&path, json!({ "kind": "public" })).await.ok(200);
    assert_eq!(
        (&room["kind"], &room["access_key"]),
        (&json!("public"), &Value::Null)
    );
    ann.patch(&path, json!({ "access_key": "k" }))
        .await
        .invalid("access_key");
    ann.patch(&path, json!({ "kind": "direct" }))
        .await
        .invalid("kind");
    ann.patch(&path, json!({ "name": "" }))
        .await
        .invalid("name");
}

#[tokio::test]
async fn subscribers_who_are_no_members_leave_a_room_made_private() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "member").await;
    let (mut member, mut stranger) = (bob.watch(room).await, cem.watch(room).await);
    ann.patch(&format!("rooms/{room}"), json!({ "kind": "private" }))
        .await
        .ok(200);
    let left = stranger.event("left").await;
    assert_eq!(
        (&left["room"], &left["reason"], &left["by"]),
        (&json!(room), &json!("closed"), &Value::Null)
    );
    ann.say(room, "among us").await;
    assert_eq!(
        member.event("message").await["message"]["content"],
        "among us"
    );
    // The next event is from the lobby; nothing came in between.
    stranger.resume_all(1, 0).await;
    ann.say(1, "to all").await;
    assert_eq!(
        stranger.event("message").await["message"]["content"],
        "to all"
    );
}

#[tokio::test]
async fn a_room_is_transferred_only_to_a_member_who_is_no_guest() {
    let server = TestServer::start().await;
    let (ann, bob, gus) = (
        server.user("ann").await,
        server.user("bob").await,
        server.guest("gus").await,
    );
    let room = ann.public_room("open").await;
    let path = format!("rooms/{room}/transfer");
    let to = |id: i64| json!({ "user_id": id });
    ann.post(&path, to(bob.id)).await.refused(409, "not_member");
    ann.add(room, &bob, "member").await;
    ann.add(room, &gus, "member").await;
    bob.post(&path, to(bob.id)).await.refused(403, "forbidden");
    ann.post(&path, to(gus.id)).await.refused(403, "forbidden");
    let mut watching = gus.watch(room).await;
    assert_eq!(
        ann.post(&path, to(bob.id)).await.ok(200)["owner_id"],
        bob.id
    );
    assert_eq!(ann.overview(room).await.unwrap()["role"], "moderator");
    assert_eq!(bob.overview(room).await.unwrap()["role"], "owner");
    assert_eq!(
        watching.event("room_changed").await["room"]["owner_id"],
        bob.id
    );
    for _ in 0..2 {
        watching.event("member_changed").await;
    }
    ann.call("POST", &format!("rooms/{room}/leave"), None)
        .await
        .done();
}

#[tokio::test]
async fn deleting_a_room_deletes_its_messages() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.public_room("doomed").await;
    ann.add(room, &bob, "moderator").await;
    let said = ann.say(room, "last words").await;
    let (mut member, mut stranger) = (bob.connect().await, cem.watch(room).await);
    let path = format!("rooms/{room}");
    bob.delete(&path).await.refused(403, "forbidden");
    ann.delete(&path).await.done();
    for socket in [&mut member, &mut stranger] {
        let heard = socket.event("room_deleted").await;
        assert_eq!(heard, json!({ "event": "room_deleted", "room": room }));
        socket
            .refused(
                json!({ "op": "send", "room": room, "content": "x" }),
                "not_found",
            )
            .await;
        socket
            .refused(
                json!({ "op": "resume", "room": room, "after": 0 }),
                "not_found",
            )
            .await;
    }
    ann.delete(&path).await.refused(404, "not_found");
    ann.get(&format!("messages/{}", said["id"]))
        .await
        .refused(404, "not_found");
    assert_eq!(bob.overview(room).await, None);
    // Room ids are not reused.
    let server = server.restart().await;
    let ann = server.log_in("ann").await;
    assert!(ann.public_room("next").await > room);
}

#[tokio::test]
async fn clearing_deletes_all_messages_so_far() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("full").await;
    ann.add(room, &bob, "moderator").await;
    let said = ann.say(room, "old").await;
    let mut watching = bob.watch(room).await;
    let path = format!("rooms/{room}/clear");
    bob.call("POST", &path, None)
        .await
        .refused(403, "forbidden");
    let cleared = ann.call("POST", &path, None).await.ok(200);
    assert_keys(&cleared, ROOM);
    assert!(cleared["cleared_through"].as_i64() >= said["id"].as_i64());
    let heard = watching.event("room_changed").await;
    assert_eq!(heard["room"]["cleared_through"], cleared["cleared_through"]);
    assert_eq!(bob.history(room).await, Vec::<Value>::new());
    bob.get(&format!("messages/{}", said["id"]))
        .await
        .refused(404, "not_found");
    let overview = bob.overview(room).await.unwrap();
    assert_eq!(
        (&overview["last_message"], &overview["unread"]),
        (&Value::Null, &json!(0))
    );
    let new = ann.say(room, "new").await;
    assert_eq!(watching.event("message").await["message"], new);
    assert_eq!(bob.history(room).await, [new]);

    ann.say(1, "in the lobby").await;
    ann.call("POST", "rooms/1/clear", None)
        .await
        .refused(403, "forbidden");
    root.call("POST", "rooms/1/clear", None).await.ok(200);
    assert_eq!(ann.history(1).await, Vec::<Value>::new());
}
