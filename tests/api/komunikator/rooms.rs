//! Rooms: creating, showing, editing, deleting, history.

use super::*;

#[tokio::test]
async fn rooms_are_created_with_the_documented_errors() {
    let server = TestServer::start().await;
    let ann = member(&server, "ann").await;
    let create = |body: Value| ann.call("POST", "/api/room/create", Some(body));
    let no_name = "Missing room_name or room_owner parameter";
    for body in [
        json!({}),
        json!({"room_name": ""}),
        json!({"room_name": null, "is_private": true}),
    ] {
        refused(create(body), 400, no_name).await;
    }
    for key in [Value::Null, json!("")] {
        let body = json!({"room_name": "p", "is_private": true, "access_key": key});
        refused(create(body), 400, "Missing access_key parameter").await;
    }
    let private = private_room(&ann, "p", "k").await;
    let again = json!({"room_name": "q", "is_private": true, "access_key": "k"});
    refused(
        create(again),
        400,
        "Room with this access key already exists",
    )
    .await;
    // The key of a public room is ignored, even if another room has the same.
    let public = make(
        &ann,
        json!({"room_name": "q", "is_private": false, "access_key": "k"}),
    )
    .await;

    let show = async |room: i64| ann.get(&format!("/api/room?room_id={room}")).await.ok(200);
    let shown = show(private).await;
    assert_keys(&shown, ROOM);
    assert!(is_time(&shown["create_date"]), "{shown}");
    let expected = json!({
        "room_id": private, "room_name": "p", "room_owner": "ann", "create_date": shown["create_date"],
        "is_private": true, "access_key": "k"
    });
    assert_eq!(shown, expected);
    let shown = show(public).await;
    assert_eq!(
        (&shown["is_private"], &shown["access_key"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        create(json!({"room_name": "x".repeat(65)})).await.status,
        400
    );
    refused(
        create(json!({"room_name": "x", "is_private": "yes"})),
        400,
        "is_private must be true or false",
    )
    .await;
}

#[tokio::test]
async fn public_rooms_and_the_lobby_are_listed_and_private_ones_are_not() {
    let server = TestServer::start().await;
    let (ann, bob) = (member(&server, "ann").await, member(&server, "bob").await);
    private_room(&ann, "p", "k").await;
    let public = public_room(&ann, "q").await;
    let list = bob.get("/api/rooms").await.ok(200);
    let list = list.as_array().unwrap();
    list.iter().for_each(|room| assert_keys(room, ROOM));
    let seen = |room: &Value| (room["room_id"].clone(), room["room_owner"].clone());
    let seen: Vec<_> = list.iter().map(seen).collect();
    assert_eq!(
        seen,
        [(json!(1), Value::Null), (json!(public), json!("ann"))]
    );
}

#[tokio::test]
async fn private_rooms_are_shown_to_members_and_admins_only() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let private = private_room(&ann, "p", "k").await;
    let direct = ann.direct_room(&bob).await;
    for path in [
        "/api/room",
        "/api/user/list",
        "/api/user_list",
        "/api/chat_history",
    ] {
        refused(bob.get(path), 400, "Missing room_id parameter").await;
        refused(
            bob.get(&format!("{path}?room_id=")),
            400,
            "Missing room_id parameter",
        )
        .await;
        for room in ["999", "x", "-1", &private.to_string()] {
            refused(
                bob.get(&format!("{path}?room_id={room}")),
                404,
                "Room not found",
            )
            .await;
        }
        assert_eq!(
            ann.get(&format!("{path}?room_id={private}")).await.status,
            200
        );
    }
    let shown = bob
        .get(&format!("/api/room?room_id={direct}"))
        .await
        .ok(200);
    let shown = (
        &shown["room_name"],
        &shown["room_owner"],
        &shown["is_private"],
    );
    assert_eq!(shown, (&json!("ann"), &Value::Null, &json!(true)));
    // The key is shown to members only; admins see the room without it.
    let root = server.admin("root").await;
    let shown = root
        .get(&format!("/api/room?room_id={private}"))
        .await
        .ok(200);
    assert_eq!(
        (&shown["room_name"], &shown["access_key"]),
        (&json!("p"), &Value::Null)
    );
    let history = format!("/api/chat_history?room_id={private}");
    refused(root.get(&history), 404, "Room not found").await;
}

#[tokio::test]
async fn only_the_owner_edits_a_room() {
    let server = TestServer::start().await;
    let (ann, bob) = (member(&server, "ann").await, member(&server, "bob").await);
    let room = public_room(&ann, "q").await;
    let other = private_room(&ann, "p", "other").await;
    let edit = async |by: &Client, body: Value| by.post("/api/room/edit", body).await;
    let mine = async |mut body: Value| {
        body["room_id"] = room.into();
        edit(&ann, body).await
    };
    let shown = async || ann.get(&format!("/api/room?room_id={room}")).await.ok(200);

    refused(
        edit(&ann, json!({"new_name": "n"})),
        400,
        "Missing room_id parameter",
    )
    .await;
    for (somebody, id, status, text) in [
        (&ann, json!("x"), 404, "Room not found"),
        (&ann, json!(999), 404, "Room not found"),
        (&ann, json!(1), 404, "Room not found"),
        (&bob, json!(other), 404, "Room not found"),
        (&bob, json!(room), 403, "You are not the owner of this room"),
    ] {
        let body = json!({"room_id": id, "new_name": "n"});
        refused(edit(somebody, body), status, text).await;
    }
    for empty in ["", "  "] {
        refused(
            mine(json!({ "new_name": empty })),
            400,
            "Room name cannot be empty",
        )
        .await;
    }
    let no_key = "Missing new_access_key parameter for private room";
    for key in [Value::Null, json!(""), json!(" ")] {
        refused(
            mine(json!({"is_private": true, "new_access_key": key})),
            400,
            no_key,
        )
        .await;
    }
    let taken = json!({"is_private": true, "new_access_key": "other"});
    refused(mine(taken), 400, "Room with this access key already exists").await;

    let done = "Room edited successfully";
    said(
        mine(json!({"new_name": "n", "new_access_key": "ignored"})),
        done,
    )
    .await;
    let now = shown().await;
    assert_eq!(
        (&now["room_name"], &now["access_key"]),
        (&json!("n"), &Value::Null)
    );
    said(
        mine(json!({"is_private": true, "new_access_key": "k"})),
        done,
    )
    .await;
    said(mine(json!({"is_private": true})), done).await;
    let now = shown().await;
    let (name, private, key) = (&now["room_name"], &now["is_private"], &now["access_key"]);
    assert_eq!(
        (name, private, key),
        (&json!("n"), &json!(true), &json!("k"))
    );
    said(mine(json!({"is_private": false})), done).await;
    let now = shown().await;
    assert_eq!(
        (&now["is_private"], &now["access_key"]),
        (&json!(false), &Value::Null)
    );
    refused(
        bob.post("/api/room/join_private", json!({"access_key": "k"})),
        404,
        "Room not found",
    )
    .await;
}

#[tokio::test]
async fn not_even_admins_manage_the_lobby_and_direct_rooms() {
    let server = TestServer::start().await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let direct = root.direct_room(&ann).await;
    for room in [1, direct] {
        for (path, text) in [
            ("room/edit", "Room not found"),
            ("room/delete", "Room not found"),
            ("room/leave", "Room not found"),
            ("room/join_public", "Room not found"),
            ("user_kick", "User not owner of room"),
        ] {
            let body = json!({"room_id": room, "new_name": "n", "user_to_kick": "ann"});
            let path = format!("/api/{path}");
            refused(root.post(&path, body), 404, text).await;
        }
    }
}

#[tokio::test]
async fn names_and_keys_have_a_maximum_length() {
    let server = TestServer::start().await;
    let long = |length: usize| "x".repeat(length);
    let register = |name: String| {
        let body = json!({"user_name": name, "password": PASSWORD});
        let anybody = server.anybody();
        async move { anybody.post("/api/register", body).await }
    };
    register(long(48)).await.ok(201);
    let text = "user_name is too long";
    refused(register(long(49)), 400, text).await;
    let ann = member(&server, "ann").await;
    private_room(&ann, &long(64), &long(64)).await;
    for (name, key, text) in [
        (65, 1, "room_name is too long"),
        (1, 65, "access_key is too long"),
    ] {
        let room = json!({"room_name": long(name), "is_private": true, "access_key": long(key)});
        refused(ann.post("/api/room/create", room), 400, text).await;
    }
}

#[tokio::test]
async fn only_the_owner_deletes_a_room_and_its_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = public_room(&ann, "q").await;
    said(
        bob.post("/api/room/join_public", json!({"room_id": room})),
        "Joined room successfully",
    )
    .await;
    bob.say(room, "hi").await;
    let delete = |by: &Client, id: Value| {
        let by = by.clone();
        async move { by.post("/api/room/delete", json!({ "room_id": id })).await }
    };
    refused(delete(&ann, Value::Null), 400, "Missing room_id parameter").await;
    for (somebody, id) in [
        (&bob, json!(room)),
        (&ann, json!(999)),
        (&ann, json!("x")),
        (&ann, json!(1)),
    ] {
        refused(delete(somebody, id), 404, "Room not found").await;
    }
    said(
        delete(&ann, json!(room.to_string())),
        "Room deleted successfully",
    )
    .await;
    refused(
        bob.get(&format!("/api/chat_history?room_id={room}")),
        404,
        "Room not found",
    )
    .await;
    let mine = bob.get("/api/user_rooms").await.ok(200);
    assert_eq!(mine.as_array().unwrap().len(), 1, "{mine}");
    assert_eq!(
        bob.get("/api/user/get_info").await.ok(200)["message_count"],
        0
    );
}

#[tokio::test]
async fn history_is_paged_oldest_first_without_deleted_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = public_room(&ann, "q").await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three", "four"] {
        ids.push(id(&ann.say(room, text).await));
    }
    ann.delete(&format!("messages/{}", ids[3])).await.ok(200);
    let read = async |query: &str| {
        bob.get(&format!("/api/chat_history?room_id={room}{query}"))
            .await
    };
    let all = read("").await.ok(200);
    let first = &all[0];
    assert_keys(first, PAST);
    assert!(is_time(&first["create_date"]), "{first}");
    let expected = json!({
        "chat_id": ids[0], "message_id": ids[0], "room_id": room, "user_name": "ann", "message": "one",
        "create_date": first["create_date"]
    });
    assert_eq!(*first, expected);
    let texts = |list: Value| {
        let texts = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["message"].as_str().unwrap().to_owned());
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts(all), ["one", "two", "three"]);
    assert_eq!(texts(read("&limit=1").await.ok(200)), ["three"]);
    assert_eq!(
        texts(read(&format!("&limit=1&before={}", ids[2])).await.ok(200)),
        ["two"]
    );
    for wrong in ["&limit=0", "&limit=1001", "&limit=x", "&before=x"] {
        assert_eq!(read(wrong).await.status, 400, "{wrong}");
    }
    // Reading the history does not move the read cursor.
    bob.post(&format!("rooms/{room}/join"), json!({}))
        .await
        .ok(200);
    ann.say(room, "five").await;
    read("").await.ok(200);
    assert_eq!(bob.overview(room).await.unwrap()["unread"], 1);
}
