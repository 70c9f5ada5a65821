//! Resuming: a client that was away receives exactly what it missed, in pages, without gaps or duplicates.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::*;

/// A client's copy of a room, maintained as `docs/native.md` describes.
#[derive(Default)]
struct Copy {
    messages: BTreeMap<i64, Value>,
    newest: i64,
}

impl Copy {
    /// Inserts a message by id; of two versions the one with the higher change id wins.
    fn take(&mut self, message: &Value) {
        let change = |message: &Value| message["change_id"].as_i64().unwrap();
        self.newest = self.newest.max(change(message));
        let held = self
            .messages
            .entry(id(message))
            .or_insert_with(|| message.clone());
        if change(held) < change(message) {
            *held = message.clone();
        }
    }

    fn take_all(&mut self, messages: &[Value]) {
        messages.iter().for_each(|message| self.take(message));
    }

    /// Applies live events until the copy has `count` messages.
    async fn follow(&mut self, socket: &mut Socket, count: usize) {
        while self.messages.len() < count {
            let frame = socket.next("an event").await;
            if frame["message"].is_object() {
                self.take(&frame["message"]);
            }
        }
    }
}

/// Returns all messages of a room, read from the server's history.
async fn truth(somebody: &Persona, room: i64) -> BTreeMap<i64, Value> {
    let (mut all, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = somebody
            .get(&format!("rooms/{room}/messages?after={after}&limit=200"))
            .await
            .ok(200);
        for message in page["items"].as_array().unwrap() {
            after = id(message);
            all.insert(after, message.clone());
        }
        if page["more"] == false {
            return all;
        }
    }
}

/// Sends `count` messages without waiting in between, then returns their ids.
async fn say_many(socket: &mut Socket, room: i64, content: &str, count: usize) -> Vec<i64> {
    let mut asked = Vec::new();
    for _ in 0..count {
        let op = json!({ "op": "send", "room": room, "content": content });
        asked.push(socket.send(op).await);
    }
    let mut said = Vec::new();
    for number in asked {
        said.push(id(&socket.answer(number).await.unwrap()["message"]));
    }
    said
}

/// Sends `count` messages, at most 100 at once, and returns the id of the last.
async fn chatter(socket: &mut Socket, room: i64, count: usize) -> i64 {
    let mut last = 0;
    for done in (0..count).step_by(100) {
        let said = say_many(socket, room, "chatter", (count - done).min(100)).await;
        last = said.last().copied().unwrap_or(last);
        socket.taken();
    }
    last
}

#[tokio::test]
async fn resuming_returns_exactly_what_changed() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut copy = Copy::default();
    let mut said = Vec::new();
    for number in 0..5 {
        said.push(ann.say(1, &number.to_string()).await);
    }
    let mut socket = bob.connect().await;
    copy.take_all(&socket.resume_all(1, 0).await);
    assert_eq!(copy.messages, truth(&bob, 1).await);
    drop(socket);

    let path = |number: usize| format!("messages/{}", said[number]["id"]);
    ann.patch(&path(1), json!({ "content": "one" }))
        .await
        .ok(200);
    ann.delete(&path(3)).await.ok(200);
    ann.say(1, "new").await;
    ann.patch(&path(1), json!({ "content": "One" }))
        .await
        .ok(200);

    let mut socket = bob.connect().await;
    let missed = socket.resume_all(1, copy.newest).await;
    // In order of changes: the deleted message, the new one, and the edited one once.
    assert_eq!(each(&missed, "content"), ["", "new", "One"]);
    assert!(missed.is_sorted_by_key(|message| message["change_id"].as_i64()));
    copy.take_all(&missed);
    assert_eq!(copy.messages, truth(&bob, 1).await);
    // Live events follow.
    let live = ann.say(1, "live").await;
    assert_eq!(socket.event("message").await["message"], live);
    assert!(socket.resume_all(1, id(&live)).await.is_empty());
}

#[tokio::test]
async fn the_answer_to_resume_has_all_fields() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let said = ann.say(1, "x").await;
    let mut socket = ann.connect().await;
    assert_eq!(socket.welcome["rooms"][0]["change_id"], said["change_id"]);
    let answer = socket
        .ok(json!({ "op": "resume", "room": 1, "after": 0 }))
        .await;
    assert_eq!(
        answer,
        json!({
            "room": 1, "messages": [said], "more": false, "cleared_through": 0, "reset": false,
            "online": [said["sender"]], "online_count": 1,
        })
    );
}

#[tokio::test]
async fn resuming_reports_through_which_message_the_room_was_cleared() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    // More than one page, which must not hide what came after.
    let mut old = ann.say(room, "old").await;
    for _ in 0..200 {
        old = ann.say(room, "old").await;
    }
    ann.call("POST", &format!("rooms/{room}/clear"), None)
        .await
        .ok(200);
    let new = ann.say(room, "new").await;
    let mut socket = bob.connect().await;
    let answer = socket
        .ok(json!({ "op": "resume", "room": room, "after": 0 }))
        .await;
    assert_eq!(
        (&answer["cleared_through"], &answer["messages"]),
        (&old["id"], &json!([new]))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resuming_pages_up_to_5000_changes_and_resets_beyond() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut talking = ann.connect().await;
    let first = chatter(&mut talking, 1, 1000).await;
    let second = chatter(&mut talking, 1, 1000).await;
    chatter(&mut talking, 1, 4000).await;
    let all = truth(&bob, 1).await;
    assert_eq!(all.len(), 6000);

    let mut socket = bob.connect().await;
    let missed = socket.resume_all(1, second).await;
    assert_eq!(missed.len(), 4000);
    assert!(
        missed
            .iter()
            .map(id)
            .eq(all.range(second + 1..).map(|(id, _)| *id))
    );
    // Exactly at the limit, and one beyond it.
    let mut socket = bob.connect().await;
    assert_eq!(socket.resume_all(1, first).await.len(), 5000);
    let mut socket = bob.connect().await;
    let reset = socket
        .ok(json!({ "op": "resume", "room": 1, "after": first - 1 }))
        .await;
    assert_eq!(
        (&reset["messages"], &reset["more"], &reset["reset"]),
        (&json!([]), &json!(false), &json!(true))
    );
    let live = ann.say(1, "live").await;
    assert_eq!(socket.event("message").await["message"], live);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resuming_during_traffic_leaves_no_gaps_or_duplicates() {
    const COUNT: usize = 3000;
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut talking = ann.connect().await;
    let talk = tokio::spawn(async move { chatter(&mut talking, 1, COUNT).await });
    let mut seen = Vec::new();
    let (mut after, mut rounds) = (0, 0);
    while seen.len() < COUNT {
        // Each round opens a new connection and drops it after some live messages.
        let mut socket = bob.connect().await;
        seen.extend(socket.resume_all(1, after).await.iter().map(id));
        let stay = rounds * 37 % 200;
        for _ in 0..stay.min(COUNT - seen.len()) {
            seen.push(id(&socket.event("message").await["message"]));
        }
        after = seen.last().copied().unwrap_or(0);
        rounds += 1;
    }
    talk.await.unwrap();
    let all = truth(&bob, 1).await;
    assert!(
        seen.iter().eq(all.keys()),
        "{} of {}",
        seen.len(),
        all.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lagging_client_is_closed_and_resumes_to_the_same_state() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut talking = ann.connect().await;
    let mut lagging = Socket::open_narrow(server.address, &bob.token).await;
    lagging.resume_all(1, 0).await;
    let mut copy = Copy::default();
    // The client does not read while more is sent than all buffers in between hold.
    let big = "😀".repeat(4000);
    let mut said = Vec::new();
    for _ in 0..20 {
        said.extend(say_many(&mut talking, 1, &big, 20).await);
    }
    let path = format!("messages/{}", said[0]);
    ann.patch(&path, json!({ "content": "edited" }))
        .await
        .ok(200);
    ann.delete(&format!("messages/{}", said[1])).await.ok(200);
    // If all this takes longer than the write timeout, the connection is cut without a close code.
    let code = lagging.closed().await;
    assert!([4002, 0].contains(&code), "{code}");
    for frame in lagging.taken() {
        if frame["event"] == "message" {
            copy.take(&frame["message"]);
        }
    }
    assert!(copy.messages.len() < said.len());
    let mut back = bob.connect().await;
    copy.take_all(&back.resume_all(1, copy.newest).await);
    let count = copy.messages.len();
    assert_eq!(copy.messages, truth(&bob, 1).await);
    ann.say(1, "live").await;
    copy.follow(&mut back, count + 1).await;
    assert_eq!(copy.messages, truth(&bob, 1).await);
}

#[tokio::test]
async fn resuming_works_across_a_restart() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let first = ann.say(1, "before").await;
    let mut socket = bob.watch(1).await;
    let second = ann.say(1, "just before").await;
    assert_eq!(socket.event("message").await["message"], second);
    let server = server.restart().await;
    // Tokens and sessions survive a restart.
    let mut socket = Socket::open(server.address, Some(&bob.token)).await;
    socket.event("welcome").await;
    let ann = server.log_in("ann").await;
    let third = ann.say(1, "after").await;
    assert!(id(&third) > id(&second));
    assert_eq!(socket.resume_all(1, id(&first)).await, [second, third]);
}

#[tokio::test]
async fn resuming_a_cleared_room_is_answered_and_goes_live() {
    let mut server = TestServer::start().await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    let first = id(&ann.say(room, "one").await);
    let last = id(&ann.say(room, "two").await);
    let clear = format!("rooms/{room}/clear");
    ann.call("POST", &clear, None).await.ok(200);
    // First from the actor that cleared the room, then from one that loaded it from the database.
    for _ in 0..2 {
        for after in [0, first, last] {
            let mut socket = bob.connect().await;
            let answer = socket
                .ok(json!({ "op": "resume", "room": room, "after": after }))
                .await;
            assert_eq!(
                (
                    &answer["messages"],
                    &answer["more"],
                    &answer["cleared_through"]
                ),
                (&json!([]), &json!(false), &json!(last)),
                "after {after}"
            );
            let edited = bob.get(&format!("rooms/{room}")).await.ok(200);
            assert_eq!(edited["cleared_through"], last);
            ann.patch(
                &format!("rooms/{room}"),
                json!({ "description": after.to_string() }),
            )
            .await
            .ok(200);
            socket.event("room_changed").await;
        }
        server = server.restart().await;
        (ann, bob) = (server.log_in("ann").await, server.log_in("bob").await);
    }
    let mut socket = bob.connect().await;
    socket.resume_all(room, 0).await;
    let live = ann.say(room, "live").await;
    assert_eq!(socket.event("message").await["message"], live);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resuming_while_a_room_is_cleared_repeatedly_is_answered() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("open").await;
    let path = format!("rooms/{room}/clear");
    let clearing = tokio::spawn({
        let ann = ann.clone();
        async move {
            for _ in 0..40 {
                ann.say(room, "soon gone").await;
                ann.call("POST", &path, None).await.ok(200);
            }
        }
    });
    let mut socket = bob.connect().await;
    while !clearing.is_finished() {
        let answer = socket
            .ok(json!({ "op": "resume", "room": room, "after": 0 }))
            .await;
        let through = answer["cleared_through"].as_i64().unwrap();
        let messages = answer["messages"].as_array().unwrap();
        assert!(messages.iter().all(|message| id(message) > through));
        socket.ok(json!({ "op": "leave", "room": room })).await;
    }
    clearing.await.unwrap();
    socket.resume_all(room, 0).await;
    socket.taken();
    let live = ann.say(room, "live").await;
    assert_eq!(socket.event("message").await["message"], live);
}

#[tokio::test]
async fn one_frame_resumes_many_rooms() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let ben = server.user("ben").await;
    let mut rooms = Vec::new();
    for n in 0..5 {
        let room = ann.public_room(&format!("Room {n}")).await;
        ben.post(&format!("rooms/{room}/join"), json!({}))
            .await
            .ok(200);
        rooms.push(room);
    }
    for n in 0..150 {
        ben.say(rooms[1], &format!("number {n}.")).await;
        ben.say(rooms[2], &format!("number {n}.")).await;
    }
    let secret = ben.private_room("Cellar").await;
    let mut socket = ann.connect().await;
    let places: Vec<_> = rooms.iter().map(|room| json!([room, 0])).collect();
    let all = [vec![json!([secret, 0])], places.clone()].concat();
    let asked = json!({ "op": "resume_rooms", "rooms": all });
    let answer = socket.ok(asked).await;
    let found = answer["rooms"].as_array().unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one["room"].as_i64().unwrap(),
                one["messages"].as_array().unwrap().len(),
                one["more"].clone(),
            )
        })
        .collect();
    // The answer is limited in size; the rooms left out have `more` set and are requested again.
    let expected = [
        (rooms[0], 0, json!(false)),
        (rooms[1], 150, json!(false)),
        (rooms[2], 150, json!(false)),
        (rooms[3], 0, json!(true)),
        (rooms[4], 0, json!(true)),
    ];
    assert_eq!(told, expected);
    assert_eq!(found[0]["online_count"], 1);
    assert_eq!(
        answer["refused"],
        json!([{ "room": secret, "error": answer["refused"][0]["error"] }])
    );
    assert_eq!(answer["refused"][0]["error"]["code"], "not_found");
    for room in &rooms[..3] {
        let said = ben.say(*room, "live").await;
        let heard = socket.event("message").await;
        assert_eq!(heard["message"]["id"], said["id"]);
    }
    let rest = json!({ "op": "resume_rooms", "rooms": places[3..] });
    assert_eq!(socket.ok(rest).await["rooms"][1]["more"], false);
    let said = ben.say(rooms[4], "live").await;
    assert_eq!(socket.event("message").await["message"]["id"], said["id"]);

    let many: Vec<_> = (0..101).map(|_| json!([1, 0])).collect();
    socket
        .refused(json!({ "op": "resume_rooms", "rooms": many }), "invalid")
        .await;
    for wrong in [json!([1]), json!([[1]]), json!("x"), json!(null)] {
        socket
            .refused(json!({ "op": "resume_rooms", "rooms": wrong }), "bad_json")
            .await;
    }
}

#[tokio::test]
async fn events_of_a_room_come_after_the_answer_that_resumed_it() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let ben = server.user("ben").await;
    let mut rooms = Vec::new();
    for n in 0..40 {
        let room = ann.public_room(&format!("Room {n}")).await;
        ben.post(&format!("rooms/{room}/join"), json!({}))
            .await
            .ok(200);
        rooms.push(room);
    }
    let mut socket = ann.connect().await;
    let places: Vec<_> = rooms.iter().map(|room| json!([room, 0])).collect();
    let asked = socket
        .send(json!({ "op": "resume_rooms", "rooms": places }))
        .await;
    for room in &rooms {
        ben.say(*room, "meanwhile").await;
    }
    // No event before the answer, and each message exactly once: in the answer or after it.
    let mut heard = Vec::new();
    let answer = socket.answer(asked).await.unwrap();
    assert!(
        socket
            .taken()
            .iter()
            .all(|frame| frame["event"] != "message")
    );
    for one in answer["rooms"].as_array().unwrap() {
        assert_eq!(one["more"], false);
        heard.extend(one["messages"].as_array().unwrap().iter().map(id));
    }
    while heard.len() < rooms.len() {
        heard.push(id(&socket.event("message").await["message"]));
    }
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard.len(), rooms.len());
}
