//! Presence: online and offline events, and `watchdog`.

use super::*;

#[tokio::test]
async fn online_and_offline_events_reach_the_rooms_of_the_person() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("p").await;
    ann.add(room, &bob, "member").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    let online = async || ann.get("/api/users/online").await.ok(200);
    assert_eq!(online().await, json!([]));
    let bobs = Seat::of(&bob).await;
    anns.hears("user_online", json!({"user_name": "bob"})).await;
    assert_eq!(online().await, json!(["bob"]));
    drop(bobs);
    anns.hears("user_offline", json!({"user_name": "bob"}))
        .await;
    assert_eq!(online().await, json!([]));
    // A connection of any protocol counts.
    let native = bob.connect().await;
    anns.hears("user_online", json!({"user_name": "bob"})).await;
    drop(native);
    anns.hears("user_offline", json!({"user_name": "bob"}))
        .await;
}

#[tokio::test]
async fn a_client_that_stops_sending_watchdog_is_offline() {
    let server = TestServer::start_with(|config| {
        config.presence.timeout = std::time::Duration::from_millis(100);
    })
    .await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut anns = Seat::of(&ann).await.join(1).await;
    let mut bobs = Seat::of(&bob).await;
    let name = json!({"user_name": "bob"});
    anns.hears("user_online", name.clone()).await;
    bobs.emit("watchdog", json!({})).await;
    anns.hears("user_offline", name.clone()).await;
    assert_eq!(ann.get("/api/users/online").await.ok(200), json!([]));
    for _ in 0..2 {
        said_until_heard(&mut bobs, &mut anns).await;
        anns.hears("user_offline", name.clone()).await;
    }
    // A second client that never sends `watchdog` counts while it is connected.
    let second = Seat::of(&bob).await;
    anns.hears("user_online", name.clone()).await;
    drop(second);
    anns.hears("user_offline", name).await;
    // Ann never sent `watchdog`.
    assert_eq!(bob.get("/api/users/online").await.ok(200), json!(["ann"]));
}

/// Repeats `watchdog` until Bob is reported online: one counts for the timeout only, which may be over before the room
/// checks.
async fn said_until_heard(bobs: &mut Seat, anns: &mut Seat) {
    let talking = async {
        loop {
            bobs.emit("watchdog", json!({})).await;
            bobs.heard().await;
        }
    };
    tokio::select! {
        () = anns.hears("user_online", json!({"user_name": "bob"})) => {}
        () = talking => {}
    }
}

#[tokio::test]
async fn the_name_in_the_token_stays_valid_after_a_rename() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut anns = Seat::of(&ann).await.join(1).await;
    let renamed = ann.patch("me", json!({"username": "anna"})).await.ok(200);
    assert_eq!(renamed["username"], "anna");
    anns.say(1, "as before").await;
    assert_eq!(anns.socket.event("new_message").await["user_name"], "anna");
    let mut again = Seat::of(&ann).await;
    for name in ["ann", "anna"] {
        again
            .emit("join", json!({"user_name": name, "room_id": 1}))
            .await;
        again
            .hears("user_joined", json!({"user_name": "anna", "room_id": 1}))
            .await;
    }
}
