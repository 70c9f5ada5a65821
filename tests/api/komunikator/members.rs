//! Membership: joining, leaving, listing, kicking.

use super::*;

#[tokio::test]
async fn rooms_are_joined_by_id_or_key_and_left() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (public, private) = (
        public_room(&ann, "q").await,
        private_room(&ann, "p", "k").await,
    );
    let direct = ann.direct_room(&bob).await;
    let post = |path: &'static str, body: Value| bob.call("POST", path, Some(body));
    let join = |room: Value| post("/api/room/join_public", json!({ "room_id": room }));
    let by_key = |key: Value| post("/api/room/join_private", json!({ "access_key": key }));
    let leave = |room: Value| post("/api/room/leave", json!({ "room_id": room }));

    refused(join(Value::Null), 400, "Missing room_id parameter").await;
    for room in [
        json!(999),
        json!("x"),
        json!(private),
        json!(1),
        json!(direct),
    ] {
        refused(join(room), 404, "Room not found").await;
    }
    said(join(json!(public)), "Joined room successfully").await;
    refused(join(json!(public)), 400, "User already in room").await;

    for key in [Value::Null, json!("")] {
        refused(by_key(key), 400, "Missing access_key parameter").await;
    }
    refused(by_key(json!("wrong")), 404, "Room not found").await;
    said(by_key(json!("k")), "Joined room successfully").await;
    refused(by_key(json!("k")), 400, "User already in room").await;
    refused(join(json!(private)), 400, "User already in room").await;

    refused(leave(Value::Null), 400, "Missing room_id parameter").await;
    for room in [json!(999), json!("x"), json!(1), json!(direct)] {
        refused(leave(room), 404, "Room not found").await;
    }
    said(leave(json!(public.to_string())), "Left room successfully").await;
    refused(leave(json!(public)), 404, "User not in room").await;
    said(leave(json!(private)), "Left room successfully").await;
    refused(leave(json!(private)), 404, "Room not found").await;
    let own = ann.post("/api/room/leave", json!({ "room_id": public }));
    refused(own, 409, "The owner cannot leave the room, only delete it").await;
}

#[tokio::test]
async fn only_wrong_access_keys_count_against_the_limit() {
    let server = TestServer::start_with(|config| {
        config.limits.wrong_keys_per_minute = 3.try_into().ok();
    })
    .await;
    let (ann, bob, cid) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cid").await,
    );
    private_room(&ann, "p", "k").await;
    let by_key = |by: &Client, key: &str| {
        let (by, body) = (by.clone(), json!({ "access_key": key }));
        async move { by.post("/api/room/join_private", body).await }
    };
    for _ in 0..3 {
        refused(by_key(&bob, "wrong"), 404, "Room not found").await;
    }
    let limited = by_key(&bob, "k").await;
    assert_keys(&limited.ok(429), "error message msg detail");
    assert!(!limited.header("retry-after").is_empty());
    said(by_key(&cid, "k"), "Joined room successfully").await;
    // Creating a room also reveals whether a key is taken, so it counts against the same limit.
    for _ in 0..3 {
        let taken = json!({"room_name": "q", "is_private": true, "access_key": "k"});
        refused(
            cid.post("/api/room/create", taken),
            400,
            "Room with this access key already exists",
        )
        .await;
    }
    let free = json!({"room_name": "q", "is_private": true, "access_key": "free"});
    cid.post("/api/room/create", free).await.ok(429);
}

#[tokio::test]
async fn own_rooms_and_members_are_listed() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let private = private_room(&ann, "p", "k").await;
    let direct = ann.direct_room(&bob).await;
    bob.post("/api/room/join_private", json!({"access_key": "k"}))
        .await
        .ok(200);
    let mine = bob.get("/api/user_rooms?").await.ok(200);
    mine.as_array()
        .unwrap()
        .iter()
        .for_each(|room| assert_keys(room, MINE));
    let row = |id: i64, name: &str, owner: Value, is_private: bool| json!({"user_name": "bob", "room_id": id, "room_name": name, "room_owner": owner, "is_private": is_private});
    let expected = json!([
        row(1, "Lobby", Value::Null, false),
        row(private, "p", json!("ann"), true),
        row(direct, "ann", Value::Null, true),
    ]);
    assert_eq!(mine, expected);
    for path in ["/api/user/list", "/api/user_list"] {
        let list = bob.get(&format!("{path}?room_id={private}")).await.ok(200);
        let row = |name: &str| json!({"user_name": name, "room_id": private});
        assert_eq!(list, json!([row("ann"), row("bob")]));
    }
}

#[tokio::test]
async fn only_the_owner_kicks_and_cannot_be_kicked() {
    let server = TestServer::start().await;
    let (ann, bob, cid) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cid").await,
    );
    let room = private_room(&ann, "p", "k").await;
    let kick = |by: &Client, body: Value| {
        let by = by.clone();
        async move { by.post("/api/user_kick", body).await }
    };
    let of = |name: &str| json!({"room_id": room, "user_to_kick": name});
    bob.post("/api/room/join_private", json!({"access_key": "k"}))
        .await
        .ok(200);
    refused(
        kick(&ann, json!({"user_to_kick": "bob"})),
        400,
        "Missing room_id parameter",
    )
    .await;
    refused(
        kick(&ann, json!({"room_id": room})),
        400,
        "Missing user_name or room_id parameter",
    )
    .await;
    refused(
        kick(&ann, json!({"room_id": "x", "user_to_kick": "bob"})),
        404,
        "Room not found",
    )
    .await;
    for (somebody, body) in [
        (&bob, of("ann")),
        (&cid, of("bob")),
        (&ann, json!({"room_id": 1, "user_to_kick": "bob"})),
        (&ann, json!({"room_id": 999, "user_to_kick": "bob"})),
    ] {
        refused(kick(somebody, body), 404, "User not owner of room").await;
    }
    // Moderators may kick in other protocols, but not here.
    ann.add(room, &cid, "moderator").await;
    refused(kick(&cid, of("bob")), 404, "User not owner of room").await;
    refused(kick(&ann, of("nobody")), 404, "User not in room").await;
    refused(kick(&ann, of("ann")), 400, "The owner cannot be kicked").await;
    said(kick(&ann, of("BOB")), "User kicked successfully").await;
    refused(kick(&ann, of("bob")), 404, "User not in room").await;
    // A kicked member cannot use the key until they are added again.
    refused(
        bob.post("/api/room/join_private", json!({"access_key": "k"})),
        404,
        "Room not found",
    )
    .await;
    ann.add(room, &bob, "member").await;
}

#[tokio::test]
async fn admins_kick_only_from_rooms_they_own() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let rooms = [
        private_room(&ann, "p", "k").await,
        public_room(&ann, "q").await,
    ];
    for room in rooms {
        ann.add(room, &bob, "member").await;
        ann.add(room, &root, "moderator").await;
        for name in ["bob", "ann", "root", "nobody"] {
            let kick = json!({"room_id": room, "user_to_kick": name});
            refused(
                root.post("/api/user_kick", kick),
                404,
                "User not owner of room",
            )
            .await;
        }
    }
    for room in [1, ann.direct_room(&root).await] {
        let kick = json!({"room_id": room, "user_to_kick": "ann"});
        refused(
            root.post("/api/user_kick", kick),
            404,
            "User not owner of room",
        )
        .await;
    }
    let own = public_room(&root, "r").await;
    root.add(own, &bob, "member").await;
    let kick = json!({"room_id": own, "user_to_kick": "BOB"});
    said(
        root.post("/api/user_kick", kick),
        "User kicked successfully",
    )
    .await;
}
