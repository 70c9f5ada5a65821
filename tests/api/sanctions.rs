//! Mutes and kicks outlive leaving the room, and a person who may not send may not edit or react either.

use serde_json::{Value, json};

use super::support::*;

fn path(room: i64, member: &Persona) -> String {
    format!("rooms/{room}/members/{}", member.id)
}

fn mute() -> Value {
    json!({ "muted_until": "2099-01-01T00:00:00Z" })
}

async fn leave(who: &Persona, room: i64) {
    let path = format!("rooms/{room}/leave");
    who.call("POST", &path, None).await.done();
}

async fn is_muted(who: &Persona, room: i64) {
    assert_time(&who.overview(room).await.unwrap()["muted_until"]);
    let body = json!({ "content": "x" });
    who.post(&format!("rooms/{room}/messages"), body)
        .await
        .refused(403, "muted");
}

#[tokio::test]
async fn a_mute_outlives_leaving_in_every_protocol() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let key = json!({ "access_key": "k" });
    let public = ann.public_room("open").await;
    let private = ann.private_room("ours").await;
    ann.patch(&format!("rooms/{private}"), key.clone())
        .await
        .ok(200);
    for room in [public, private] {
        ann.add(room, &bob, "member").await;
        ann.patch(&path(room, &bob), mute()).await.ok(200);
        leave(&bob, room).await;
    }
    bob.call("POST", &format!("rooms/{public}/join"), None)
        .await
        .ok(200);
    bob.post("rooms/join", key).await.ok(200);
    for room in [public, private] {
        is_muted(&bob, room).await;
        // Kicked and added again.
        ann.delete(&path(room, &bob)).await.done();
        ann.add(room, &bob, "member").await;
        is_muted(&bob, room).await;
    }
    // Leaving and joining through another protocol.
    let body = json!({ "room_id": public });
    bob.post("/api/room/leave", body.clone()).await.ok(200);
    bob.post("/api/room/join_public", body).await.ok(200);
    is_muted(&bob, public).await;
    // After a restart.
    let server = server.restart().await;
    let (ann, bob) = (server.log_in("ann").await, server.log_in("bob").await);
    is_muted(&bob, public).await;
    for room in [public, private] {
        let lifted = ann
            .patch(&path(room, &bob), json!({ "muted_until": null }))
            .await;
        assert_eq!(lifted.ok(200)["muted_until"], Value::Null);
        bob.say(room, "again").await;
        leave(&bob, room).await;
        ann.add(room, &bob, "member").await;
        bob.say(room, "and again").await;
    }
}

#[tokio::test]
async fn becoming_the_owner_lifts_a_mute() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "member").await;
    ann.patch(&path(room, &bob), mute()).await.ok(200);
    let body = json!({ "user_id": bob.id });
    ann.post(&format!("rooms/{room}/transfer"), body)
        .await
        .ok(200);
    bob.say(room, "mine").await;
}

#[tokio::test]
async fn a_room_ban_persists_while_the_room_is_public() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("ours").await;
    ann.add(room, &bob, "member").await;
    ann.delete(&path(room, &bob)).await.done();
    let address = format!("rooms/{room}");
    ann.patch(&address, json!({ "kind": "public" }))
        .await
        .ok(200);
    bob.call("POST", &format!("rooms/{room}/join"), None)
        .await
        .ok(200);
    leave(&bob, room).await;
    ann.patch(&address, json!({ "kind": "private", "access_key": "k" }))
        .await
        .ok(200);
    bob.post("rooms/join", json!({ "access_key": "k" }))
        .await
        .refused(404, "not_found");
    ann.add(room, &bob, "member").await;
    leave(&bob, room).await;
    bob.post("rooms/join", json!({ "access_key": "k" }))
        .await
        .ok(200);
}

/// Histories of a person in a room, before they try to write.
const FATES: [&str; 9] = [
    "member",
    "guest",
    "moderator",
    "muted",
    "muted and back",
    "unmuted",
    "left",
    "kicked",
    "kicked and back",
];

/// Applies a history to `bob` in a new room; returns the room, his message and another person's message.
async fn meet(ann: &Persona, bob: &Persona, kind: &str, fate: &str) -> (i64, i64, i64) {
    let room = json!({ "name": "stage", "kind": kind });
    let room = id(&ann.post("rooms", room).await.ok(201));
    let role = if fate == "moderator" { fate } else { "member" };
    ann.add(room, bob, role).await;
    let own = id(&bob.say(room, "mine").await);
    let others = id(&ann.say(room, "hers").await);
    let bobs = path(room, bob);
    match fate {
        "muted" => drop(ann.patch(&bobs, mute()).await.ok(200)),
        "unmuted" => {
            ann.patch(&bobs, mute()).await.ok(200);
            let none = json!({ "muted_until": null });
            ann.patch(&bobs, none).await.ok(200);
        }
        "muted and back" => {
            ann.patch(&bobs, mute()).await.ok(200);
            leave(bob, room).await;
            ann.add(room, bob, "member").await;
        }
        "left" => leave(bob, room).await,
        "kicked" => ann.delete(&bobs).await.done(),
        "kicked and back" => {
            ann.delete(&bobs).await.done();
            ann.add(room, bob, "member").await;
        }
        _ => {}
    }
    (room, own, others)
}

/// Maps a status to `y` (allowed), `m` (muted), `f` (forbidden) or `h` (hidden).
fn verdict(reply: &Reply) -> char {
    match reply.status.as_u16() {
        200..=204 => 'y',
        403 if String::from_utf8_lossy(&reply.body).contains("\"muted\"") => 'm',
        403 => 'f',
        404 => 'h',
        _ => panic!("{reply}"),
    }
}

#[tokio::test]
async fn a_person_who_may_not_send_may_neither_edit_nor_react() {
    let server = TestServer::start().await;
    let (ann, bob, gus) = (
        server.user("ann").await,
        server.user("bob").await,
        server.guest("gus").await,
    );
    // One letter per entry of FATES.
    for (kind, expected) in [("public", "yyymmyffy"), ("private", "yyymmyhhy")] {
        let mut found = [const { String::new() }; 6];
        for fate in FATES {
            let bob = if fate == "guest" { &gus } else { &bob };
            let (room, own, others) = meet(&ann, bob, kind, fate).await;
            let text = json!({ "content": "other" });
            let reaction = |of: i64| format!("messages/{of}/reactions/👍");
            let tried = [
                bob.post(&format!("rooms/{room}/messages"), text.clone())
                    .await,
                bob.patch(&format!("messages/{own}"), text).await,
                bob.call("PUT", &reaction(own), None).await,
                bob.call("PUT", &reaction(others), None).await,
                bob.call("DELETE", &reaction(others), None).await,
                bob.upload(room, "a.txt", "text/plain", "a").await,
            ];
            for (found, reply) in found.iter_mut().zip(&tried) {
                found.push(verdict(reply));
            }
        }
        for (found, what) in found.iter().zip([
            "send",
            "edit",
            "react to own",
            "react",
            "take back",
            "upload",
        ]) {
            let expected = match what {
                // Guests may not upload anywhere.
                "upload" => format!("yf{}", &expected[2..]),
                _ => expected.to_owned(),
            };
            assert_eq!(*found, expected, "{kind}: {what}");
        }
    }
}

#[tokio::test]
async fn typing_of_a_muted_member_is_not_sent() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "member").await;
    ann.patch(&path(room, &bob), mute()).await.ok(200);
    let (mut hers, mut his) = (ann.watch(room).await, bob.watch(room).await);
    his.ok(json!({ "op": "typing", "room": room })).await;
    ann.say(room, "after that").await;
    hers.event("message").await;
    let heard = hers.taken();
    assert!(
        heard.iter().all(|frame| frame["event"] != "typing"),
        "{heard:?}"
    );
    ann.patch(&path(room, &bob), json!({ "muted_until": null }))
        .await
        .ok(200);
    his.ok(json!({ "op": "typing", "room": room })).await;
    hers.event("typing").await;
}

#[tokio::test]
async fn losing_membership_unsubscribes_all_connections() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    for way in ["left", "kicked"] {
        ann.add(room, &bob, "member").await;
        let mut watching = [bob.watch(room).await, bob.watch(room).await];
        let mut elsewhere = EventSocket::open(server.address, &bob.token).await;
        let body = json!({ "room_id": room, "user_name": "bob" });
        elsewhere.emit("join", body).await;
        elsewhere.event("user_joined").await;
        match way {
            "left" => leave(&bob, room).await,
            _ => ann.delete(&path(room, &bob)).await.done(),
        }
        ann.say(room, "among us").await;
        ann.say(1, "to all").await;
        for socket in &mut watching {
            assert_eq!(socket.event("left").await["reason"], way);
            let heard = socket.events().await;
            assert!(
                heard.iter().all(|frame| frame["event"] != "message"),
                "{heard:?}"
            );
            // A person who may still read may subscribe again.
            socket.resume_all(room, i64::from(u32::MAX)).await;
        }
        let heard = elsewhere.events().await;
        assert!(
            heard.iter().all(|(name, _)| name != "new_message"),
            "{heard:?}"
        );
    }
}
