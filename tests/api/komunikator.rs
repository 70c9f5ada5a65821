//! Document 001 as its front end speaks it, by HTTP: every route with its statuses, texts and keys.

use serde_json::{Value, json};

use super::support::*;

const ROOM: &str = "room_id room_name room_owner create_date is_private access_key";
const MINE: &str = "user_name room_id room_name room_owner is_private";
const PAST: &str = "chat_id message_id room_id user_name message create_date";
const INFO: &str =
    "message_count private_rooms_owned public_rooms_owned private_rooms_member public_rooms_member";

/// Registers through the dialect.
async fn member(server: &TestServer, name: &str) -> Client {
    let body = json!({"user_name": name, "password": PASSWORD});
    let grant = server.anybody().post("/api/register", body).await.ok(201);
    assert_keys(&grant, "access_token");
    server
        .anybody()
        .token(grant["access_token"].as_str().unwrap())
}

/// With that dialect open.
async fn open_server() -> TestServer {
    TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["komunikator".to_owned()].into());
    })
    .await
}

async fn said(asking: impl Future<Output = Reply>, text: &str) {
    assert_eq!(asking.await.ok(200), json!({ "message": text }));
}

async fn refused(asking: impl Future<Output = Reply>, status: u16, text: &str) {
    assert_eq!(asking.await.ok(status), json!({ "error": text }));
}

async fn make(somebody: &Client, room: Value) -> i64 {
    let made = somebody.post("/api/room/create", room).await.ok(200);
    assert_keys(&made, "message room_id");
    assert_eq!(made["message"], "Room created successfully");
    made["room_id"].as_i64().unwrap()
}

async fn public_room(somebody: &Client, name: &str) -> i64 {
    make(somebody, json!({ "room_name": name })).await
}

async fn private_room(somebody: &Client, name: &str, key: &str) -> i64 {
    let room = json!({"room_name": name, "is_private": true, "access_key": key});
    make(somebody, room).await
}

/// Only the names of a list of people.
fn names(list: &Value) -> Vec<&str> {
    let people = list.as_array().unwrap().iter();
    people
        .map(|one| one["user_name"].as_str().unwrap())
        .collect()
}

fn is_time(value: &Value) -> bool {
    chrono::NaiveDateTime::parse_from_str(value.as_str().unwrap(), "%Y-%m-%dT%H:%M:%SZ").is_ok()
}

#[tokio::test]
async fn registering_and_logging_in_answer_a_token() {
    let server = TestServer::start().await;
    member(&server, "ann").await;
    let anybody = server.anybody();
    let full = json!({"user_name": "bob", "password": "x"});
    for path in ["/api/register", "/api/login"] {
        for field in ["user_name", "password"] {
            for empty in [json!(""), Value::Null] {
                let mut body = full.clone();
                body[field] = empty;
                refused(anybody.post(path, body), 400, "Missing Login or password").await;
            }
        }
        refused(
            anybody.post(path, json!({})),
            400,
            "Missing Login or password",
        )
        .await;
        assert_eq!(anybody.post(path, json!([])).await.status, 400);
    }
    let taken = json!({"user_name": "ANN", "password": "x"});
    refused(anybody.post("/api/register", taken), 409, "User Exists").await;
    let odd = json!({"user_name": "a@b", "password": "x"});
    refused(
        anybody.post("/api/register", odd),
        400,
        "user_name must not contain @",
    )
    .await;

    let wrong = json!({"user_name": "ann", "password": "wrong"});
    refused(
        anybody.post("/api/login", wrong),
        401,
        "Invalid user credentials",
    )
    .await;
    let right = json!({"user_name": "ann", "password": PASSWORD});
    let grant = anybody.post("/api/login", right).await.ok(200);
    assert_keys(&grant, "access_token");
    let claims = claims(grant["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["sub"], &claims["dialect"]),
        (&json!("ann"), &json!("komunikator"))
    );
}

fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let server = TestServer::start().await;
    let ann = member(&server, "ann").await;
    let change = |body: Value| ann.call("POST", "/api/user/change_password", Some(body));
    for body in [
        json!({}),
        json!({"old_password": PASSWORD}),
        json!({"new_password": "n"}),
    ] {
        refused(change(body), 400, "Missing password parameter").await;
    }
    let wrong = json!({"old_password": "wrong", "new_password": "n"});
    refused(change(wrong), 401, "Invalid old password").await;
    let right = json!({"old_password": PASSWORD, "new_password": "n"});
    said(change(right), "Password changed successfully").await;
    let login = json!({"user_name": "ann", "password": "n"});
    server.anybody().post("/api/login", login).await.ok(200);
}

#[tokio::test]
async fn numbers_count_own_rooms_twice_and_the_lobby_not_at_all() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    private_room(&ann, "p", "k").await;
    let public = public_room(&ann, "q").await;
    let bobs = public_room(&bob, "r").await;
    let join = json!({ "room_id": bobs });
    said(
        ann.post("/api/room/join_public", join),
        "Joined room successfully",
    )
    .await;
    for room in [1, public, bobs, ann.direct_room(&bob).await] {
        ann.say(room, "hi").await;
    }
    let gone = ann.say(1, "gone").await;
    ann.delete(&format!("messages/{}", id(&gone))).await.ok(200);
    let info = ann.get("/api/user/get_info").await.ok(200);
    assert_keys(&info, INFO);
    let expected = json!({
        "message_count": 4, "private_rooms_owned": 1, "public_rooms_owned": 1,
        "private_rooms_member": 1, "public_rooms_member": 2
    });
    assert_eq!(info, expected);
    said(
        bob.post("/api/room/delete", json!({ "room_id": bobs })),
        "Room deleted successfully",
    )
    .await;
    assert_eq!(
        ann.get("/api/user/get_info").await.ok(200)["message_count"],
        3
    );
}

#[tokio::test]
async fn rooms_are_made_as_the_document_says() {
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
    // A key on a public room is ignored, even one that another room has.
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
    assert_eq!(
        create(json!({"room_name": "x", "is_private": "yes"}))
            .await
            .status,
        400
    );
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
async fn a_room_is_shown_to_those_who_may_see_it() {
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
    // The key is for members; admins see the room without it.
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
async fn the_owner_changes_a_room() {
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
async fn the_owner_deletes_a_room_and_all_that_is_in_it() {
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
async fn rooms_are_joined_by_number_or_key_and_left() {
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
async fn rooms_and_people_are_listed() {
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
async fn only_the_owner_kicks_and_not_himself() {
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
    // A moderator keeps order elsewhere, not here.
    ann.add(room, &cid, "moderator").await;
    refused(kick(&cid, of("bob")), 404, "User not owner of room").await;
    refused(kick(&ann, of("nobody")), 404, "User not in room").await;
    refused(kick(&ann, of("ann")), 400, "The owner cannot be kicked").await;
    said(kick(&ann, of("BOB")), "User kicked successfully").await;
    refused(kick(&ann, of("bob")), 404, "User not in room").await;
    // The key opens no more to who was sent out, until they are added again.
    refused(
        bob.post("/api/room/join_private", json!({"access_key": "k"})),
        404,
        "Room not found",
    )
    .await;
    ann.add(room, &bob, "member").await;
}

#[tokio::test]
async fn a_history_comes_oldest_first_in_pages_and_without_what_was_deleted() {
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
    // Reading moves no mark.
    bob.post(&format!("rooms/{room}/join"), json!({}))
        .await
        .ok(200);
    ann.say(room, "five").await;
    read("").await.ok(200);
    assert_eq!(bob.overview(room).await.unwrap()["unread"], 1);
}

#[tokio::test]
async fn without_a_token_nothing_is_shown() {
    let server = TestServer::start().await;
    for (method, path) in [
        ("POST", "/api/user/change_password"),
        ("GET", "/api/user/get_info"),
        ("GET", "/api/users/online"),
        ("GET", "/api/rooms"),
        ("GET", "/api/room?room_id=1"),
        ("POST", "/api/room/create"),
        ("POST", "/api/room/edit"),
        ("POST", "/api/room/delete"),
        ("POST", "/api/room/join_public"),
        ("POST", "/api/room/join_private"),
        ("POST", "/api/room/leave"),
        ("GET", "/api/user_rooms"),
        ("GET", "/api/user/list?room_id=1"),
        ("GET", "/api/user_list?room_id=1"),
        ("POST", "/api/user_kick"),
        ("GET", "/api/chat_history?room_id=1"),
    ] {
        let body = (method == "POST").then(|| json!({}));
        for (client, status, text) in [
            (server.anybody(), 401, "Missing Authorization Header"),
            (
                server.anybody().with("authorization", "Basic eDp5"),
                401,
                "Missing Authorization Header",
            ),
            (
                server.anybody().token("rubbish"),
                422,
                "Signature verification failed",
            ),
        ] {
            let reply = client.call(method, path, body.clone()).await;
            assert_eq!(
                reply.ok(status),
                json!({"error": text, "msg": text}),
                "{path}"
            );
        }
    }
    let ann = server.user("ann").await;
    let refresh = server.anybody().token(&ann.refresh_token);
    let text = "Only access tokens are allowed";
    let told = refresh.get("/api/rooms").await.ok(422);
    assert_eq!(told, json!({"error": text, "msg": text}));
    ann.post("auth/logout", json!({})).await.done();
    let text = "Token has been revoked";
    let told = ann.get("/api/rooms").await.ok(401);
    assert_eq!(told, json!({"error": text, "msg": text}));
}

#[tokio::test]
async fn what_is_wrong_with_http_itself_is_told_in_everybodys_words() {
    let server = TestServer::start().await;
    let ann = member(&server, "ann").await;
    let all = |reply: &Reply, status: u16| {
        let told = reply.ok(status);
        for key in ["error", "message", "msg"] {
            assert!(told[key].is_string(), "{told}");
        }
    };
    all(&ann.get("/api/nowhere").await, 404);
    all(&ann.get("/api/nowhere/").await, 404);
    let wrong = ann.delete("/api/room/create").await;
    all(&wrong, 405);
    assert_eq!(wrong.header("allow"), "OPTIONS, POST");
    all(
        &ann.send("POST", "/api/room/create", Some("text/plain"), "{}")
            .await,
        415,
    );
    let large = json!({"room_name": "x".repeat(70_000)});
    all(&ann.post("/api/room/create", large).await, 413);
    let broken = ann
        .send("POST", "/api/room/create", Some("application/json"), "{")
        .await;
    assert_keys(&broken.ok(400), "error");
    ann.get("/api/rooms/").await.ok(200);
}

#[tokio::test]
async fn wrong_keys_are_limited_and_right_ones_are_not() {
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
    // Whether a key is somebody's can be asked by making rooms, too.
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
async fn an_open_server_shows_everything_but_direct_rooms() {
    let server = open_server().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let private = private_room(&ann, "p", "k").await;
    ann.say(private, "hi").await;
    let direct = ann.direct_room(&bob).await;
    for somebody in [server.anybody(), server.anybody().token(&bob.token)] {
        let list = somebody.get("/api/rooms").await.ok(200);
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
        let shown = somebody
            .get(&format!("/api/room?room_id={private}"))
            .await
            .ok(200);
        assert_eq!(
            (&shown["room_name"], &shown["access_key"]),
            (&json!("p"), &Value::Null)
        );
        let people = somebody
            .get(&format!("/api/user_list?room_id={private}"))
            .await
            .ok(200);
        assert_eq!(names(&people), ["ann"]);
        let history = somebody
            .get(&format!("/api/chat_history?room_id={private}"))
            .await
            .ok(200);
        assert_eq!(history[0]["message"], "hi");
    }
    for path in ["room", "user/list", "user_list", "chat_history"] {
        let asking = server.anybody();
        refused(
            asking.get(&format!("/api/{path}?room_id={direct}")),
            404,
            "Room not found",
        )
        .await;
    }
    // A token that is there must be good; what is somebody's own needs one.
    server
        .anybody()
        .token("rubbish")
        .get("/api/rooms")
        .await
        .ok(422);
    server.anybody().get("/api/user_rooms").await.ok(401);
    let join = json!({ "room_id": private });
    said(
        bob.post("/api/room/join_public", join.clone()),
        "Joined room successfully",
    )
    .await;
    refused(
        bob.post("/api/room/join_public", join.clone()),
        400,
        "User already in room",
    )
    .await;
    server
        .anybody()
        .post("/api/room/join_public", join)
        .await
        .ok(401);
    refused(
        bob.post("/api/room/join_public", json!({"room_id": direct})),
        404,
        "Room not found",
    )
    .await;
}

#[tokio::test]
async fn guests_read_and_write_but_make_no_rooms() {
    let server = TestServer::start().await;
    let gus = server.guest("gus").await;
    let reply = gus
        .post("/api/room/create", json!({"room_name": "q"}))
        .await;
    assert_keys(&reply.ok(403), "error");
    gus.get("/api/rooms").await.ok(200);
}
