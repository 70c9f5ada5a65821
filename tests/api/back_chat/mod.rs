//! `back_chat`: users, messages of the lobby, and the lobby's WebSocket.

use serde_json::{Value, json};

use super::support::*;

mod notifications;
mod uploads;

async fn health(server: &TestServer) -> Value {
    server.anybody().get("/api/health").await.ok(200)
}

#[tokio::test]
async fn users_are_added_listed_changed_and_deleted() {
    let server = TestServer::start().await;
    assert!(health(&server).await["version"].is_string());
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let guest = server.guest("visitor").await;
    let new = json!({"name": "bob", "postal_code": "8001", "city": "Zürich"});
    assert_eq!(ann.post("/v1/user", new.clone()).await.ok(403), "Forbidden");
    let added = root.post("/v1/user", new.clone()).await.ok(200)["msg"]
        .as_str()
        .unwrap()
        .to_owned();
    let id: i64 = added
        .strip_prefix("Added user ")
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(added, format!("Added user {id}:bob to database."));
    assert_eq!(
        root.post("/v1/user", new).await.ok(200),
        json!({"msg": "The user already exists!"})
    );
    assert_eq!(
        root.post("/v1/user", json!({"name": "a@b"})).await.ok(404),
        json!({"msg": "username must not contain @"})
    );

    for field in ["postal_code", "city"] {
        for bad in ["x".repeat(101), "a\nb".to_owned()] {
            let mut body = json!({"name": "eve"});
            body[field] = bad.into();
            let text = format!("{field} is too long or has control characters");
            let told = root.post("/v1/user", body).await.ok(404);
            assert_eq!(told, json!({ "msg": text }));
        }
    }

    let expected = json!({"id": id, "name": "bob", "postal_code": "8001", "city": "Zürich"});
    assert!(
        ann.get("/v1/users/")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .contains(&expected)
    );
    let hidden = json!({"id": id, "name": "bob", "postal_code": null, "city": null});
    assert!(
        guest
            .get("/v1/users")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .contains(&hidden)
    );
    assert_eq!(
        server.anybody().get("/v1/users").await.ok(401),
        "Unauthorised"
    );

    let change = json!({"name": "Bobby", "postal_code": "1000", "city": "Bern"});
    let changed = root
        .call("PUT", &format!("/v1/users/{id}"), Some(change.clone()))
        .await
        .ok(200);
    assert_eq!(
        changed,
        json!({"id": id, "name": "Bobby", "postal_code": "1000", "city": "Bern"})
    );
    assert_eq!(
        ann.call("PUT", &format!("/v1/users/{id}"), Some(change.clone()))
            .await
            .ok(403),
        "Forbidden"
    );
    let mut longest = change.clone();
    longest["name"] = "Annie".into();
    longest["city"] = "x".repeat(100).into();
    let own = format!("/v1/users/{}", ann.id);
    let changed = ann.call("PUT", &own, Some(longest.clone())).await.ok(200);
    assert_eq!(changed["city"], longest["city"]);
    for nobody in ["/v1/users/999", "/v1/users/nobody"] {
        let reply = root.call("PUT", nobody, Some(change.clone())).await;
        assert_eq!(reply.ok(404), "User not found");
    }
    assert_eq!(root.delete("/v1/users/999").await.ok(404), "User not found");
    assert_eq!(
        root.delete("/v1/users/nobody").await.ok(422),
        "The id is not an integer"
    );
    assert_eq!(
        ann.delete(&format!("/v1/users/{id}")).await.ok(403),
        "Forbidden"
    );
    assert_eq!(
        root.delete(&format!("/v1/users/{id}")).await.ok(200),
        "User deleted"
    );
}

#[tokio::test]
async fn every_route_except_health_needs_a_token_and_errors_are_strings() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let gone = server.log_in("ann").await;
    gone.post("auth/logout", json!({})).await.done();
    let rows = [
        ("POST", "/v1/user"),
        ("GET", "/v1/users/"),
        ("PUT", "/v1/users/1"),
        ("DELETE", "/v1/users/1"),
        ("POST", "/v1/upload-files/"),
        ("GET", "/v1/connected-users"),
        ("GET", "/v1/messages"),
        ("DELETE", "/v1/messages"),
        ("GET", "/ws/connected_users"),
        ("GET", "/connected_users"),
    ];
    for (method, path) in rows {
        let rubbish = server.anybody().token("rubbish");
        for client in [server.anybody(), rubbish, (*gone).clone()] {
            let reply = client.call(method, path, None).await;
            assert_eq!(reply.ok(401), "Unauthorised");
        }
    }
    assert_eq!(ann.get("/v1/nothing").await.ok(404), "Not found");
    let wrong = ann.call("PATCH", "/v1/messages", None).await;
    assert_eq!(wrong.header("allow"), "DELETE, GET, HEAD, OPTIONS");
    assert_eq!(wrong.ok(405), "Method not allowed");
    let form = ann.send("POST", "/v1/user", Some("text/plain"), "x").await;
    assert_eq!(form.ok(415), "the body must be application/json");
    let json = Some("application/json");
    let broken = ann.send("POST", "/v1/user", json, "{").await;
    assert!(broken.ok(400).is_string());
}

#[tokio::test]
async fn user_info_describes_the_owner_of_the_token() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let info = ann.get("/v1/user-info").await.ok(200);
    let uuid = ann.get("me").await.ok(200)["uuid"].clone();
    let expected = json!({"id": ann.id, "sub": uuid, "preferred_username": "ann", "name": "ann", "email": null, "role": "user"});
    assert_eq!(info, expected);
    for client in [server.anybody(), server.anybody().token("rubbish")] {
        assert_eq!(client.get("/v1/user-info").await.ok(400), json!({}));
    }
}

#[tokio::test]
async fn lobby_messages_and_arrivals_are_sent_over_the_websocket() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut anns =
        RawSocket::open(server.address, &format!("/ws/messages?token={}", ann.token)).await;
    let came = anns.next().await;
    assert_eq!(
        (&came["user_id"], &came["content"], &came["mtype"]),
        (&json!("ann"), &json!("join the chat"), &json!("connect"))
    );
    assert_eq!(came["isMine"], false);
    let mut bobs = RawSocket::open(server.address, &format!("/messages?token={}", bob.token)).await;
    assert_eq!(bobs.next().await["user_id"], "bob");
    assert_eq!(anns.next().await["user_id"], "bob");
    for path in ["/ws/connected_users", "/connected_users"] {
        assert_eq!(
            ann.get(path).await.ok(200),
            json!({"connected_users": ["ann", "bob"]})
        );
    }
    let connected = ann.get("/v1/connected-users").await.ok(200);
    assert_eq!(
        (&connected[0]["name"], &connected[0]["status"]),
        (&json!("ann"), &json!("online"))
    );
    assert!(connected[0]["lastConnection"].is_string());

    anns.send(json!({"user_id": "null", "content": "hi", "timestamp": "x", "mtype": "message"}))
        .await;
    let (mine, theirs) = (anns.next().await, bobs.next().await);
    assert_eq!(
        (&mine["isMine"], &theirs["isMine"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&theirs["user_id"], &theirs["content"], &theirs["mtype"]),
        (&json!("ann"), &json!("hi"), &json!("message"))
    );
    let time = theirs["timestamp"].as_str().unwrap();
    assert!(time.len() == 26 && time.as_bytes()[10] == b' ', "{time}");
    let keys: Vec<_> = theirs.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["content", "isMine", "mtype", "timestamp", "user_id"]);

    for (bad, text) in [
        (json!("text"), "The frame is no message"),
        (
            json!({"content": "x", "mtype": "alarm"}),
            "The frame is no message",
        ),
        (
            json!({"content": " ", "mtype": "message"}),
            "content must not be empty",
        ),
    ] {
        anns.send(bad).await;
        let mut warning = anns.next().await;
        warning["timestamp"] = Value::Null;
        assert_eq!(
            warning,
            json!({"user_id": "ann", "content": text, "timestamp": null, "mtype": "warning", "isMine": false})
        );
    }
    drop(bobs);
    let left = anns.next().await;
    assert_eq!(
        (&left["user_id"], &left["content"], &left["mtype"]),
        (&json!("bob"), &json!("left the chat"), &json!("disconnect"))
    );
}

#[tokio::test]
async fn history_shows_the_newest_10_messages_and_admins_clear_it() {
    let server = TestServer::start().await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    for number in 0..12 {
        ann.say(1, &number.to_string()).await;
    }
    root.say(1, "last").await;
    let list = ann.get("/v1/messages").await.ok(200);
    let list = list.as_array().unwrap();
    assert_eq!(
        (list.len(), &list[0]["content"], &list[9]["content"]),
        (10, &json!("3"), &json!("last"))
    );
    assert_eq!(
        (&list[0]["isMine"], &list[9]["isMine"], &list[9]["user_id"]),
        (&json!(true), &json!(false), &json!("root"))
    );
    let keys: Vec<_> = list[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["content", "isMine", "mtype", "timestamp", "user_id"]);
    assert_eq!(list[0]["mtype"], "message");
    assert_time(&list[0]["timestamp"]);
    assert_eq!(ann.delete("/v1/messages").await.ok(403), "Forbidden");
    assert_eq!(
        root.delete("/v1/messages").await.ok(200),
        "Messages deleted"
    );
    assert_eq!(ann.get("/v1/messages").await.ok(200), json!([]));
}

#[tokio::test]
async fn sockets_without_a_good_token_are_closed_even_when_the_dialect_is_open() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["back_chat".to_owned()].into());
    })
    .await;
    for path in ["/ws/messages", "/messages?token=rubbish"] {
        let mut socket = RawSocket::open(server.address, path).await;
        assert_eq!(socket.closed().await, (1008, "Unauthorised".to_owned()));
    }
    let ann = server.user("ann").await;
    let mut socket =
        RawSocket::open(server.address, &format!("/messages?token={}", ann.token)).await;
    socket.next().await;
    ann.post("auth/logout", json!({})).await.done();
    assert_eq!(socket.closed().await.0, 4001);
    let path = format!("/ws/messages?token={}", ann.token);
    let mut again = RawSocket::open(server.address, &path).await;
    assert_eq!(again.closed().await, (1008, "Unauthorised".to_owned()));
}

#[tokio::test]
async fn an_open_dialect_needs_no_token_but_cannot_change_admins() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["back_chat".to_owned()].into());
    })
    .await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let anybody = server.anybody();
    anybody
        .post("/v1/user", json!({"name": "bob"}))
        .await
        .ok(200);
    assert_eq!(
        anybody
            .delete(&format!("/v1/users/{}", root.id))
            .await
            .ok(403),
        "Forbidden"
    );
    let change = json!({"name": "King"});
    anybody
        .call(
            "PUT",
            &format!("/v1/users/{}", root.id),
            Some(change.clone()),
        )
        .await
        .ok(403);
    anybody
        .call("PUT", &format!("/v1/users/{}", ann.id), Some(change))
        .await
        .ok(200);
    anybody.get("/v1/messages").await.ok(200);
    anybody.delete("/v1/messages").await.ok(200);
    assert_eq!(
        anybody
            .delete(&format!("/v1/users/{}", ann.id))
            .await
            .ok(200),
        "User deleted"
    );
}

#[tokio::test]
async fn sockets_over_the_connection_limit_are_closed_with_1008() {
    let server = TestServer::start_with(|config| {
        config.limits.connections_per_user = std::num::NonZeroU32::new(1);
    })
    .await;
    let ann = server.user("ann").await;
    let path = format!("/messages?token={}", ann.token);
    let mut first = RawSocket::open(server.address, &path).await;
    first.next().await;
    for path in ["/ws/messages", "/ws/notifications"] {
        let path = format!("{path}?token={}", ann.token);
        let mut socket = RawSocket::open(server.address, &path).await;
        let told = (1008, "Too many connections".to_owned());
        assert_eq!(socket.closed().await, told, "{path}");
    }
}
