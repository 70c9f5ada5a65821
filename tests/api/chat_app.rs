//! `chat_app` as its front end uses it: routes, texts, keys and events, and who receives each event.

use serde_json::{Value, json};

use super::support::*;

const MESSAGE: &str = "id sender_id receiver_id content timestamp read_status";

/// Registers and logs in through `chat_app`; returns the token and the user id.
async fn member(server: &TestServer, name: &str) -> (String, i64) {
    let email = format!("{}@example.org", name.to_lowercase());
    let new = json!({"name": name, "email": email, "password": "long secret", "role": "user"});
    let said = server.anybody().post("/auth/register", new).await.ok(201);
    assert_eq!(said, json!({"msg": "Registration successful"}));
    let login = json!({"email": email, "password": "long secret", "role": "user"});
    let grant = server.anybody().post("/auth/login", login).await.ok(200);
    assert_keys(&grant, "access_token refresh_token name");
    assert_eq!(grant["name"], name);
    let token = grant["access_token"].as_str().unwrap().to_owned();
    let info = server
        .anybody()
        .token(&token)
        .get("/chat/info")
        .await
        .ok(200);
    assert_eq!(
        info,
        json!({"id": info["id"], "name": name, "email": email, "role": "user"})
    );
    (token, info["id"].as_i64().unwrap())
}

/// Asserts an error response, which carries the same text under two keys.
fn refused(reply: &Reply, status: u16, text: &str) {
    assert_eq!(reply.ok(status), json!({"msg": text, "error": text}));
}

#[tokio::test]
async fn registering_refuses_missing_taken_or_forbidden_values() {
    let server = TestServer::start().await;
    member(&server, "Ann").await;
    let register = async |body: Value| server.anybody().post("/auth/register", body).await;
    let full =
        json!({"name": "Bob", "email": "b@example.org", "password": "long secret", "role": "user"});
    for field in ["name", "email", "password", "role"] {
        let mut body = full.clone();
        body.as_object_mut().unwrap().remove(field);
        refused(&register(body).await, 400, &format!("{field} is missing"));
    }
    let with = |field: &str, value: &str| {
        let mut body = full.clone();
        body[field] = value.into();
        body
    };
    refused(
        &register(with("role", "king")).await,
        400,
        "role must be admin or user",
    );
    refused(
        &register(with("email", "ann@example.org")).await,
        409,
        "Email already registered",
    );
    refused(
        &register(with("role", "admin")).await,
        403,
        "you may not do that",
    );
    // Two accounts may have the same name.
    register(with("name", "Ann")).await.ok(201);
}

#[tokio::test]
async fn only_admins_register_admins_unless_the_dialect_is_open() {
    let new = json!({"name": "Boss", "email": "boss@example.org", "password": "long secret", "role": "admin"});
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    server
        .anybody()
        .token(&root.token)
        .post("/auth/register", new.clone())
        .await
        .ok(201);
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["chat_app".to_owned()].into());
    })
    .await;
    // An open dialect does not check the token of a registration.
    let anybody = server.anybody().token("rubbish");
    anybody.post("/auth/register", new).await.ok(201);
    assert_eq!(
        server.anybody().get("/chat/admins").await.ok(200)[0]["name"],
        "Boss"
    );
    // Sockets need a token even when the dialect is open.
    let refused = EventSocket::try_open(server.address, json!({})).await;
    assert_eq!(refused.err().as_deref(), Some("not logged in"));
}

#[tokio::test]
async fn logging_in_with_the_wrong_role_or_password_is_refused() {
    let server = TestServer::start().await;
    member(&server, "Ann").await;
    let login = async |body: Value| server.anybody().post("/auth/login", body).await;
    for (password, role) in [("wrong", "user"), ("long secret", "admin")] {
        let body = json!({"email": "ann@example.org", "password": password, "role": role});
        refused(&login(body).await, 401, "Invalid credentials");
    }
    login(json!({"email": "ann@example.org", "password": "long secret"}))
        .await
        .ok(200);
}

#[tokio::test]
async fn users_see_admins_and_the_users_they_chat_with() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, ann_id) = member(&server, "Ann").await;
    let (bob, bob_id) = member(&server, "Bob").await;
    let list =
        async |token: &str, path: &str| server.anybody().token(token).get(path).await.ok(200);
    assert_eq!(
        list(&ann, "/chat/admins").await,
        json!([{"id": root.id, "name": "root", "role": "admin"}])
    );
    assert_eq!(list(&ann, "/chat/users").await, json!([]));
    let all = list(&root.token, "/chat/users").await;
    assert_eq!(
        all,
        json!([{"id": ann_id, "name": "Ann", "role": "user"}, {"id": bob_id, "name": "Bob", "role": "user"}])
    );
    let mut socket = EventSocket::open(server.address, &ann).await;
    socket
        .emit("smessage", json!({"receiver_id": bob_id, "content": "hi"}))
        .await;
    socket.event("message_sent").await;
    assert_eq!(
        list(&bob, "/chat/users").await,
        json!([{"id": ann_id, "name": "Ann", "role": "user"}])
    );
    refused(
        &server.anybody().get("/chat/users").await,
        401,
        "Missing Authorization Header",
    );
    refused(
        &server.anybody().token("rubbish").get("/chat/admins").await,
        422,
        "Signature verification failed",
    );
}

/// Returns the names of all events received so far.
async fn names(socket: &mut EventSocket) -> Vec<String> {
    let events = socket.events().await.into_iter();
    let names = events.map(|(name, _)| name);
    // `realtime` greets every connection with `connected`.
    names.filter(|name| name != "connected").collect()
}

#[tokio::test]
async fn routes_need_a_token_except_for_lists_in_an_open_dialect() {
    let server = TestServer::start().await;
    for path in [
        "/chat/admins",
        "/chat/users",
        "/chat/info",
        "/chat/messages/1",
        "/chat/loaded",
    ] {
        let missing = server.anybody().get(path).await;
        refused(&missing, 401, "Missing Authorization Header");
        let bad = server.anybody().token("rubbish").get(path).await;
        refused(&bad, 422, "Signature verification failed");
    }
    let open = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["chat_app".to_owned()].into());
    })
    .await;
    let (_, ann) = member(&open, "Ann").await;
    let listed = open.anybody().get("/chat/users").await.ok(200);
    assert_eq!(listed, json!([{"id": ann, "name": "Ann", "role": "user"}]));
    for path in ["/chat/info", "/chat/messages/1", "/chat/loaded"] {
        let missing = open.anybody().get(path).await;
        refused(&missing, 401, "Missing Authorization Header");
    }
}

#[tokio::test]
async fn invalid_requests_get_errors_in_the_format_of_chat_app() {
    let server = TestServer::start().await;
    let (ann, _) = member(&server, "Ann").await;
    let ann = server.anybody().token(&ann);
    refused(&ann.get("/chat/messages/x").await, 404, "User not found");
    let wrong = ann.delete("/chat/loaded").await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.header("allow").starts_with("GET, HEAD, OPTIONS"));
    for (body, status) in [("{", 400), ("[]", 400)] {
        let kind = Some("application/json");
        for path in ["/auth/register", "/auth/login"] {
            let reply = ann.send("POST", path, kind, body).await;
            assert_keys(&reply.ok(status), "msg error");
        }
    }
    for (field, value) in [("role", "guest"), ("email", "nobody"), ("name", "  ")] {
        let mut new = json!({"name": "B", "email": "b@example.org", "password": "long secret", "role": "user"});
        new[field] = value.into();
        let reply = ann.post("/auth/register", new).await;
        assert_keys(&reply.ok(400), "msg error");
    }
    for missing in ["email", "password"] {
        let mut login = json!({"email": "ann@example.org", "password": "long secret"});
        login.as_object_mut().unwrap().remove(missing);
        let reply = ann.post("/auth/login", login).await;
        refused(&reply, 400, &format!("{missing} is missing"));
    }
    assert_eq!(ann.get("/chat/loaded/").await.ok(200), json!([]));
    assert_eq!(ann.get("/chat/loaded?limit=0").await.status, 400);
}

#[tokio::test]
async fn expired_tokens_get_their_own_error() {
    let (_server, ann) = TestServer::with_expired_token().await;
    refused(&ann.get("/chat/info").await, 401, "Token has expired");
}

#[tokio::test]
async fn histories_are_paged() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.direct_room(&bob).await;
    ann.say(room, "one").await;
    let two = bob.say(room, "two").await["id"].clone();
    for path in [&format!("/chat/messages/{}", bob.id), "/chat/loaded"] {
        let newest = ann.get(&format!("{path}?limit=1")).await.ok(200);
        assert_eq!(each(newest.as_array().unwrap(), "content"), ["two"]);
        let before = ann.get(&format!("{path}?before={two}")).await.ok(200);
        assert_eq!(each(before.as_array().unwrap(), "content"), ["one"]);
    }
}

#[tokio::test]
async fn messages_and_read_marks_reach_both_people() {
    let server = TestServer::start().await;
    let (ann, ann_id) = member(&server, "Ann").await;
    let (bob, bob_id) = member(&server, "Bob").await;
    let mut anns = EventSocket::open(server.address, &ann).await;
    let mut bobs = EventSocket::open(server.address, &bob).await;
    let (eve, _) = member(&server, "Eve").await;
    let mut second = EventSocket::open(server.address, &ann).await;
    let mut eves = EventSocket::open(server.address, &eve).await;
    // There is nothing to mark as read yet, so no event is sent.
    bobs.emit("mark_message_read", json!({"sender_id": ann_id}))
        .await;
    assert_eq!(names(&mut bobs).await, ["connection"]);
    assert_eq!(
        anns.event("connection").await,
        json!({"User_id": ann_id, "Connection": true})
    );

    anns.emit(
        "smessage",
        json!({"receiver_id": bob_id.to_string(), "content": " hi "}),
    )
    .await;
    assert_eq!(
        anns.event("message_sent").await,
        json!({"msg": "Message sent successfully"})
    );
    let told = anns.event("receive_message").await;
    assert_keys(&told, MESSAGE);
    assert_eq!(
        (&told["content"], &told["receiver_id"], &told["read_status"]),
        (&json!(" hi"), &json!(bob_id), &json!(false))
    );
    let time = told["timestamp"].as_str().unwrap();
    assert!(
        chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S").is_ok(),
        "{time}"
    );
    assert_eq!(bobs.event("receive_message").await, told);
    assert_eq!(bobs.event("smessage").await, told);
    assert_eq!(second.event("receive_message").await, told);
    assert!(
        !anns
            .events()
            .await
            .iter()
            .any(|(name, _)| name == "smessage")
    );

    let read = async |token: &str, other: i64| {
        server
            .anybody()
            .token(token)
            .get(&format!("/chat/messages/{other}"))
            .await
            .ok(200)
    };
    assert_eq!(read(&ann, bob_id).await, json!([told]));
    bobs.emit("mark_message_read", json!({"sender_id": ann_id}))
        .await;
    let mark = json!({"sender_id": ann_id, "receiver_id": bob_id});
    for socket in [&mut anns, &mut bobs] {
        assert_eq!(socket.event("read_status_update").await, mark);
        assert_eq!(socket.event("mark_message_read").await, mark);
    }
    assert_eq!(second.event("read_status_update").await, mark);
    let mut told = told;
    told["read_status"] = true.into();
    assert_eq!(read(&bob, ann_id).await, json!([told]));
    for token in [&ann, &bob] {
        let loaded = server.anybody().token(token).get("/chat/loaded").await;
        assert_eq!(loaded.ok(200), json!([told]));
    }
    assert_eq!(names(&mut eves).await, ["connection"]);
    let loaded = server.anybody().token(&eve).get("/chat/loaded").await;
    assert_eq!(loaded.ok(200), json!([]));
}

#[tokio::test]
async fn invalid_events_get_an_error_event() {
    let server = TestServer::start().await;
    let (ann, ann_id) = member(&server, "Ann").await;
    let mut socket = EventSocket::open(server.address, &ann).await;
    let mut error = async |name: &str, value: Value| {
        socket.emit(name, value).await;
        let error = socket.event("error").await;
        assert_keys(&error, "error message");
        error["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        error("smessage", Value::Null).await,
        "receiver_id must be the number of a user"
    );
    assert_eq!(
        error("smessage", json!("text")).await,
        "receiver_id must be the number of a user"
    );
    assert_eq!(
        error("smessage", json!({"receiver_id": 999, "content": "x"})).await,
        "User not found"
    );
    assert_eq!(
        error("smessage", json!({"receiver_id": ann_id, "content": "x"})).await,
        "user_id must be somebody else"
    );
    assert_eq!(
        error("smessage", json!({"receiver_id": 999, "content": 7})).await,
        "content must be a text"
    );
    assert_eq!(
        error("mark_message_read", json!({})).await,
        "sender_id must be the number of a user"
    );
    let nobody = server
        .anybody()
        .token(&ann)
        .get("/chat/messages/999")
        .await
        .ok(200);
    assert_eq!(nobody, json!([]));
    server
        .anybody()
        .token(&ann)
        .get("/chat/messages/x")
        .await
        .ok(404);
    assert_eq!(
        EventSocket::try_open(server.address, json!({}))
            .await
            .err()
            .unwrap(),
        "not logged in"
    );
}

#[tokio::test]
async fn messages_with_a_foreign_sender_id_are_refused() {
    let server = TestServer::start().await;
    let (ann, ann_id) = member(&server, "Ann").await;
    let (_, bob_id) = member(&server, "Bob").await;
    let mut socket = EventSocket::open(server.address, &ann).await;
    for other in [
        json!(bob_id),
        json!(bob_id.to_string()),
        json!(format!(" {ann_id}")),
        json!("Ann"),
        json!([ann_id]),
        json!({}),
        json!(true),
    ] {
        let said = json!({"sender_id": other, "receiver_id": bob_id, "content": "as Bob"});
        socket.emit("smessage", said).await;
        let text = "you may not do that";
        assert_eq!(
            socket.event("error").await,
            json!({"error": text, "message": text}),
            "{other}"
        );
    }
    for own in [
        json!(ann_id),
        json!(ann_id.to_string()),
        Value::Null,
        json!(""),
    ] {
        let said = json!({"sender_id": own, "receiver_id": bob_id, "content": "as Ann"});
        socket.emit("smessage", said).await;
        assert_eq!(socket.event("receive_message").await["sender_id"], ann_id);
    }
    let all = server.anybody().token(&ann).get("/chat/loaded").await;
    assert_eq!(all.ok(200).as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn registering_an_admin_needs_a_token_not_a_cookie() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let root = Pages::log_in(&server, "root").await;
    let new = json!({"name": "Boss", "email": "boss@example.org", "password": "long secret", "role": "admin"});
    let reply = root.client.post("/auth/register", new.clone()).await;
    refused(&reply, 403, "you may not do that");
    let bad = root.client.clone().token("rubbish");
    refused(
        &bad.post("/auth/register", new.clone()).await,
        422,
        "Signature verification failed",
    );
    let mut user = new;
    user["role"] = "user".into();
    root.client.post("/auth/register", user).await.ok(201);
}

#[tokio::test]
async fn invalid_user_ids_are_not_found() {
    let server = TestServer::start().await;
    let (ann, _) = member(&server, "Ann").await;
    let ann = server.anybody().token(&ann);
    for id in ["0", "-1", "99999999999999999999", "x", "1.5", "%FF"] {
        let reply = ann.get(&format!("/chat/messages/{id}")).await;
        refused(&reply, 404, "User not found");
    }
    let nobody_yet = ann.get("/chat/messages/999").await;
    assert_eq!(nobody_yet.ok(200), json!([]));
}
