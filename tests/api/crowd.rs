//! Many clients at once: each receives every message once and in the same order, and a slow one delays nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::support::*;

/// Creates `count` guests concurrently.
async fn guests(server: &TestServer, count: usize) -> Vec<Persona> {
    let mut coming = JoinSet::new();
    for number in 0..count {
        let client = server.anybody();
        coming.spawn(async move {
            let body = json!({ "username": format!("guest {number}") });
            let grant = client.post("auth/guest", body).await.ok(201);
            Persona::new(client.address, &grant)
        });
    }
    coming.join_all().await
}

/// Returns the message id of a `message` frame without parsing the rest.
fn message_id(frame: &str) -> Option<i64> {
    let rest = frame.strip_prefix(r#"{"event":"message","message":{"id":"#)?;
    let end = rest.find(',')?;
    rest[..end].parse().ok()
}

/// Returns the ids of the next `count` messages, in order of arrival.
async fn hear(mut socket: Socket, count: usize) -> Vec<i64> {
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let frame = socket
            .try_next_text()
            .await
            .expect("the connection was closed");
        ids.extend(message_id(&frame));
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_receive_all_messages_once_in_one_order() {
    const CONNECTIONS: usize = 1000;
    const SENDERS: usize = 5;
    const EACH: usize = 40;
    let server = TestServer::start().await;
    let people = guests(&server, 50).await;
    let mut hearing = JoinSet::new();
    while hearing.len() < CONNECTIONS {
        let mut opening = JoinSet::new();
        for person in people.clone() {
            opening.spawn(async move { person.watch(1).await });
        }
        for socket in opening.join_all().await {
            hearing.spawn(hear(socket, SENDERS * EACH));
        }
    }
    let mut sending = JoinSet::new();
    for person in people.into_iter().take(SENDERS) {
        sending.spawn(async move {
            let mut socket = person.connect().await;
            for number in 0..EACH {
                socket
                    .ok(json!({ "op": "send", "room": 1, "content": number.to_string() }))
                    .await;
            }
        });
    }
    within("sending", sending.join_all()).await;
    let orders = within("hearing", hearing.join_all()).await;
    assert_eq!(orders.len(), CONNECTIONS);
    assert!(orders[0].is_sorted_by(|a, b| a < b));
    assert!(orders.iter().all(|order| *order == orders[0]));
}

#[tokio::test]
async fn a_client_that_stops_reading_is_closed_in_20_s_and_delays_nobody() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let (mut talking, mut hearing) = (ann.connect().await, cem.watch(1).await);
    let mut stalled = Socket::open_narrow(server.address, &bob.token).await;
    stalled.resume_all(1, 0).await;
    // More than all buffers on the way hold.
    let big = "😀".repeat(4000);
    let mut slowest = Duration::ZERO;
    for _ in 0..400 {
        let begun = Instant::now();
        let said = talking
            .ok(json!({ "op": "send", "room": 1, "content": big }))
            .await;
        let heard = hearing.event("message").await;
        assert_eq!(heard["message"]["id"], said["message"]["id"]);
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    for _ in 0..2 {
        skip(Duration::from_secs(8)).await;
        for awake in [&mut talking, &mut hearing] {
            awake.ok(json!({ "op": "ping" })).await;
        }
    }
    let is_gone = |event: &Value| event["offline"][0]["id"] == bob.id;
    hearing.wait("bob's end", is_gone).await;
}

/// A reconnected client and the number of frames and attempts it took.
struct Return {
    frames: usize,
    tries: usize,
    resumed: Value,
    socket: Socket,
}

/// Reconnects as the protocol documentation says. Under load, the server may ask for another attempt.
async fn come_back(person: Persona, start: Arc<Barrier>) -> Return {
    start.wait().await;
    loop {
        if let Some(back) = try_to_come_back(&person).await {
            return back;
        }
    }
}

async fn try_to_come_back(person: &Persona) -> Option<Return> {
    let header = [("authorization", format!("Bearer {}", person.token))];
    let opening = Socket::try_open(person.address, &header).await;
    let mut socket = opening
        .inspect_err(|status| assert_eq!(*status, 503))
        .ok()?;
    let Some(welcome) = socket.try_next().await else {
        assert_eq!(socket.end, 1012);
        return None;
    };
    let after = welcome["rooms"][0]["last_read_id"].clone();
    let resume = json!({ "op": "resume", "room": 1, "after": after });
    let (mut resumed, mut tries) = (socket.ask(resume.clone()).await, 1);
    while let Err(error) = &resumed {
        assert_eq!(error["code"], "busy");
        (resumed, tries) = (socket.ask(resume.clone()).await, tries + 1);
    }
    Some(Return {
        frames: 1 + tries + socket.taken().len(),
        tries,
        resumed: resumed.unwrap(),
        socket,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_clients_reconnect_at_once_with_few_frames_each() {
    const PEOPLE: usize = 500;
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let people = guests(&server, PEOPLE).await;
    for number in 0..20 {
        ann.say(1, &number.to_string()).await;
    }
    let server = server.restart().await;
    let start = Arc::new(Barrier::new(PEOPLE + 1));
    let mut coming = JoinSet::new();
    for person in people {
        coming.spawn(come_back(person.at(server.address), start.clone()));
    }
    start.wait().await;
    let begun = Instant::now();
    let back = within("coming back", coming.join_all()).await;
    let waited = begun.elapsed();
    assert_eq!(back.len(), PEOPLE);
    assert!(
        back.iter()
            .all(|back| back.resumed["messages"].as_array().unwrap().len() == 20)
    );
    // Apart from answers, at most one presence count per half second, however many clients return.
    let ticks = usize::try_from(waited.as_millis()).unwrap() / 500 + 1;
    for Return { frames, tries, .. } in &back {
        assert!(
            *frames <= 1 + tries + ticks,
            "{frames} frames in {waited:?}"
        );
    }
    // Unoptimized builds on a busy machine may take longer.
    if !cfg!(debug_assertions) {
        assert!(waited < Duration::from_secs(5), "{waited:?}");
    }
    let said = ann.at(server.address).say(1, "welcome back").await;
    let mut hearing = JoinSet::new();
    for back in back {
        hearing.spawn(hear(back.socket, 1));
    }
    let heard = within("hearing", hearing.join_all()).await;
    assert!(heard.iter().all(|ids| *ids == [id(&said)]));
}
