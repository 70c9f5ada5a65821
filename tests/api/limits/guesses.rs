//! Concurrent guesses: at most the configured number is checked, and a correct guess beyond it is refused.

use std::time::Instant;

use super::*;

const LIMIT: usize = 10;

fn limited(config: &mut Config) {
    behind_proxy(config);
    config.limits.login_per_minute = u32::try_from(LIMIT).unwrap().try_into().ok();
    config.limits.wrong_keys_per_minute = config.limits.login_per_minute;
}

/// Sends 150 guesses at once, of which the 59th is correct. Asserts that none succeeds and only `LIMIT` are checked.
async fn guess<F: Future<Output = Reply>>(ask: impl Fn(bool) -> F) {
    looked_at(LIMIT, (0..150).map(|n| ask(n == 58))).await;
}

/// Sends all requests at once. Asserts that none succeeds and that only `limit`, plus the permits refilled meanwhile,
/// get another status than 429.
async fn looked_at<F: Future<Output = Reply>>(limit: usize, asking: impl Iterator<Item = F>) {
    let begun = Instant::now();
    let replies = join_all(asking).await;
    let inside = replies.iter().find(|reply| reply.status.is_success());
    assert!(inside.is_none(), "somebody is in: {}", inside.unwrap());
    let count = replies.iter().filter(|reply| reply.status != 429).count();
    let paid_back = (limit as f64 * begun.elapsed().as_secs_f64() / 60.0).ceil() as usize;
    assert!(
        (limit..=limit + paid_back).contains(&count),
        "{count} instead of {limit} and {paid_back}"
    );
}

#[tokio::test]
async fn concurrent_logins_over_the_limit_are_not_checked() {
    let server = TestServer::start_with(limited).await;
    server.user("ann").await;
    // From another address than the one she registered at.
    let stranger = from(&server, "10.1.1.1");
    let password = |right| if right { PASSWORD } else { "wrong horse" };
    let native = |right| stranger.post("auth/login", login("ann", password(right)));
    guess(native).await;
}

#[tokio::test]
async fn the_login_limit_is_shared_by_all_dialects() {
    let server = TestServer::start_with(limited).await;
    server.user("ann").await;
    let stranger = from(&server, "10.1.1.1");
    let wrong = |n: usize| {
        let (path, name) = [
            ("/api/v1/auth/login", "username"),
            ("/api/login", "user_name"),
            ("/api/auth/login", "username"),
            ("/auth/token", "username"),
            ("/auth/login", "email"),
        ][n % 5];
        let body = json!({ name: "ann", "password": "wrong horse" });
        let stranger = stranger.clone();
        async move { stranger.post(path, body).await }
    };
    looked_at(LIMIT, (0..100).map(wrong)).await;
}

#[tokio::test]
async fn thirty_people_log_in_at_once_from_one_address() {
    let server = TestServer::start_with(limited).await;
    let names: Vec<_> = (0..30).map(|n| format!("pupil{n}")).collect();
    join_all(names.iter().map(|name| server.user(name))).await;
    // First from an address that nobody has used, then from one that all have used.
    for _ in 0..2 {
        let replies = join_all(names.iter().map(|name| {
            let school = from(&server, "10.2.2.2");
            async move { school.post("auth/login", login(name, PASSWORD)).await }
        }));
        for reply in replies.await {
            reply.ok(200);
        }
    }
    // One person with many clients is not limited either.
    let home = from(&server, "10.3.3.3");
    let replies = join_all((0..30).map(|_| home.post("auth/login", login("pupil1", PASSWORD))));
    for reply in replies.await {
        reply.ok(200);
    }
}

#[tokio::test]
async fn logins_are_limited_per_address_account_and_network() {
    let server = TestServer::start_with(limited).await;
    server.user("ann").await;
    let names = (0..200).map(|n| {
        let client = from(&server, "10.1.1.1");
        async move {
            let wrong = login(&format!("nobody{n}"), "wrong horse");
            client.post("auth/login", wrong).await
        }
    });
    looked_at(3 * LIMIT, names).await;
    let addresses = (0..200).map(|n| {
        let client = from(&server, &format!("10.4.4.{n}"));
        async move { client.post("auth/login", login("ann", "wrong horse")).await }
    });
    looked_at(5 * LIMIT, addresses).await;
    let networks = (0..200).map(|n| {
        let client = from(&server, &format!("2001:db8:7:{n}::1"));
        async move {
            let wrong = login(&format!("none{n}"), "wrong horse");
            client.post("auth/login", wrong).await
        }
    });
    looked_at(10 * LIMIT, networks).await;
    // Strangers have used up the limit of her account; from an address that she has used before she still logs in.
    let elsewhere = from(&server, "10.5.5.5");
    let right = login("ann", PASSWORD);
    let reply = elsewhere.post("auth/login", right).await;
    reply.refused(429, "limited");
    server.log_in("ann").await;
}

#[tokio::test]
async fn guesses_of_the_current_password_are_limited() {
    let server = TestServer::start_with(limited).await;
    let ann = server.user("ann").await;
    let change = |right: bool| {
        let current = if right { PASSWORD } else { "wrong horse" };
        let body = json!({ "current_password": current, "new_password": "battery staple" });
        ann.post("me/password", body)
    };
    guess(change).await;
    // The limit does not affect logging in.
    server.log_in("ann").await;
}

#[tokio::test]
async fn concurrent_access_keys_over_the_limit_are_not_checked() {
    let server = TestServer::start_with(limited).await;
    let ann = server.user("ann").await;
    let body = json!({ "name": "p", "kind": "private", "access_key": "open sesame" });
    let room = id(&ann.post("rooms", body).await.ok(201));
    let gus = server.guest("gus").await;
    let key = |right| if right { "open sesame" } else { "wrong" };
    let native = |right: bool| gus.post("rooms/join", json!({ "access_key": key(right) }));
    guess(native).await;
    let bob = server.user("bob").await;
    let dialect = |right: bool| {
        let body = json!({ "access_key": key(right) });
        bob.post("/api/room/join_private", body)
    };
    guess(dialect).await;
    // More accounts at the same address do not multiply the limit.
    let people = ["cid", "dan", "eve", "fay"].map(|name| server.user(name));
    let people = join_all(people).await;
    let wrong = || json!({ "access_key": "wrong" });
    let asking = people
        .iter()
        .flat_map(|one| (0..20).map(|_| one.post("rooms/join", wrong())));
    let replies = join_all(asking).await;
    let looked_at = replies.iter().filter(|reply| reply.status != 429).count();
    assert!(looked_at < 4 * LIMIT, "{looked_at}");
    let members = ann.get(&format!("rooms/{room}/members")).await.items();
    assert_eq!(members.len(), 1);
}

#[tokio::test]
async fn concurrent_link_codes_over_the_limit_are_not_checked() {
    let server = TestServer::start_with(limited).await;
    let setup = server.chat.setup_token().unwrap();
    let wrong = "0".repeat(32);
    let code = |right: bool, code: &str| {
        if right {
            code.to_owned()
        } else {
            wrong.clone()
        }
    };
    let first = from(&server, "10.6.6.1");
    let set_up = |right| {
        let mut body = login("eve", PASSWORD);
        body["token"] = code(right, &setup).into();
        first.post("setup", body)
    };
    guess(set_up).await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let invite = root.post("invites", json!({ "max_uses": 5 })).await.ok(201);
    let invite = invite["code"].as_str().unwrap().to_owned();
    let link = root
        .post(&format!("users/{}/password-link", ann.id), json!({}))
        .await;
    let link = link.ok(201)["code"].as_str().unwrap().to_owned();

    let second = from(&server, "10.6.6.2");
    let look = |right| {
        let path = format!("invites/{}", code(right, &invite));
        let second = second.clone();
        async move { second.get(&path).await }
    };
    guess(look).await;
    let third = from(&server, "10.6.6.3");
    let register = |right| {
        let mut body = login("eve", PASSWORD);
        body["invite"] = code(right, &invite).into();
        third.post("auth/register", body)
    };
    guess(register).await;
    let fourth = from(&server, "10.6.6.4");
    let choose = |right| {
        let body = json!({ "code": code(right, &link), "new_password": "battery staple" });
        fourth.post("auth/password", body)
    };
    guess(choose).await;
    for page in ["password?code", "invite?code", "setup?token"] {
        let path = format!("/{page}={wrong}");
        let replies = join_all((0..20).map(|_| fourth.get(&path))).await;
        let limited = |reply: &Reply| reply.status == 429;
        assert!(replies.iter().any(limited), "{path}");
    }
    server.log_in("ann").await;
}

#[tokio::test]
async fn probing_for_registered_email_addresses_is_limited() {
    let server = TestServer::start_with(limited).await;
    let ann = server.user("ann").await;
    ann.patch("me", json!({ "email": "ann@example.org" }))
        .await
        .ok(200);
    let stranger = from(&server, "10.1.1.1");
    let register = (0..60).map(|n| {
        let mut body = login(&format!("new{n}"), PASSWORD);
        body["email"] = "ann@example.org".into();
        stranger.post("auth/register", body)
    });
    looked_at(LIMIT, register).await;
    let bob = server.user("bob").await;
    let edit = (0..60).map(|n| {
        let body = Some(json!({ "email": "ann@example.org" }));
        match n % 2 {
            0 => bob.call("PATCH", "me", body),
            _ => bob.call("PUT", "/api/users/auth-user", body),
        }
    });
    looked_at(LIMIT, edit).await;
}
