//! Members over HTTP: listing, adding, roles, muting, kicking.

use serde_json::{Value, json};

use super::support::*;

fn path(room: i64, member: &Persona) -> String {
    format!("rooms/{room}/members/{}", member.id)
}

fn in_an_hour() -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339()
}

#[tokio::test]
async fn members_are_listed_by_user_id() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = bob.private_room("ours").await;
    bob.add(room, &cem, "moderator").await;
    bob.add(room, &ann, "member").await;
    let list = ann.get(&format!("rooms/{room}/members")).await.items();
    list.iter().for_each(|member| assert_keys(member, MEMBER));
    let told: Vec<_> = list
        .iter()
        .map(|member| {
            (
                member["person"]["id"].as_i64().unwrap(),
                member["role"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [(ann.id, "member"), (bob.id, "owner"), (cem.id, "moderator")]
    );
    let page = ann
        .get(&format!("rooms/{room}/members?after={}&limit=1", ann.id))
        .await
        .ok(200);
    assert_eq!(
        (&page["items"][0]["person"]["id"], &page["more"]),
        (&json!(bob.id), &json!(true))
    );
}

#[tokio::test]
async fn adding_a_member_notifies_them_and_the_room() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("ours").await;
    let (mut hers, mut his) = (ann.watch(room).await, bob.connect().await);
    let body = json!({ "user_id": bob.id });
    let members = format!("rooms/{room}/members");
    let add = || ann.call("POST", &members, Some(body.clone()));
    let member = add().await.ok(201);
    assert_keys(&member, MEMBER);
    assert_eq!(
        (&member["role"], &member["muted_until"]),
        (&json!("member"), &Value::Null)
    );
    assert_eq!(hers.event("joined").await["member"], member);
    assert_eq!(his.event("room_created").await["room"]["id"], room);
    add().await.refused(409, "already_member");
    ann.post(&members, json!({ "user_id": 999 }))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn deleted_accounts_cannot_be_added() {
    let server = TestServer::start().await;
    let (ann, gus) = (server.user("ann").await, server.guest("gus").await);
    gus.call("DELETE", "me", Some(json!({}))).await.done();
    let room = ann.private_room("ours").await;
    let reply = ann
        .post(
            &format!("rooms/{room}/members"),
            json!({ "user_id": gus.id }),
        )
        .await;
    reply.refused(404, "not_found");
}

#[tokio::test]
async fn only_the_owner_changes_roles() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "moderator").await;
    ann.add(room, &cem, "member").await;
    let mut watching = cem.watch(room).await;
    let role = |role: &str| json!({ "role": role });
    let member = ann
        .patch(&path(room, &cem), role("moderator"))
        .await
        .ok(200);
    assert_keys(&member, MEMBER);
    assert_eq!(watching.event("member_changed").await["member"], member);
    bob.patch(&path(room, &cem), role("member"))
        .await
        .refused(403, "forbidden");
    ann.patch(&path(room, &cem), role("owner"))
        .await
        .invalid("role");
    ann.patch(&path(room, &ann), role("member"))
        .await
        .refused(409, "owner");
    ann.patch(&format!("rooms/{room}/members/999"), role("member"))
        .await
        .refused(409, "not_member");
}

#[tokio::test]
async fn muted_members_cannot_send_or_edit_until_the_mute_ends() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "moderator").await;
    ann.add(room, &cem, "member").await;
    let said = cem.say(room, "once").await;
    let mut socket = cem.watch(room).await;
    let cems = path(room, &cem);
    let mute = |until: Value| bob.call("PATCH", &cems, Some(json!({ "muted_until": until })));
    assert_time(&mute(json!(in_an_hour())).await.ok(200)["muted_until"]);
    assert_time(&cem.overview(room).await.unwrap()["muted_until"]);
    assert_time(&socket.event("member_changed").await["member"]["muted_until"]);

    let messages = format!("rooms/{room}/messages");
    cem.post(&messages, json!({ "content": "x" }))
        .await
        .refused(403, "muted");
    let own = format!("messages/{}", said["id"]);
    cem.patch(&own, json!({ "content": "x" }))
        .await
        .refused(403, "muted");
    socket
        .refused(
            json!({ "op": "send", "room": room, "content": "x" }),
            "muted",
        )
        .await;
    cem.say(1, "elsewhere").await;
    cem.delete(&own).await.ok(200);

    assert_eq!(mute(Value::Null).await.ok(200)["muted_until"], Value::Null);
    cem.say(room, "again").await;
    mute(json!("2020-01-01T00:00:00Z")).await.ok(200);
    cem.say(room, "long over").await;
    mute(json!("tomorrow")).await.invalid("muted_until");
}

#[tokio::test]
async fn moderators_cannot_mute_or_kick_each_other() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.public_room("open").await;
    for moderator in [&bob, &cem] {
        ann.add(room, moderator, "moderator").await;
    }
    let mute = json!({ "muted_until": in_an_hour() });
    bob.patch(&path(room, &cem), mute.clone())
        .await
        .refused(403, "forbidden");
    bob.delete(&path(room, &cem))
        .await
        .refused(403, "forbidden");
    for target in [&bob, &root] {
        target.delete(&path(room, &ann)).await.refused(409, "owner");
    }
    root.patch(&path(room, &cem), mute).await.ok(200);
    ann.delete(&path(room, &cem)).await.done();
}

#[tokio::test]
async fn a_kicked_subscriber_gets_one_left_event_and_nothing_more() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("ours").await;
    ann.add(room, &bob, "member").await;
    let mut watching = bob.watch(room).await;
    let mut elsewhere = bob.connect().await;
    let mut owner = ann.watch(room).await;
    ann.delete(&path(room, &bob)).await.done();
    ann.delete(&path(room, &bob))
        .await
        .refused(409, "not_member");
    ann.say(room, "among us").await;
    for socket in [&mut watching, &mut elsewhere, &mut owner] {
        let left = socket.event("left").await;
        assert_keys(&left, "event room user by reason");
        assert_eq!(
            (&left["reason"], &left["by"]["id"], &left["user"]["id"]),
            (&json!("kicked"), &json!(ann.id), &json!(bob.id))
        );
    }
    watching
        .refused(
            json!({ "op": "resume", "room": room, "after": 0 }),
            "not_found",
        )
        .await;
    watching
        .refused(
            json!({ "op": "send", "room": room, "content": "x" }),
            "not_found",
        )
        .await;
    // The event of a new direct room follows everything that was sent in the room before.
    let direct = ann.direct_room(&bob).await;
    watching.event("room_created").await;
    let told = watching.event("notification").await;
    assert_eq!(told["notification"]["kind"], "removed");
    let heard = watching.events().await;
    assert!(
        heard.iter().all(|event| event["event"] == "presence"),
        "{heard:?}"
    );
    assert_eq!(
        bob.connect().await.welcome["rooms"]
            .as_array()
            .unwrap()
            .iter()
            .map(id)
            .collect::<Vec<_>>(),
        [1, direct]
    );
}

#[tokio::test]
async fn kicked_members_cannot_rejoin_a_private_room_until_added_again() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("ours").await;
    ann.patch(&format!("rooms/{room}"), json!({ "access_key": "k" }))
        .await
        .ok(200);
    let join = || bob.call("POST", "rooms/join", Some(json!({ "access_key": "k" })));
    join().await.ok(200);
    bob.call("POST", &format!("rooms/{room}/leave"), None)
        .await
        .done();
    join().await.ok(200);
    ann.delete(&path(room, &bob)).await.done();
    join().await.refused(404, "not_found");
    ann.add(room, &bob, "member").await;
    bob.call("POST", &format!("rooms/{room}/leave"), None)
        .await
        .done();
    join().await.ok(200);
}

#[tokio::test]
async fn kicked_members_can_read_and_rejoin_a_public_room() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "member").await;
    let mut watching = bob.watch(room).await;
    ann.delete(&path(room, &bob)).await.done();
    assert_eq!(watching.event("left").await["reason"], "kicked");
    // The subscription ended with the membership, so the room is resumed.
    let said = ann.say(room, "to all who read").await;
    assert_eq!(watching.resume_all(room, 0).await, [said]);
    ann.say(room, "to all who watch").await;
    watching.event("message").await;
    let body = json!({ "content": "x" });
    bob.post(&format!("rooms/{room}/messages"), body)
        .await
        .refused(403, "forbidden");
    bob.call("POST", &format!("rooms/{room}/join"), None)
        .await
        .ok(200);
}
