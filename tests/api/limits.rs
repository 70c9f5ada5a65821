//! Rate limits: concurrent guesses, floods of logins, and actions that notify other people.

use futures_util::future::join_all;
use parlor::config::{Config, Reach};
use serde_json::{Value, json};

use super::support::*;

mod guesses;

/// Trusts `X-Forwarded-For`, so that clients choose their addresses.
fn behind_proxy(config: &mut Config) {
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    // Lets clients without a forwarded address register too.
    config.auth.open_to = Reach::Any;
}

/// Returns a client with this address.
fn from(server: &TestServer, address: &str) -> Client {
    server.anybody().with("x-forwarded-for", address)
}

fn login(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password })
}

/// Repeats a request until it is refused with 429; returns how many succeeded before. Panics after `most` successes.
async fn until_limited(most: usize, mut ask: impl AsyncFnMut(usize) -> Reply) -> usize {
    for n in 0..most {
        let reply = ask(n).await;
        if reply.status == 429 {
            assert!(!reply.header("retry-after").is_empty(), "{reply}");
            return n;
        }
        assert!(reply.status.is_success(), "{reply}");
    }
    panic!("never limited");
}

#[tokio::test]
async fn logins_succeed_during_a_flood_of_logins_with_unknown_names() {
    let server = TestServer::start_with(behind_proxy).await;
    server.user("ann").await;
    let flood = (0..100).map(|n| {
        let client = from(&server, "192.168.7.7");
        tokio::spawn(async move {
            for round in 0..3 {
                let wrong = login(&format!("nobody{n}-{round}"), "wrong horse");
                client.post("auth/login", wrong).await;
            }
        })
    });
    let flood: Vec<_> = flood.collect();
    for _ in 0..5 {
        server.log_in("ann").await;
    }
    for one in flood {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn logins_succeed_during_a_flood_of_registrations() {
    let server = TestServer::start_with(behind_proxy).await;
    server.user("ann").await;
    let flood = (0..100).map(|n| {
        let client = from(&server, &format!("192.168.7.{n}"));
        let body = login(&format!("new{n}"), PASSWORD);
        tokio::spawn(async move { client.post("auth/register", body).await })
    });
    let flood: Vec<_> = flood.collect();
    for _ in 0..5 {
        server.log_in("ann").await;
    }
    for one in flood {
        let status = one.await.unwrap().status;
        assert!(status == 201 || status == 503, "{status}");
    }
}

/// Starts a server with the default burst of actions, refilled so slowly that the speed of the machine does not matter.
async fn with_actions() -> TestServer {
    TestServer::start_with(|config| {
        config.limits.actions_per_second = 1.try_into().ok();
    })
    .await
}

#[tokio::test]
async fn actions_that_notify_others_are_limited_per_person() {
    let server = with_actions().await;
    let root = server.admin("root").await;
    let bob = server.user("bob").await;
    let most = 200;
    let ann = server.user("ann").await;
    let renames = until_limited(most, async |n| {
        ann.patch("me", json!({ "display_name": format!("Ann {n}") }))
            .await
    });
    assert!((5..=60).contains(&renames.await));
    // Messages of the same person and actions of others are not affected.
    ann.post("rooms/1/messages", json!({ "content": "hi" }))
        .await
        .ok(201);
    let room = bob.public_room("r").await;

    let cid = server.user("cid").await;
    let passages = until_limited(most, async |n| match n % 2 {
        0 => cid.call("POST", &format!("rooms/{room}/join"), None).await,
        _ => cid.call("POST", &format!("rooms/{room}/leave"), None).await,
    });
    assert!((20..=150).contains(&passages.await));

    let dan = server.user("dan").await;
    let mine = dan.public_room("d").await;
    let kicks = until_limited(most, async |n| match n % 2 {
        0 => {
            let body = json!({ "user_id": bob.id });
            dan.post(&format!("rooms/{mine}/members"), body).await
        }
        _ => {
            dan.delete(&format!("rooms/{mine}/members/{}", bob.id))
                .await
        }
    });
    assert!((20..=150).contains(&kicks.await));

    let eve = server.user("eve").await;
    let hers = eve.public_room("e").await;
    let edits = until_limited(most, async |n| {
        let body = json!({ "name": format!("e{n}") });
        eve.patch(&format!("rooms/{hers}"), body).await
    });
    assert!((20..=150).contains(&edits.await));

    let fay = server.user("fay").await;
    let rooms = until_limited(most, async |n| {
        fay.post("rooms", json!({ "name": format!("f{n}") })).await
    });
    assert!((20..=150).contains(&rooms.await));

    let roles = until_limited(most, async |n| {
        let body = json!({ "display_name": format!("Bob {n}") });
        root.patch(&format!("users/{}", bob.id), body).await
    });
    assert!((5..=60).contains(&roles.await));
}

#[tokio::test]
async fn dialects_refuse_too_many_actions_in_their_own_format() {
    let server = with_actions().await;
    let ann = server.user("ann").await;
    let rename = async |n: usize| {
        let body = json!({ "username": format!("ann{n}") });
        ann.call("PUT", "/api/users/auth-user", Some(body)).await
    };
    let done = until_limited(200, rename).await;
    assert!((5..=60).contains(&done));
    let refused = rename(99).await.ok(429);
    assert!(refused["message"].is_string(), "{refused}");

    let bob = server.user("bob").await;
    let mut socket = EventSocket::open(server.address, &bob.token).await;
    for _ in 0..60 {
        let place = json!({ "user_name": "bob", "room_id": 1 });
        socket.emit("join", place.clone()).await;
        socket.emit("leave", place).await;
    }
    let error = socket.event("error").await;
    let text = error["message"].as_str().unwrap();
    assert!(text.starts_with("too many requests"), "{error}");
}

#[tokio::test]
async fn typing_and_read_events_over_the_limit_are_dropped() {
    let server = with_actions().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut anns, mut bobs) = (ann.watch(1).await, bob.watch(1).await);
    for _ in 0..300 {
        anns.send(json!({ "op": "typing", "room": 1 })).await;
    }
    anns.ok(json!({ "op": "ping" })).await;
    ann.say(1, "the last").await;
    let mut typing = 0;
    loop {
        let event = bobs.next("the message").await;
        match event["event"].as_str() {
            Some("typing") => typing += 1,
            Some("message") => break,
            _ => {}
        }
    }
    assert!((1..250).contains(&typing), "{typing}");
    let last = ann.say(1, "read this").await;
    for _ in 0..100 {
        let body = json!({ "message_id": last["id"] });
        let reply = bob.post("rooms/1/read", body).await;
        assert!(reply.status.is_success(), "{reply}");
    }
}
