//! Passwords: which ones are accepted, and which sessions end when one is changed.

use futures_util::future::join_all;
use parlor::config::{Config, OpenDialects};
use serde_json::{Value, json};

use super::support::*;

fn login(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password })
}

/// Makes a hash slow enough for other requests to overtake it.
fn slow_hashing(config: &mut Config) {
    config.auth.pbkdf2_rounds = 20_000;
}

#[tokio::test]
async fn changing_the_password_ends_logins_under_way() {
    let server = TestServer::start_with(slow_hashing).await;
    let ann = server.user("ann").await;
    let anybody = server.anybody();
    let change = json!({ "current_password": PASSWORD, "new_password": "battery staple" });
    let change = ann.post("me/password", change);
    let logins = join_all((0..8).map(|_| anybody.post("auth/login", login("ann", PASSWORD))));
    let (changed, logins) = tokio::join!(change, logins);
    changed.done();
    for reply in logins {
        if reply.status == 200 {
            let token = reply.ok(200)["access_token"].as_str().unwrap().to_owned();
            let late = anybody.clone().token(&token).get("me").await;
            late.refused(401, "session_ended");
        } else {
            reply.refused(401, "bad_credentials");
        }
    }
    assert_eq!(ann.get("auth/sessions").await.items().len(), 1);
}

#[tokio::test]
async fn rehashing_never_restores_an_old_password() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let server = server.restart_with(slow_hashing).await;
    let (ann, anybody) = (ann.at(server.address), server.anybody());
    let change = json!({ "current_password": PASSWORD, "new_password": "battery staple" });
    let change = ann.post("me/password", change);
    let logins = join_all((0..8).map(|_| anybody.post("auth/login", login("ann", PASSWORD))));
    let (changed, _) = tokio::join!(change, logins);
    // The change either compared against the current hash and won, or was refused; both passwords are never valid.
    let now = if changed.status == 204 {
        "battery staple"
    } else {
        PASSWORD
    };
    for password in ["battery staple", PASSWORD] {
        let reply = anybody.post("auth/login", login("ann", password)).await;
        assert_eq!(reply.status == 200, password == now, "{password}: {reply}");
    }
}

#[tokio::test]
async fn concurrent_logins_succeed_while_the_hash_is_renewed() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let server = server
        .restart_with(|config| config.auth.pbkdf2_rounds = 2000)
        .await;
    let logins = (0..8).map(|_| server.log_in("ann"));
    join_all(logins).await;
}

#[tokio::test]
async fn an_account_has_at_most_fifty_sessions() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let second = server.log_in("ann").await;
    let mut socket = ann.connect().await;
    // The first session is the least recently used one.
    server.edit_file("UPDATE sessions SET last_at = last_at - 1000 WHERE id = 1");
    for _ in 0..49 {
        server.log_in("ann").await;
    }
    assert_eq!(socket.closed().await, 4001);
    ann.get("me").await.refused(401, "session_ended");
    let sessions = second.get("auth/sessions").await.items();
    assert_eq!(sessions.len(), 50);
}

#[tokio::test]
async fn reusing_a_refresh_token_ends_its_session_in_every_dialect() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let anybody = server.anybody();
    let team = async |token: &str| {
        let asking = anybody.clone().token(token);
        asking.call("POST", "/auth/refresh", None).await
    };
    let text = |pair: &Value| pair["refresh_token"].as_str().unwrap().to_owned();
    let first = ann.refresh_token.clone();
    let second = text(&team(&first).await.ok(200));
    let third = text(&team(&second).await.ok(200));
    assert!(first != second && second != third);
    // A token two generations old counts as stolen.
    assert_eq!(team(&first).await.status, 401);
    assert_eq!(team(&third).await.status, 401);
    ann.get("me").await.refused(401, "session_ended");

    // Refresh tokens issued by team itself can be used repeatedly, at either route.
    let grant = anybody.post("/auth/token", login("ann", PASSWORD)).await;
    let token = text(&grant.ok(200));
    for _ in 0..3 {
        let again = team(&token).await.ok(200);
        assert!(again["refresh_token"].is_null(), "{again}");
        let body = json!({ "refresh_token": token });
        anybody.post("auth/refresh", body).await.ok(200);
    }
}

/// Registers through each dialect that accepts a password.
async fn register_everywhere(server: &TestServer, password: &str) -> Vec<Reply> {
    let anybody = server.anybody();
    let komunikator = json!({ "user_name": "kim", "password": password });
    let email = "rea@example.org";
    let realtime = json!({ "username": "rea", "email": email, "password": password });
    let email = "cha@example.org";
    let chat_app = json!({ "name": "cha", "email": email, "password": password, "role": "user" });
    vec![
        anybody.post("/api/register", komunikator).await,
        anybody.post("/api/auth/register", realtime).await,
        anybody.post("/auth/register", chat_app).await,
    ]
}

#[tokio::test]
async fn the_minimum_password_length_holds_in_every_dialect() {
    let server = TestServer::start_with(|config| config.auth.password_min = 9).await;
    for password in ["1", "12345678"] {
        for reply in register_everywhere(&server, password).await {
            let refused = reply.ok(400);
            let text = refused.to_string();
            assert!(text.contains("at least 9 characters"), "{text}");
        }
    }
    let short = server
        .anybody()
        .post("auth/register", login("ann", "x7!kq02m"))
        .await;
    let short = short.refused(422, "invalid");
    let detail = short["detail"].as_str().unwrap();
    assert_eq!(detail, "password must have at least 9 characters");
    for reply in register_everywhere(&server, "123456789").await {
        reply.ok(201);
    }
    let page = server.anybody().get("/auth/register").await;
    assert!(page.page(200).contains("At least 9 characters."));
}

#[tokio::test]
async fn open_dialects_accept_any_password() {
    let server = TestServer::start_with(|config| config.compat.open = OpenDialects::All).await;
    for reply in register_everywhere(&server, "1").await {
        reply.ok(201);
    }
    let short = server
        .anybody()
        .post("auth/register", login("ann", "1"))
        .await;
    short.invalid("password");
}

#[tokio::test]
async fn common_passwords_and_ones_with_the_name_are_refused() {
    let server = TestServer::start().await;
    let (root, anybody) = (server.admin("root").await, server.anybody());
    for password in [
        "password",
        "Passw0rd!",
        "12345678",
        "wilhelmine1",
        "qwertyuiop",
    ] {
        let new = anybody.post("auth/register", login("wilhelmine", password));
        new.await.invalid("password");
    }
    let ann = server.user("wilhelmine").await;
    for new in ["iloveyou1", "Wilhelmine!"] {
        let body = json!({ "current_password": PASSWORD, "new_password": new });
        ann.post("me/password", body).await.invalid("new_password");
    }
    let link = root
        .post(&format!("users/{}/password-link", ann.id), json!({}))
        .await;
    let link = link.ok(201);
    let body = json!({ "code": link["code"], "new_password": "wilhelmine" });
    let chosen = anybody.post("auth/password", body).await;
    chosen.invalid("new_password");
    let fields = [("username", "hildegard"), ("password", "hildegard9")];
    let page = submit(&server.anybody(), "/auth/register", &fields).await;
    assert!(page.page(400).contains("too easy to guess"));
}

#[tokio::test]
async fn passwords_are_compared_in_unicode_normal_form() {
    let server = TestServer::start().await;
    let (composed, apart) = (
        "\u{e9}clair \u{e0} la cr\u{e8}me",
        "e\u{301}clair\u{a0}a\u{300} la cre\u{300}me",
    );
    let new = server
        .anybody()
        .post("auth/register", login("ann", composed))
        .await;
    new.ok(201);
    for typed in [apart, composed] {
        let reply = server
            .anybody()
            .post("auth/login", login("ann", typed))
            .await;
        reply.ok(200);
    }
}

#[tokio::test]
async fn deleting_an_account_without_its_password_needs_a_recent_login() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.edit_file("UPDATE sessions SET created_at = created_at - 601000");
    for (person, path) in [
        (&ann, format!("/api/users/{}", ann.id)),
        (&bob, format!("/v1/users/{}", bob.id)),
    ] {
        let reply = person.delete(&path).await;
        let text = reply.ok(403).to_string();
        assert!(text.contains("log in again first"), "{text}");
        person.get("me").await.ok(200);
        let again = server.log_in(&person.name).await;
        again.delete(&path).await.ok(200);
        person.get("me").await.refused(401, "session_ended");
    }
}
