//! Many Socket.IO clients in one room, half of them polling: each receives every message once and in order, and a
//! client that does not listen delays nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::support::*;

const EACH: usize = 250;
const AT_ONCE: usize = 50;
const MESSAGES: usize = 40;
/// Message that shows which listeners have caught up.
const MARK: &str = "all here?";

fn join(name: &str) -> String {
    format!("42{}", json!(["join", {"room_id": 1, "user_name": name}]))
}

/// Returns the text of the message in a `new` packet without parsing the rest.
fn text(packet: &str) -> Option<&str> {
    let rest = packet.strip_prefix(r#"42["new","#)?;
    let (_, rest) = rest.split_once(r#""message":""#)?;
    Some(rest.split_once('"')?.0)
}

/// A listener and the messages it has received.
struct Ear {
    heard: Vec<String>,
    /// Gets a permit whenever a listener has caught up.
    caught_up: Arc<Semaphore>,
}

impl Ear {
    fn hear(&mut self, packet: &str) {
        match text(packet) {
            Some(MARK) => self.caught_up.add_permits(1),
            Some(text) => self.heard.push(text.to_owned()),
            None => {}
        }
    }

    async fn by_websocket(mut self, person: Persona) -> Vec<String> {
        let mut socket = EventSocket::open(person.address, &person.token).await;
        socket.send_raw(join(&person.name)).await;
        while self.heard.len() < MESSAGES {
            self.hear(&socket.packet("a message").await);
        }
        self.heard
    }

    async fn by_polling(mut self, person: Persona) -> Vec<String> {
        let poller = Poller::open(person.address, &person.token).await;
        poller.say(&join(&person.name)).await;
        while self.heard.len() < MESSAGES {
            for packet in poller.hear().await {
                self.hear(&packet);
            }
        }
        self.heard
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_clients_on_both_transports_receive_all_in_order() {
    let server = TestServer::start().await;
    let people = [server.user("ann").await, server.user("bob").await];
    let mut listeners = JoinSet::new();
    let mut seat = EventSocket::open(server.address, &people[0].token).await;
    seat.send_raw(join("ann")).await;
    seat.event("user_joined").await;
    let caught_up = Arc::new(Semaphore::new(0));
    // In groups: a listener that falls more than 256 join events behind is closed as lagging.
    for _ in 0..EACH / AT_ONCE {
        for _ in 0..AT_ONCE {
            let ear = || Ear {
                heard: Vec::new(),
                caught_up: caught_up.clone(),
            };
            let [ann, bob] = people.clone();
            listeners.spawn(ear().by_websocket(ann));
            listeners.spawn(ear().by_polling(bob));
        }
        for _ in 0..2 * AT_ONCE {
            seat.event("user_joined").await;
        }
        people[0].say(1, MARK).await;
        let all = u32::try_from(listeners.len()).unwrap();
        let there = within("catching up", caught_up.acquire_many(all)).await;
        there.unwrap().forget();
    }
    for number in 0..MESSAGES {
        people[1].say(1, &number.to_string()).await;
    }
    let wanted: Vec<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
    let heard = within("hearing", listeners.join_all()).await;
    assert_eq!(heard.len(), 2 * EACH);
    assert!(heard.iter().all(|heard| *heard == wanted));
}

#[tokio::test]
async fn clients_that_stop_listening_are_closed_and_delay_nobody() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (deaf, idle) = (server.user("deaf").await, server.user("idle").await);
    let mut socket = EventSocket::open(server.address, &bob.token).await;
    socket.send_raw(join("bob")).await;
    let mut stalled = EventSocket::open_narrow(server.address, &deaf.token).await;
    stalled.send_raw(join("deaf")).await;
    let poller = Poller::open(server.address, &idle.token).await;
    poller.say(&join("idle")).await;
    for _ in ["bob", "deaf", "idle"] {
        socket.event("user_joined").await;
    }
    // More than all buffers on the way hold.
    let big = "😀".repeat(4000);
    let mut slowest = Duration::ZERO;
    for _ in 0..250 {
        let begun = Instant::now();
        let said = ann.say(1, &big).await;
        assert_eq!(socket.event("new").await["chat_id"], said["id"]);
        socket.event("new_message").await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    for _ in 0..2 {
        skip(Duration::from_secs(8)).await;
        socket.events().await;
    }
    let online = || async { bob.get("/api/users/online").await.ok(200) };
    let gone = async {
        while online().await != json!([]) {
            tokio::task::yield_now().await;
        }
    };
    within("their end", gone).await;
    // The next poll reports the end of the session: 400 or a close packet.
    let last = poller.poll().await;
    assert!(last.status == 400 || last.body.ends_with(b"1"), "{last}");
}
