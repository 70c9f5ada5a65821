//! Live events over the native WebSocket: commands, answers, and who receives each event.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::*;

const WELCOME: &str = "event user unread_notifications rooms more online online_count";

fn send(room: i64, content: &str) -> Value {
    json!({ "op": "send", "room": room, "content": content })
}

#[tokio::test]
async fn the_welcome_holds_own_account_rooms_and_people_online() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("ours").await;
    let watching = ann.watch(1).await;
    let welcome = ann.connect().await.welcome;
    assert_keys(&welcome, WELCOME);
    assert_keys(&welcome["user"], ME);
    let rooms = welcome["rooms"].as_array().unwrap();
    rooms.iter().for_each(|room| assert_keys(room, OVERVIEW));
    assert_eq!(rooms.iter().map(id).collect::<Vec<_>>(), [1, room]);

    let welcome = bob.connect().await.welcome;
    let there = welcome["online"]["1"].as_array().unwrap();
    there.iter().for_each(|person| assert_keys(person, PERSON));
    // A person who has only just connected may follow in the next presence event.
    assert!(each(there, "username").contains(&"ann"));
    assert!(welcome["online_count"]["1"].as_i64() >= Some(1));
    assert_eq!(welcome["rooms"].as_array().unwrap().len(), 1);
    drop(watching);
}

#[tokio::test]
async fn a_message_is_acknowledged_and_sent_to_all_subscribers() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut hers, mut his) = (ann.watch(1).await, bob.watch(1).await);
    let mut not_watching = bob.connect().await;
    let uuid = Uuid::new_v4();
    let op = json!({ "op": "send", "room": 1, "content": "hello", "uuid": uuid, "sent_at": "2026-01-01T00:00:00Z" });
    let answer = hers.ok(op.clone()).await;
    assert_keys(&answer, "message new");
    assert_keys(&answer["message"], MESSAGE);
    assert_eq!(
        (&answer["new"], &answer["message"]["uuid"]),
        (&json!(true), &json!(uuid))
    );
    for socket in [&mut hers, &mut his] {
        let heard = socket.event("message").await;
        assert_eq!(
            heard,
            json!({ "event": "message", "message": answer["message"] })
        );
    }
    let again = hers.ok(op).await;
    assert_eq!(again, json!({ "message": answer["message"], "new": false }));
    let reply = hers.ok(json!({ "op": "send", "room": 1, "content": "re", "reply_to": answer["message"]["id"] })).await;
    assert_eq!(
        his.event("message").await["message"]["reply_to"],
        answer["message"]["id"]
    );
    assert_eq!(
        bob.history(1).await,
        [answer["message"].clone(), reply["message"].clone()]
    );
    assert!(not_watching.events().await.is_empty());
}

#[tokio::test]
async fn edits_and_deletions_reach_subscribers() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut hers, mut his) = (ann.watch(1).await, bob.watch(1).await);
    let said = hers.ok(send(1, "frist")).await["message"].clone();
    let edit = json!({ "op": "edit", "message": said["id"], "content": "first" });
    his.refused(edit.clone(), "forbidden").await;
    let edited = hers.ok(edit).await;
    assert_keys(&edited, "message");
    let delete = json!({ "op": "delete", "message": said["id"] });
    his.refused(delete.clone(), "forbidden").await;
    let deleted = hers.ok(delete).await;
    assert_keys(&deleted, "message");
    for socket in [&mut hers, &mut his] {
        assert_eq!(socket.event("edited").await["message"], edited["message"]);
        assert_eq!(socket.event("deleted").await["message"], deleted["message"]);
    }
    hers.refused(
        json!({ "op": "edit", "message": said["id"], "content": "x" }),
        "not_found",
    )
    .await;
}

#[tokio::test]
async fn concurrent_messages_reach_everybody_in_the_same_order() {
    const ROUNDS: usize = 5;
    const EACH: usize = 40;
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for name in ["ann", "bob", "cem"] {
        sockets.push(server.user(name).await.watch(1).await);
    }
    let mut orders = vec![Vec::new(); sockets.len()];
    for _ in 0..ROUNDS {
        for number in 0..EACH {
            for socket in &mut sockets {
                socket.send(send(1, &number.to_string())).await;
            }
        }
        for (socket, ids) in sockets.iter_mut().zip(&mut orders) {
            for _ in 0..3 * EACH {
                ids.push(id(&socket.event("message").await["message"]));
            }
        }
    }
    assert!(orders[0].is_sorted_by(|a, b| a < b), "{orders:?}");
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_sends_of_one_uuid_create_one_message() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let (mut one, mut two) = (ann.watch(1).await, ann.connect().await);
    for round in 1..=50 {
        let op = json!({ "op": "send", "room": 1, "content": "once", "uuid": Uuid::new_v4() });
        let (first, second) = tokio::join!(one.ok(op.clone()), two.ok(op));
        assert_eq!(first["message"], second["message"]);
        assert_ne!(first["new"], second["new"]);
        assert_eq!(one.event("message").await["message"], first["message"]);
        assert_eq!(ann.history(1).await.len(), round);
    }
    assert!(
        one.events()
            .await
            .iter()
            .all(|event| event["event"] == "presence")
    );
}

#[tokio::test]
async fn typing_reaches_the_others_once_a_second() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    let (mut hers, mut his, mut elsewhere) = (
        ann.watch(room).await,
        bob.watch(room).await,
        bob.watch(1).await,
    );
    for _ in 0..5 {
        hers.ok(json!({ "op": "typing", "room": room })).await;
    }
    // Typing of people who are not members is ignored.
    his.ok(json!({ "op": "typing", "room": room })).await;
    let heard = his.event("typing").await;
    assert_keys(&heard, "event room user");
    assert_keys(&heard["user"], PERSON);
    assert_eq!(
        (&heard["room"], &heard["user"]["id"]),
        (&json!(room), &json!(ann.id))
    );
    hers.ok(send(room, "done")).await;
    his.event("message").await;
    skip(Duration::from_secs(1)).await;
    hers.ok(json!({ "op": "typing", "room": room })).await;
    his.event("typing").await;
    for socket in [&mut his, &mut hers, &mut elsewhere] {
        assert!(
            socket
                .events()
                .await
                .iter()
                .all(|event| event["event"] != "typing")
        );
    }
}

#[tokio::test]
async fn read_events_reach_own_connections_and_both_in_direct_rooms() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let direct = ann.direct_room(&bob).await;
    let (mut hers, mut her_other, mut his) =
        (ann.watch(1).await, ann.connect().await, bob.watch(1).await);
    for (room, both) in [(1, false), (direct, true)] {
        let said = bob.say(room, "read me").await;
        assert_eq!(
            hers.ok(json!({ "op": "read", "room": room, "message": said["id"] }))
                .await,
            json!({})
        );
        let mark =
            json!({ "event": "read", "room": room, "user_id": ann.id, "last_read_id": said["id"] });
        for socket in [&mut hers, &mut her_other] {
            assert_eq!(socket.event("read").await, mark);
        }
        if both {
            assert_eq!(his.event("read").await, mark);
        } else {
            assert!(
                his.events()
                    .await
                    .iter()
                    .all(|event| event["event"] != "read")
            );
        }
        let overview = ann.overview(room).await.unwrap();
        assert_eq!(
            (&overview["last_read_id"], &overview["unread"]),
            (&said["id"], &json!(0))
        );
    }
}

#[tokio::test]
async fn presence_is_reported_once_per_person_not_per_connection() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut watching = ann.watch(1).await;
    let (first, second) = (bob.watch(1).await, bob.connect().await);
    let came = watching.event("presence").await;
    assert_keys(&came, "event room online offline count");
    assert_keys(&came["online"][0], PERSON);
    assert_eq!(
        (&came["online"][0]["id"], &came["offline"], &came["count"]),
        (&json!(bob.id), &json!([]), &json!(2))
    );
    drop(first);
    drop(second);
    let went = watching.event("presence").await;
    assert_eq!(
        (&went["online"], &went["offline"][0]["id"], &went["count"]),
        (&json!([]), &json!(bob.id), &json!(1))
    );
}

/// Returns the usernames of a list of people, sorted.
fn names(people: &Value) -> Vec<&str> {
    let mut names = each(people.as_array().unwrap(), "username");
    names.sort_unstable();
    names
}

#[tokio::test]
async fn people_who_connect_between_welcome_and_resume_are_reported() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    // In a room without a subscriber, and in one that has one.
    for (others, expected) in [
        (None, vec!["ann", "bob"]),
        (Some(&cem), vec!["ann", "bob", "cem"]),
    ] {
        let mut there = match others {
            Some(other) => Some(other.watch(1).await),
            None => None,
        };
        let mut socket = ann.connect().await;
        let came = bob.connect().await;
        if let Some(there) = &mut there {
            there.wait("bob", |event| names_bob(event, "online")).await;
        }
        let answer = socket
            .ok(json!({ "op": "resume", "room": 1, "after": 0 }))
            .await;
        assert_eq!(names(&answer["online"]), expected);
        assert_eq!(answer["online_count"], expected.len());
        drop(came);
        socket
            .wait("bob", |event| names_bob(event, "offline"))
            .await;
    }
}

fn names_bob(event: &Value, list: &str) -> bool {
    event["event"] == "presence" && names(&event[list]).contains(&"bob")
}

#[tokio::test]
async fn presence_in_large_rooms_is_only_a_count() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for number in 0..200 {
        server.guest(&format!("guest {number}")).await;
    }
    let bob = server.user("bob").await;
    let mut watching = ann.watch(1).await;
    let watched = bob.watch(1).await;
    let mut counted = 0;
    while counted < 2 {
        let told = watching.event("presence").await;
        assert_eq!(
            (&told["online"], &told["offline"]),
            (&json!([]), &json!([]))
        );
        counted = told["count"].as_i64().unwrap();
    }
    let welcome = ann.connect().await.welcome;
    assert_eq!(
        (&welcome["online_count"]["1"], &welcome["online"]["1"]),
        (&json!(2), &json!([]))
    );
    drop(watched);
}

#[tokio::test]
async fn leaving_a_room_ends_its_events_on_that_connection_only() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.public_room("open").await;
    let (mut leaving, mut staying) = (ann.watch(room).await, ann.watch(room).await);
    leaving.resume_all(1, 0).await;
    assert_eq!(
        leaving.ok(json!({ "op": "leave", "room": room })).await,
        json!({})
    );
    ann.say(room, "unheard").await;
    ann.say(1, "heard").await;
    assert_eq!(
        leaving.event("message").await["message"]["content"],
        "heard"
    );
    assert_eq!(
        staying.event("message").await["message"]["content"],
        "unheard"
    );
}

#[tokio::test]
async fn members_get_room_changes_without_a_subscription() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "member").await;
    let (mut his, mut strangers) = (bob.connect().await, cem.connect().await);
    ann.patch(&format!("rooms/{room}"), json!({ "name": "new" }))
        .await
        .ok(200);
    let heard = his.event("room_changed").await;
    assert_keys(&heard, "event room");
    assert_eq!(heard["room"]["name"], "new");
    assert!(strangers.events().await.is_empty());
}

#[tokio::test]
async fn silent_connections_are_pinged_and_silent_clients_closed() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let (mut awake, mut asleep) = (ann.connect().await, ann.connect().await);
    for _ in 0..3 {
        skip(Duration::from_secs(10)).await;
        // The client answers the ping as it reads it.
        awake.pinged().await;
        awake.ok(json!({ "op": "ping" })).await;
    }
    assert_eq!(asleep.closed().await, 1001);
    awake.ok(json!({ "op": "ping" })).await;
}
