//! Accounts over HTTP: setup, registration, login, guests.

use serde_json::{Value, json};

use super::support::*;

fn account(username: &str) -> Value {
    json!({ "username": username, "password": PASSWORD })
}

#[tokio::test]
async fn the_setup_link_creates_the_first_admin_and_works_once() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    assert_eq!(anybody.get("server").await.ok(200)["setup"], true);
    let token = server.chat.setup_token().unwrap();
    let body = |token: &str| json!({ "token": token, "username": "root", "password": PASSWORD, "email": "Root@X.de" });

    let refused = anybody.post("setup", body("guessed")).await;
    refused.refused(403, "setup_token");
    let grant = anybody.post("setup", body(&token)).await.ok(201);
    assert_keys(&grant, GRANT);
    assert_keys(&grant["user"], ME);
    assert_eq!(grant["user"]["role"], "admin");
    assert_eq!(grant["user"]["email"], "root@x.de");
    assert_eq!(grant["expires_in"], 3600);

    let again = anybody.post("setup", body(&token)).await;
    again.refused(403, "setup_token");
    assert_eq!(anybody.get("server").await.ok(200)["setup"], false);
    assert!(server.restart().await.chat.setup_token().is_none());
}

#[tokio::test]
async fn a_refused_setup_keeps_the_link_valid() {
    let server = TestServer::start().await;
    let token = server.chat.setup_token().unwrap();
    let body = json!({ "token": token, "username": "root", "password": "short" });
    let refused = server.anybody().post("setup", body).await;
    refused.invalid("password");
    server.admin("root").await;
}

#[tokio::test]
async fn server_info_and_health_checks_need_no_token() {
    let server = TestServer::start().await;
    let told = server.anybody().get("server").await.ok(200);
    let keys = "name version instance registration guests setup compat_open files";
    assert_keys(&told, keys);
    assert_eq!(told["name"], "Parlor");
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["registration"], "open");
    assert_eq!(told["guests"], true);
    assert_eq!(told["compat_open"], json!([]));
    for path in ["/healthz", "/readyz"] {
        let reply = server.anybody().get(path).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body[..]),
            (200, &b"ok\n"[..])
        );
    }
}

#[tokio::test]
async fn registering_logs_in() {
    let server = TestServer::start().await;
    let body = json!({ "username": "Ann", "password": PASSWORD, "email": "Ann@Home.de", "display_name": " Ann B " });
    let grant = server.anybody().post("auth/register", body).await.ok(201);
    assert_keys(&grant, GRANT);
    let ann = Persona::new(server.address, &grant);
    let me = ann.get("me").await.ok(200);
    assert_keys(&me, ME);
    assert_eq!(me, grant["user"]);
    assert_eq!(
        (&me["username"], &me["display_name"]),
        (&json!("Ann"), &json!("Ann B"))
    );
    assert_eq!(
        (&me["email"], &me["role"]),
        (&json!("ann@home.de"), &json!("user"))
    );
    assert_eq!(
        (&me["has_password"], &me["deleted"]),
        (&json!(true), &json!(false))
    );
    assert!(uuid::Uuid::parse_str(me["uuid"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn usernames_and_emails_are_unique_ignoring_case() {
    let server = TestServer::start().await;
    let with =
        |name: &str, email: &str| json!({ "username": name, "password": PASSWORD, "email": email });
    let anybody = server.anybody();
    anybody
        .post("auth/register", with("ann", "a@x.de"))
        .await
        .ok(201);
    anybody
        .post("auth/register", with("ANN", "b@x.de"))
        .await
        .taken("username");
    anybody
        .post("auth/register", with("bob", "A@X.de"))
        .await
        .taken("email");
    anybody
        .post("auth/guest", json!({ "username": "Ａｎｎ" }))
        .await
        .taken("username");
}

#[tokio::test]
async fn look_alike_usernames_are_refused() {
    let server = TestServer::start().await;
    server.user("scope").await;
    // All letters are Cyrillic.
    let alike = server
        .anybody()
        .post("auth/register", account("ѕсоре"))
        .await;
    alike.taken("username");
    let bob = server.user("bob").await;
    bob.patch("me", json!({ "username": "ѕсоре" }))
        .await
        .taken("username");
    // A name that mixes scripts is invalid.
    server
        .anybody()
        .post("auth/register", account("sсope"))
        .await
        .invalid("username");
}

#[tokio::test]
async fn invalid_account_fields_are_refused_with_the_field() {
    let server = TestServer::start().await;
    let table = [
        (json!({ "username": "" }), "username"),
        (json!({ "username": "x".repeat(49) }), "username"),
        (json!({ "username": "a\u{0}b" }), "username"),
        (json!({ "username": "a\u{202e}b" }), "username"),
        (json!({ "username": "a\nb" }), "username"),
        (json!({ "username": "a@b" }), "username"),
        (json!({ "username": " ann" }), "username"),
        (json!({ "password": "1234567" }), "password"),
        (json!({ "password": "x".repeat(129) }), "password"),
        (json!({ "email": "nobody" }), "email"),
        (
            json!({ "email": format!("{}@x.de", "x".repeat(250)) }),
            "email",
        ),
        (json!({ "display_name": "x".repeat(101) }), "display_name"),
        (json!({ "display_name": "a\u{7}b" }), "display_name"),
    ];
    for (wrong, field) in table {
        let mut body = account("ann");
        body.as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        server
            .anybody()
            .post("auth/register", body)
            .await
            .invalid(field);
    }
    server.user("ann").await;
}

#[tokio::test]
async fn login_accepts_username_or_email() {
    let server = TestServer::start().await;
    let body = json!({ "username": "ann", "password": PASSWORD, "email": "ann@home.de" });
    server.anybody().post("auth/register", body).await.ok(201);
    for login in ["ann", "ANN", "ann@home.de", "Ann@Home.DE"] {
        let grant = server
            .anybody()
            .post("auth/login", account(login))
            .await
            .ok(200);
        assert_keys(&grant, GRANT);
        assert_eq!(grant["user"]["username"], "ann");
    }
}

#[tokio::test]
async fn unknown_names_and_wrong_passwords_get_the_same_error() {
    let server = TestServer::start().await;
    server.user("ann").await;
    server.guest("gus").await;
    let anybody = server.anybody();
    let mut told = Vec::new();
    for (name, password) in [
        ("ann", "wrong"),
        ("nobody", "wrong"),
        ("gus", ""),
        ("gus", "x"),
        ("ann", ""),
    ] {
        let body = json!({ "username": name, "password": password });
        told.push(
            anybody
                .post("auth/login", body)
                .await
                .refused(401, "bad_credentials"),
        );
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
}

#[tokio::test]
async fn only_failed_logins_count_against_the_limit() {
    let server =
        TestServer::start_with(|config| config.limits.login_per_minute = 3.try_into().ok()).await;
    server.user("ann").await;
    server.user("bob").await;
    let wrong = json!({ "username": "ann", "password": "wrong" });
    for _ in 0..5 {
        server.log_in("ann").await;
    }
    for _ in 0..3 {
        let reply = server.anybody().post("auth/login", wrong.clone()).await;
        reply.refused(401, "bad_credentials");
    }
    // The limit now refuses even the correct password, but for this account only.
    let reply = server.anybody().post("auth/login", account("ann")).await;
    reply.refused(429, "limited");
    assert!(reply.header("retry-after").parse::<u64>().unwrap() > 0);
    server.log_in("bob").await;
}

#[tokio::test]
async fn registrations_are_limited_per_address() {
    let server = TestServer::start_with(|config| {
        config.limits.register_per_minute = 2.try_into().ok();
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let here = server.anybody().with("x-forwarded-for", "192.168.7.6");
    here.post("auth/register", account("ann")).await.ok(201);
    let guest = json!({ "username": "gus" });
    here.post("auth/guest", guest).await.ok(201);
    let reply = here.post("auth/register", account("bob")).await;
    reply.refused(429, "limited");
    let elsewhere = server.anybody().with("x-forwarded-for", "192.168.7.7");
    elsewhere
        .post("auth/register", account("bob"))
        .await
        .ok(201);
}

#[tokio::test]
async fn only_the_local_network_registers_unless_open_to_is_any() {
    let trust = |config: &mut parlor::config::Config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let server = TestServer::start_with(trust).await;
    let world = server.anybody().with("x-forwarded-for", "203.0.113.9");
    let told = world.get("server").await.ok(200);
    assert_eq!(
        (&told["registration"], &told["guests"]),
        (&json!("closed"), &json!(false))
    );
    world
        .post("auth/register", account("eve"))
        .await
        .refused(403, "registration_closed");
    world
        .post("auth/guest", json!({ "username": "eve" }))
        .await
        .refused(403, "guests_disabled");
    // Entries to the left of the one that the trusted proxy appended come from the client and are ignored.
    let liar = server
        .anybody()
        .with("x-forwarded-for", "10.0.0.1, 203.0.113.9");
    liar.post("auth/register", account("eve"))
        .await
        .refused(403, "registration_closed");

    let server = server
        .restart_with(|config| config.auth.open_to = parlor::config::Reach::Any)
        .await;
    let world = server.anybody().with("x-forwarded-for", "203.0.113.9");
    assert_eq!(world.get("server").await.ok(200)["registration"], "open");
    world.post("auth/register", account("eve")).await.ok(201);
}

#[tokio::test]
async fn registration_and_guests_can_be_closed() {
    let server = TestServer::start_with(|config| {
        config.auth.registration = parlor::config::Registration::Closed;
        config.guests.enabled = false;
    })
    .await;
    let anybody = server.anybody();
    let told = anybody.get("server").await.ok(200);
    assert_eq!(
        (&told["registration"], &told["guests"]),
        (&json!("closed"), &json!(false))
    );
    anybody
        .post("auth/register", account("ann"))
        .await
        .refused(403, "registration_closed");
    anybody
        .post("auth/guest", json!({ "username": "gus" }))
        .await
        .refused(403, "guests_disabled");
    server.admin("root").await;
}

#[tokio::test]
async fn guests_have_no_password_and_expire_when_idle() {
    let server = TestServer::start().await;
    let body = json!({ "username": "gus", "display_name": "Gus" });
    let grant = server.anybody().post("auth/guest", body).await.ok(201);
    assert_keys(&grant, GRANT);
    assert_eq!(
        (&grant["user"]["role"], &grant["user"]["has_password"]),
        (&json!("guest"), &json!(false))
    );
    let gus = Persona::new(server.address, &grant);
    gus.say(1, "I was here").await;

    let server = server
        .restart_with(|config| config.guests.expire_after = std::time::Duration::ZERO)
        .await;
    let ann = server.user("ann").await;
    // The sweep runs at startup; a `left` event in the lobby shows that it has removed the guest.
    let mut watching = ann.watch(1).await;
    if ann.get(&format!("users/{}", gus.id)).await.status == 200 {
        assert_eq!(watching.event("left").await["reason"], "ended");
    }
    ann.get(&format!("users/{}", gus.id))
        .await
        .refused(404, "not_found");
    assert_eq!(
        ann.history(1).await[0]["sender"]["display_name"],
        "deleted user"
    );
}
