//! Opening connections: none outlives its session, and no event is missed or reordered meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlor::chat::{CloseReason, Credential, Outbox, Priority};
use serde_json::{Value, json};

use super::support::*;

/// Number of sessions that are ended while one of their connections is being opened.
const ROUNDS: usize = 200;

#[tokio::test]
async fn connections_opened_after_a_session_or_role_ended_are_closed() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let chat = &server.chat;

    let caller = chat
        .authenticate(Credential::Token(&ann.token))
        .await
        .unwrap();
    let open = async || {
        let connecting = chat.connect(&caller, None, Arc::new(Outbox::default()), "");
        connecting.await.unwrap()
    };
    let living = open().await;
    assert!(!living.outbox().is_closed());
    let role = json!({ "role": "admin" });
    root.patch(&format!("users/{}", ann.id), role).await.ok(200);
    assert!(living.outbox().is_closed());
    assert_eq!(reason(open().await.outbox()), Some(CloseReason::Changed));
    let role = json!({ "role": "user" });
    root.patch(&format!("users/{}", ann.id), role).await.ok(200);
    assert_eq!(reason(open().await.outbox()), None);
    // Ends the session as another process would, before the server notices.
    server.edit_file("DELETE FROM sessions WHERE user_id <> 1");
    assert_eq!(
        reason(open().await.outbox()),
        Some(CloseReason::SessionEnded)
    );
}

/// Returns why the outbox was closed, if it was.
fn reason(outbox: &Outbox) -> Option<CloseReason> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match outbox.poll_take(&mut context, &mut Vec::new()) {
        std::task::Poll::Ready(closing) => closing,
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_outlives_a_session_that_ends_while_it_is_opened() {
    let server = TestServer::start().await;
    server.user("ann").await;
    for round in 0..ROUNDS {
        let ann = server.log_in("ann").await;
        let (address, token) = (server.address, ann.token.clone());
        let logging_out = tokio::spawn(async move {
            // Each round logs out at a different moment of the handshake.
            for _ in 0..round % 7 {
                tokio::task::yield_now().await;
            }
            ann.post("auth/logout", json!({})).await.done();
        });
        match round % 3 {
            0 => {
                let headers = [("authorization", format!("Bearer {token}"))];
                let socket = Socket::try_open(address, &headers).await;
                logging_out.await.unwrap();
                if let Ok(mut socket) = socket {
                    socket.closed().await;
                }
            }
            1 => {
                let socket = EventSocket::try_open(address, json!({ "token": token })).await;
                logging_out.await.unwrap();
                if let Ok(mut socket) = socket {
                    socket.closed().await;
                }
            }
            _ => {
                let path = format!("/?token={token}");
                let socket = RawSocket::try_open(address, &path).await;
                logging_out.await.unwrap();
                if let Ok(mut socket) = socket {
                    socket.closed().await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_held_outbox_sends_later_frames_after_the_filled_one() {
    let outbox = Outbox::held();
    let frame = |text: &str| {
        let mut frames = parlor::chat::Frames::default();
        frames.add(|bytes| bytes.extend_from_slice(text.as_bytes()));
        frames.seal()
    };
    let take = || {
        let mut batch = Vec::new();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = outbox.poll_take(&mut context, &mut batch);
        batch
    };
    outbox.push(frame("told by the welcome"), Priority::Full);
    outbox.forget_held();
    outbox.push(frame("later"), Priority::Full);
    assert!(take().is_empty());
    outbox.fill(frame("welcome"));
    assert_eq!(take(), ["welcome", "later"]);

    outbox.push(frame("before"), Priority::Full);
    outbox.hold();
    outbox.push(frame("after"), Priority::Full);
    assert_eq!(take(), ["before"]);
    outbox.fill(frame("more"));
    assert_eq!(take(), ["more", "after"]);

    outbox.hold();
    outbox.push(frame("never"), Priority::Full);
    outbox.close(CloseReason::SessionEnded);
    assert!(take().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_welcome_comes_first_and_later_events_are_never_older() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("0").await;
    ann.add(room, &bob, "member").await;
    let stop = Arc::new(AtomicBool::new(false));
    let renaming = tokio::spawn({
        let stop = stop.clone();
        async move {
            for number in 1.. {
                let body = json!({ "name": number.to_string() });
                ann.patch(&format!("rooms/{room}"), body).await.ok(200);
                if stop.load(Ordering::Relaxed) {
                    return number;
                }
            }
            0
        }
    });
    let mut sockets = Vec::new();
    for _ in 0..40 {
        let mut socket = Socket::open(server.address, Some(&bob.token)).await;
        let first = socket.next("the first frame").await;
        assert_eq!(first["event"], "welcome");
        sockets.push((socket, name_in(&first, room)));
    }
    stop.store(true, Ordering::Relaxed);
    let last = renaming.await.unwrap();
    for (mut socket, mut name) in sockets {
        let events = socket.events().await;
        for event in events.iter().filter(|one| one["event"] == "room_changed") {
            let next = number(&event["room"]["name"]);
            assert!(next >= name, "{next} after {name}");
            name = next;
        }
        assert_eq!(name, last);
    }
}

fn name_in(welcome: &Value, room: i64) -> u64 {
    let rooms = welcome["rooms"].as_array().unwrap();
    let found = rooms.iter().find(|one| one["id"] == room).unwrap();
    number(&found["name"])
}

fn number(name: &Value) -> u64 {
    name.as_str().unwrap().parse().unwrap()
}

/// Adds the people to `count` new private rooms, directly in the database.
fn make_rooms(server: &TestServer, count: usize, people: &[&Persona]) {
    let ids: Vec<_> = people.iter().map(|one| format!("({})", one.id)).collect();
    let people = ids.join(",");
    server.edit_file(&format!(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO rooms (uuid, kind, name, created_at, updated_at)
             SELECT randomblob(16), 'private', 'room ' || i, 0, 0 FROM n;
         INSERT OR IGNORE INTO members (room_id, user_id, role, joined_at)
             SELECT r.id, p.column1, 'member', 0 FROM rooms r, (VALUES {people}) p WHERE r.name LIKE 'room %';
         COMMIT;"
    ));
}

#[tokio::test]
async fn the_welcome_lists_rooms_in_frames_of_200() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    make_rooms(&server, 199, &[&ann]);
    let welcome = ann.connect().await.welcome;
    assert_eq!(welcome["rooms"].as_array().unwrap().len(), 200);
    assert_eq!(welcome["more"], false);

    make_rooms(&server, 250, &[&ann.clone()]);
    let mut socket = Socket::open(server.address, Some(&ann.token)).await;
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let frame = socket.next("rooms").await;
        let first = all.is_empty();
        assert_eq!(frame["event"], if first { "welcome" } else { "rooms" });
        let rooms = frame["rooms"].as_array().unwrap();
        sizes.push(rooms.len());
        all.extend(rooms.iter().map(id));
        if frame["more"] == false {
            break;
        }
    }
    assert_eq!(sizes, [200, 200, 50]);
    assert!(all.is_sorted());
    socket.ok(json!({ "op": "ping" })).await;
}

#[tokio::test]
async fn presence_and_read_marks_of_many_rooms_are_complete() {
    const COUNT: usize = 400;
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    make_rooms(&server, COUNT, &[&ann, &bob]);
    let mut his = bob.connect().await;
    let rooms = server.chat_rooms(&bob).await;
    for room in &rooms {
        his.ok(json!({ "op": "resume", "room": room, "after": 0 }))
            .await;
    }
    let hers = ann.connect().await;
    his.hears_presence(&rooms, ann.id, "online").await;
    drop(hers);
    his.hears_presence(&rooms, ann.id, "offline").await;

    let mut elsewhere = bob.connect().await;
    for room in &rooms {
        let said = ann.say(*room, "hi").await;
        let read = json!({ "op": "read", "room": room, "message": said["id"] });
        elsewhere.send_raw(read.to_string().into()).await;
    }
    for room in &rooms {
        his.wait("a read mark", |frame| {
            frame["event"] == "read" && frame["room"] == *room && frame["user_id"] == bob.id
        })
        .await;
    }
}

impl TestServer {
    async fn chat_rooms(&self, person: &Persona) -> Vec<i64> {
        let rooms = person.get("rooms").await.items();
        rooms.iter().map(id).filter(|room| *room != 1).collect()
    }
}

impl Socket {
    /// Waits until the person is reported `online` or `offline` in all of these rooms.
    async fn hears_presence(&mut self, rooms: &[i64], who: i64, state: &str) {
        for room in rooms {
            self.wait(state, |frame| {
                let people = frame[state].as_array();
                frame["event"] == "presence"
                    && frame["room"] == *room
                    && people.is_some_and(|people| people.iter().any(|one| one["id"] == who))
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_room_mention_notifies_every_member_of_a_large_room() {
    const COUNT: i64 = 1300;
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.public_room("large").await;
    server.edit_file(&format!(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT})
         INSERT INTO users (uuid, username, username_key, username_look, display_name, role, created_at, updated_at)
             SELECT randomblob(16), 'u' || i, 'u' || i, 'u' || i, 'u' || i, 'user', 0, 0 FROM n;
         INSERT INTO members (room_id, user_id, role, joined_at)
             SELECT {room}, id, 'member', 0 FROM users WHERE username LIKE 'u%';
         COMMIT;"
    ));
    let zoe = server.user("zoe").await;
    ann.add(room, &zoe, "member").await;
    let mut hers = zoe.connect().await;
    ann.say(room, "@room and @zoe").await;
    // Zoe joined last and is mentioned twice, but gets one notification.
    let told = hers.wait("a mention", |frame| {
        frame["event"] == "notification" && frame["notification"]["kind"] == "mention"
    });
    told.await;
    // One mention per member, and the notification that Zoe was added.
    assert_eq!(server.count("notifications"), COUNT + 2);
}

#[tokio::test]
async fn deeply_nested_json_is_refused_wherever_it_is_stored() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let note = |levels| format!(r#"{{"title":"x","content":{}}}"#, nested(levels));
    for levels in [65, 127, 1200] {
        let body = note(levels);
        let json = Some("application/json");
        let reply = ann.send("POST", "notifications", json, body).await;
        reply.refused(400, "bad_json");
    }
    let json = Some("application/json");
    let reply = ann.send("POST", "notifications", json, note(64)).await;
    reply.ok(201);
    let path = format!("/ws/notifications?token={}", ann.token);
    let mut socket = RawSocket::open(server.address, &path).await;
    let frame = format!(r#"{{"type":"x","content":{}}}"#, nested(1200));
    socket.send_text(&frame).await;
    let warning = socket.next().await;
    assert_eq!(warning["mtype"], "warning");
    assert!(warning["content"].as_str().unwrap().contains("nested"));
}
