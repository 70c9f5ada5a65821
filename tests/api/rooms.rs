//! Rooms over HTTP: creating, finding, joining, leaving.

use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn everybody_is_a_member_of_the_lobby() {
    let server = TestServer::start().await;
    let (ann, gus) = (server.user("ann").await, server.guest("gus").await);
    for somebody in [&ann, &gus] {
        let mine = somebody.get("rooms").await.items();
        assert_eq!(mine.len(), 1);
        assert_keys(&mine[0], OVERVIEW);
        assert_eq!((id(&mine[0]), &mine[0]["kind"]), (1, &json!("lobby")));
        assert_eq!(
            (&mine[0]["role"], &mine[0]["member_count"]),
            (&json!("member"), &json!(2))
        );
        assert_eq!(
            (&mine[0]["owner_id"], &mine[0]["last_message"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[tokio::test]
async fn the_lobby_cannot_be_managed() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    for somebody in [&root, &ann] {
        somebody
            .post("rooms/1/join", json!({}))
            .await
            .refused(404, "not_found");
        somebody
            .post("rooms/1/leave", json!({}))
            .await
            .refused(404, "not_found");
        somebody
            .patch("rooms/1", json!({ "name": "x" }))
            .await
            .refused(404, "not_found");
        somebody.delete("rooms/1").await.refused(404, "not_found");
        somebody
            .post("rooms/1/transfer", json!({ "user_id": ann.id }))
            .await
            .refused(404, "not_found");
        let member = format!("rooms/1/members/{}", ann.id);
        somebody.delete(&member).await.refused(404, "not_found");
        somebody
            .patch(&member, json!({ "role": "moderator" }))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn creating_a_room_makes_the_creator_its_owner() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut watching = ann.connect().await;
    let room = ann
        .post(
            "rooms",
            json!({ "name": " Kitchen ", "description": " food " }),
        )
        .await
        .ok(201);
    assert_keys(&room, ROOM);
    assert_eq!(
        (&room["name"], &room["description"]),
        (&json!("Kitchen"), &json!("food"))
    );
    assert_eq!(
        (&room["kind"], &room["access_key"]),
        (&json!("public"), &Value::Null)
    );
    assert_eq!(
        (&room["owner_id"], &room["people"]),
        (&json!(ann.id), &json!([]))
    );
    assert_eq!(room["cleared_through"], 0);
    assert_eq!(watching.event("room_created").await["room"], room);
    let mine = ann.overview(id(&room)).await.unwrap();
    assert_eq!(
        (&mine["role"], &mine["member_count"]),
        (&json!("owner"), &json!(1))
    );
    assert_eq!(bob.overview(id(&room)).await, None);
    assert_eq!(
        bob.get(&format!("rooms/{}", room["id"])).await.ok(200),
        room
    );
}

#[tokio::test]
async fn invalid_rooms_are_refused_with_the_field() {
    let server = TestServer::start().await;
    let (ann, gus) = (server.user("ann").await, server.guest("gus").await);
    for (body, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": " \t" }), "name"),
        (json!({ "name": "x".repeat(65) }), "name"),
        (json!({ "name": "a\u{0}b" }), "name"),
        (json!({ "name": "a\nb" }), "name"),
        (json!({ "name": "a", "kind": "lobby" }), "kind"),
        (json!({ "name": "a", "kind": "direct" }), "kind"),
        (json!({ "name": "a", "kind": "secret" }), "kind"),
        (
            json!({ "name": "a", "description": "x".repeat(501) }),
            "description",
        ),
        (
            json!({ "name": "a", "description": "\u{1b}" }),
            "description",
        ),
        (json!({ "name": "a", "access_key": "k" }), "access_key"),
        (
            json!({ "name": "a", "kind": "private", "access_key": "x".repeat(65) }),
            "access_key",
        ),
        (
            json!({ "name": "a", "kind": "private", "access_key": "a\u{0}" }),
            "access_key",
        ),
    ] {
        ann.post("rooms", body).await.invalid(field);
    }
    gus.post("rooms", json!({ "name": "a" }))
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn public_rooms_are_listed_in_pages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut made = Vec::new();
    for number in 0..3 {
        made.push(ann.public_room(&format!("room {number}")).await);
    }
    ann.private_room("hidden").await;
    bob.post(&format!("rooms/{}/join", made[1]), json!({}))
        .await
        .ok(200);
    let page = bob.get("rooms/public?limit=2").await.ok(200);
    let items = page["items"].as_array().unwrap();
    items.iter().for_each(|room| assert_keys(room, PUBLIC_ROOM));
    assert_eq!(each(items, "name"), ["room 0", "room 1"]);
    assert_eq!(
        (&items[0]["member"], &items[0]["member_count"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(
        (&items[1]["member"], &items[1]["member_count"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(page["more"], true);
    let rest = bob
        .get(&format!("rooms/public?after={}&limit=2", made[1]))
        .await
        .ok(200);
    assert_eq!(
        (
            each(rest["items"].as_array().unwrap(), "name"),
            &rest["more"]
        ),
        (vec!["room 2"], &json!(false))
    );
}

#[tokio::test]
async fn joining_and_leaving_is_sent_to_subscribers() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    let mut watching = ann.watch(room).await;
    let mut joining = bob.connect().await;

    let join = format!("rooms/{room}/join");
    let joined = bob.post(&join, json!({})).await.ok(200);
    assert_keys(&joined, ROOM);
    let heard = watching.event("joined").await;
    assert_keys(&heard, "event room member");
    assert_keys(&heard["member"], MEMBER);
    assert_eq!(
        (&heard["room"], &heard["member"]["person"]["id"]),
        (&json!(room), &json!(bob.id))
    );
    assert_eq!(joining.event("room_created").await["room"]["id"], room);
    bob.post(&join, json!({}))
        .await
        .refused(409, "already_member");

    let leave = format!("rooms/{room}/leave");
    ann.call("POST", &leave, None).await.refused(409, "owner");
    bob.call("POST", &leave, None).await.done();
    for socket in [&mut watching, &mut joining] {
        let heard = socket.event("left").await;
        assert_keys(&heard, "event room user by reason");
        assert_eq!(
            (&heard["user"]["id"], &heard["reason"]),
            (&json!(bob.id), &json!("left"))
        );
        assert_eq!(heard["by"], Value::Null);
    }
    bob.call("POST", &leave, None)
        .await
        .refused(409, "not_member");
}

#[tokio::test]
async fn a_private_room_looks_nonexistent_to_others() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("secret").await;
    let said = ann.say(room, "psst").await;
    let path = format!("rooms/{room}");
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("GET", format!("{path}/members"), None),
        ("GET", format!("{path}/messages"), None),
        (
            "POST",
            format!("{path}/messages"),
            Some(json!({ "content": "x" })),
        ),
        ("POST", format!("{path}/join"), None),
        ("POST", format!("{path}/leave"), None),
        (
            "POST",
            format!("{path}/read"),
            Some(json!({ "message_id": said["id"] })),
        ),
        ("PATCH", path.clone(), Some(json!({ "name": "x" }))),
        ("DELETE", path.clone(), None),
        ("GET", format!("messages/{}", said["id"]), None),
        (
            "PATCH",
            format!("messages/{}", said["id"]),
            Some(json!({ "content": "x" })),
        ),
        ("DELETE", format!("messages/{}", said["id"]), None),
    ] {
        let told = bob
            .call(method, &path, body.clone())
            .await
            .refused(404, "not_found");
        // The same response as for a room that does not exist.
        let path = path
            .replace(&room.to_string(), "99999")
            .replace(&said["id"].to_string(), "99999");
        assert_eq!(
            bob.call(method, &path, body)
                .await
                .refused(404, "not_found"),
            told
        );
    }
    // Admins can see that the room exists, but not its messages.
    root.get(&path).await.ok(200);
    root.get(&format!("{path}/messages"))
        .await
        .refused(404, "not_found");
    root.get(&format!("messages/{}", said["id"]))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn guests_may_join_a_private_room_with_its_access_key() {
    let server = TestServer::start().await;
    let (ann, gus) = (server.user("ann").await, server.guest("gus").await);
    let body = json!({ "name": "secret", "kind": "private", "access_key": "sesame" });
    let room = ann.post("rooms", body.clone()).await.ok(201);
    assert_eq!(room["access_key"], "sesame");
    ann.post("rooms", body).await.taken("access_key");

    let join = |key: &str| gus.call("POST", "rooms/join", Some(json!({ "access_key": key })));
    join("Sesame").await.refused(404, "not_found");
    join("").await.invalid("access_key");
    assert_eq!(join("sesame").await.ok(200), room);
    join("sesame").await.refused(409, "already_member");
    // Events do not contain the access key.
    let mut watching = gus.watch(id(&room)).await;
    ann.patch(
        &format!("rooms/{}", room["id"]),
        json!({ "access_key": "other" }),
    )
    .await
    .ok(200);
    let changed = watching.event("room_changed").await;
    assert_keys(&changed, "event room");
    assert_keys(&changed["room"], ROOM);
    assert_eq!(changed["room"]["access_key"], Value::Null);
    join("sesame").await.refused(404, "not_found");
}

#[tokio::test]
async fn two_people_have_one_direct_room() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob, gus) = (
        server.user("ann").await,
        server.user("bob").await,
        server.guest("gus").await,
    );
    let (mut hers, mut his) = (ann.connect().await, bob.connect().await);
    let with = |id: i64| json!({ "user_id": id });
    let room = ann.post("rooms/direct", with(bob.id)).await.ok(201);
    assert_keys(&room, ROOM);
    assert_eq!(
        (&room["kind"], &room["name"]),
        (&json!("direct"), &json!(""))
    );
    let mut people: Vec<_> = room["people"].as_array().unwrap().iter().map(id).collect();
    people.sort_unstable();
    assert_eq!(people, [ann.id, bob.id]);
    for socket in [&mut hers, &mut his] {
        assert_eq!(socket.event("room_created").await["room"]["id"], room["id"]);
    }
    assert_eq!(
        bob.post("rooms/direct", with(ann.id)).await.ok(200)["id"],
        room["id"]
    );

    ann.post("rooms/direct", with(ann.id))
        .await
        .invalid("user_id");
    ann.post("rooms/direct", with(999))
        .await
        .refused(404, "not_found");
    gus.post("rooms/direct", with(ann.id))
        .await
        .refused(403, "forbidden");
    let path = format!("rooms/{}", room["id"]);
    for somebody in [&root, &gus] {
        somebody.get(&path).await.refused(404, "not_found");
    }
    for path in [format!("{path}/leave"), format!("{path}/join")] {
        ann.call("POST", &path, None)
            .await
            .refused(404, "not_found");
    }
    ann.patch(&path, json!({ "name": "us" }))
        .await
        .refused(404, "not_found");
    ann.delete(&path).await.refused(404, "not_found");
    ann.post(&format!("{path}/members"), with(gus.id))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn concurrent_requests_for_a_direct_room_get_the_same_room() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (hers, his) = tokio::join!(ann.direct_room(&bob), bob.direct_room(&ann));
    assert_eq!(hers, his);
}
