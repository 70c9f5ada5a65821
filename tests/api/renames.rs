//! Changes of a display name reach every room in the order in which they are stored.

use futures_util::future::join_all;
use serde_json::json;

use super::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_concurrent_renames_every_room_has_the_stored_name() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    let mut watching = ann.watch(room).await;
    ann.add(room, &bob, "member").await;
    for round in 0..60 {
        let changes = (0..8).map(|number| {
            let bob = bob.clone();
            let body = json!({ "display_name": format!("Bob {round}.{number}") });
            tokio::spawn(async move { bob.patch("me", body).await.ok(200) })
        });
        join_all(changes).await;
        let stored = bob.get("me").await.ok(200)["display_name"].clone();
        for room in [room, 1] {
            let said = bob.say(room, "hello").await;
            assert_eq!(said["sender"]["display_name"], stored, "round {round}");
        }
        watching.event("message").await;
        let told = watching.taken();
        let last = told
            .iter()
            .rfind(|frame| frame["event"] == "member_changed")
            .unwrap();
        assert_eq!(last["member"]["person"]["display_name"], stored);
    }
}

#[tokio::test]
async fn a_connection_older_than_a_rename_uses_the_new_name() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    ann.add(room, &bob, "moderator").await;
    let mut hers = ann.watch(room).await;
    let mut his = bob.connect().await;
    bob.patch("me", json!({ "display_name": "Robert" }))
        .await
        .ok(200);
    his.ok(json!({ "op": "typing", "room": room })).await;
    let typing = hers.event("typing").await;
    assert_eq!(typing["user"]["display_name"], "Robert");
}
