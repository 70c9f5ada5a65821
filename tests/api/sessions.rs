//! Sessions over HTTP: tokens, refreshing, logging out, changing the password, actions of admins.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::*;

fn refresh(token: &str) -> Value {
    json!({ "refresh_token": token })
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_valid_token_is_needed() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let anybody = server.anybody();
    let reply = anybody.get("me").await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    let basic = anybody.clone().with("authorization", "Basic YTpi");
    basic.get("me").await.refused(401, "unauthenticated");
    for token in ["x", "a.b.c", &ann.refresh_token, &format!("{}x", ann.token)] {
        let stranger = anybody.clone().token(token);
        stranger.get("me").await.refused(401, "token_invalid");
    }
    // A token of another server, for an account with the same id.
    let other = TestServer::start().await.user("ann").await;
    anybody
        .clone()
        .token(&other.token)
        .get("me")
        .await
        .refused(401, "token_invalid");
}

#[tokio::test]
async fn an_expired_access_token_is_replaced_by_refreshing() {
    let (server, ann) = TestServer::with_expired_token().await;
    ann.get("me").await.refused(401, "token_expired");
    let server = server
        .restart_with(|config| config.auth.access_ttl = Duration::from_secs(60))
        .await;
    let pair = server
        .anybody()
        .post("auth/refresh", refresh(&ann.refresh_token))
        .await
        .ok(200);
    assert_keys(&pair, "access_token refresh_token expires_in");
    assert_eq!(pair["expires_in"], 60);
    server
        .anybody()
        .token(&text(&pair, "access_token"))
        .get("me")
        .await
        .ok(200);
}

#[tokio::test]
async fn a_refresh_token_is_valid_once_and_one_minute_longer() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let anybody = server.anybody();
    let first = ann.refresh_token.clone();
    let second = text(
        &anybody.post("auth/refresh", refresh(&first)).await.ok(200),
        "refresh_token",
    );
    assert_ne!(first, second);
    // The response may have been lost: the previous token still returns the current pair.
    let again = anybody.post("auth/refresh", refresh(&first)).await.ok(200);
    let third = text(
        &anybody
            .post("auth/refresh", refresh(&text(&again, "refresh_token")))
            .await
            .ok(200),
        "refresh_token",
    );
    // A token two generations old counts as stolen.
    anybody
        .post("auth/refresh", refresh(&first))
        .await
        .refused(401, "session_ended");
    for token in [second, third] {
        anybody
            .post("auth/refresh", refresh(&token))
            .await
            .refused(401, "session_ended");
    }
    ann.get("me").await.refused(401, "session_ended");
}

#[tokio::test]
async fn reusing_a_refresh_token_after_a_minute_ends_the_session() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    let first = refresh(&ann.refresh_token);
    server
        .anybody()
        .post("auth/refresh", first.clone())
        .await
        .ok(200);
    server.edit_file("UPDATE sessions SET refreshed_at = refreshed_at - 61000");
    server
        .anybody()
        .post("auth/refresh", first)
        .await
        .refused(401, "session_ended");
    assert_eq!(socket.closed().await, 4001);
}

#[tokio::test]
async fn refreshing_needs_a_refresh_token() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for token in [ann.token.as_str(), "x", ""] {
        let reply = server.anybody().post("auth/refresh", refresh(token)).await;
        reply.refused(401, "token_invalid");
    }
}

#[tokio::test]
async fn an_unused_session_expires() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    server.edit_file("UPDATE sessions SET expires_at = 1");
    ann.get("me").await.refused(401, "session_ended");
    server
        .anybody()
        .post("auth/refresh", refresh(&ann.refresh_token))
        .await
        .refused(401, "session_ended");
}

#[tokio::test]
async fn people_list_and_end_their_own_sessions() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let bob = server.user("bob").await;
    let elsewhere = server.log_in("ann").await;
    let sessions = ann.get("auth/sessions").await.items();
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_keys(session, SESSION);
        assert_eq!(
            (&session["kind"], &session["ip"]),
            (&json!("native"), &json!("127.0.0.1"))
        );
    }
    let current: Vec<_> = sessions
        .iter()
        .map(|session| session["current"].as_bool().unwrap())
        .collect();
    assert_eq!(current, [true, false]);

    let path = format!("auth/sessions/{}", sessions[1]["id"]);
    bob.delete(&path).await.refused(404, "not_found");
    elsewhere.get("me").await.ok(200);
    ann.delete(&path).await.done();
    ann.delete(&path).await.refused(404, "not_found");
    elsewhere.get("me").await.refused(401, "session_ended");
    ann.get("me").await.ok(200);
}

#[tokio::test]
async fn ending_all_other_sessions_keeps_this_one() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let elsewhere = server.log_in("ann").await;
    let (mut here, mut there) = (ann.connect().await, elsewhere.connect().await);
    ann.delete("auth/sessions").await.done();
    assert_eq!(there.closed().await, 4001);
    elsewhere.get("me").await.refused(401, "session_ended");
    here.ok(json!({ "op": "ping" })).await;
}

#[tokio::test]
async fn logging_out_ends_the_session_and_its_sockets_only() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let elsewhere = server.log_in("ann").await;
    let (mut here, mut there) = (ann.connect().await, elsewhere.connect().await);
    ann.call("POST", "auth/logout", None).await.done();
    assert_eq!(here.closed().await, 4001);
    ann.get("me").await.refused(401, "session_ended");
    server
        .anybody()
        .post("auth/refresh", refresh(&ann.refresh_token))
        .await
        .refused(401, "session_ended");
    ann.call("POST", "auth/logout", None)
        .await
        .refused(401, "session_ended");
    there.ok(json!({ "op": "ping" })).await;
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let elsewhere = server.log_in("ann").await;
    let (mut here, mut there) = (ann.connect().await, elsewhere.connect().await);
    let change = |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        ann.call("POST", "me/password", Some(body))
    };
    change("wrong", "battery staple")
        .await
        .refused(401, "bad_credentials");
    change(PASSWORD, "short").await.invalid("new_password");
    change(PASSWORD, "battery staple").await.done();
    assert_eq!(there.closed().await, 4001);
    elsewhere.get("me").await.refused(401, "session_ended");
    here.ok(json!({ "op": "ping" })).await;
    ann.get("me").await.ok(200);
    for (password, status) in [(PASSWORD, 401), ("battery staple", 200)] {
        let body = json!({ "username": "ann", "password": password });
        assert_eq!(
            server.anybody().post("auth/login", body).await.status,
            status
        );
    }
}

#[tokio::test]
async fn a_guest_has_no_password_to_change() {
    let server = TestServer::start().await;
    let gus = server.guest("gus").await;
    let body = json!({ "current_password": "", "new_password": "battery staple" });
    gus.post("me/password", body)
        .await
        .refused(401, "bad_credentials");
}

#[tokio::test]
async fn deleting_an_account_ends_its_sessions_and_sockets() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let mut socket = ann.watch(1).await;
    let mut watching = root.watch(1).await;
    root.delete(&format!("users/{}", ann.id)).await.done();
    assert_eq!(socket.closed().await, 4001);
    ann.get("me").await.refused(401, "session_ended");
    let left = watching.event("left").await;
    assert_keys(&left, "event room user by reason");
    assert_eq!(
        (&left["reason"], &left["user"]["deleted"]),
        (&json!("ended"), &json!(true))
    );
}

#[tokio::test]
async fn admins_end_all_sessions_of_an_account() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let elsewhere = server.log_in("ann").await;
    let mut socket = elsewhere.connect().await;
    let path = format!("users/{}/sessions", ann.id);
    ann.delete(&path).await.refused(403, "forbidden");
    root.delete(&path).await.done();
    assert_eq!(socket.closed().await, 4001);
    for somebody in [&ann, &elsewhere] {
        somebody.get("me").await.refused(401, "session_ended");
    }
    server.log_in("ann").await;
}

#[tokio::test]
async fn changing_the_role_restarts_the_sockets() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let mut socket = ann.connect().await;
    let path = format!("users/{}", ann.id);
    let user = root.patch(&path, json!({ "role": "admin" })).await.ok(200);
    assert_keys(&user, ME);
    assert_eq!(socket.closed().await, 1012);
    assert_eq!(ann.connect().await.welcome["user"]["role"], "admin");
    ann.get(&format!("users/{}", root.id)).await.ok(200);
}
