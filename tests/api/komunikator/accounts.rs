//! Accounts, statistics, tokens and HTTP errors.

use super::*;

#[tokio::test]
async fn registering_and_logging_in_return_a_token() {
    let server = TestServer::start().await;
    member(&server, "ann").await;
    let anybody = server.anybody();
    let full = json!({"user_name": "bob", "password": "long secret"});
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
    for field in ["user_name", "password"] {
        let mut body = full.clone();
        body[field] = 7.into();
        let text = format!("{field} must be a text");
        refused(anybody.post("/api/register", body), 400, &text).await;
    }
    let taken = json!({"user_name": "ANN", "password": "long secret"});
    refused(anybody.post("/api/register", taken), 409, "User Exists").await;
    let odd = json!({"user_name": "a@b", "password": "long secret"});
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
async fn changing_the_password_needs_the_old_one() {
    let server = TestServer::start().await;
    let ann = member(&server, "ann").await;
    let change = |body: Value| ann.call("POST", "/api/user/change_password", Some(body));
    for body in [
        json!({}),
        json!({"old_password": PASSWORD}),
        json!({"new_password": "new secret"}),
    ] {
        refused(change(body), 400, "Missing password parameter").await;
    }
    let wrong = json!({"old_password": "wrong", "new_password": "new secret"});
    refused(change(wrong), 401, "Invalid old password").await;
    let right = json!({"old_password": PASSWORD, "new_password": "new secret"});
    said(change(right), "Password changed successfully").await;
    let login = json!({"user_name": "ann", "password": "new secret"});
    server.anybody().post("/api/login", login).await.ok(200);
}

#[tokio::test]
async fn statistics_count_own_rooms_as_memberships_but_not_the_lobby() {
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
async fn expired_tokens_get_their_own_error() {
    let (_server, ann) = TestServer::with_expired_token().await;
    let text = "Token has expired";
    let told = ann.get("/api/rooms").await.ok(401);
    assert_eq!(
        told,
        json!({"error": text, "message": text, "msg": text, "detail": text})
    );
}

#[tokio::test]
async fn every_route_needs_an_access_token() {
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
                json!({"error": text, "message": text, "msg": text, "detail": text}),
                "{path}"
            );
        }
    }
    let ann = server.user("ann").await;
    let refresh = server.anybody().token(&ann.refresh_token);
    let text = "Only access tokens are allowed";
    let told = refresh.get("/api/rooms").await.ok(422);
    assert_eq!(
        told,
        json!({"error": text, "message": text, "msg": text, "detail": text})
    );
    ann.post("auth/logout", json!({})).await.done();
    let text = "Token has been revoked";
    let told = ann.get("/api/rooms").await.ok(401);
    assert_eq!(
        told,
        json!({"error": text, "message": text, "msg": text, "detail": text})
    );
}

#[tokio::test]
async fn http_errors_carry_the_keys_of_all_dialects() {
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
    assert_keys(&broken.ok(400), "error message msg detail");
    ann.get("/api/rooms/").await.ok(200);
}

#[tokio::test]
async fn guests_cannot_create_rooms() {
    let server = TestServer::start().await;
    let gus = server.guest("gus").await;
    let reply = gus
        .post("/api/room/create", json!({"room_name": "q"}))
        .await;
    assert_keys(&reply.ok(403), "error message msg detail");
    gus.get("/api/rooms").await.ok(200);
}
