//! Document 001's events: who sends what, who hears it, and what is said to what is wrong.

use serde_json::{Value, json};

use super::support::*;

const MESSAGE: &str = "chat_id room_id user_name message create_date";

/// A socket and its owner's name.
struct Seat {
    name: String,
    socket: EventSocket,
}

impl Seat {
    async fn of(person: &Persona) -> Self {
        let (name, token) = (person.name.clone(), &person.token);
        let socket = EventSocket::open(person.address, token).await;
        Self { name, socket }
    }

    /// Comes without a token.
    async fn named(server: &TestServer, name: &str) -> Self {
        let socket = EventSocket::try_open(server.address, json!({})).await;
        let (name, socket) = (name.to_owned(), socket.unwrap());
        Self { name, socket }
    }

    /// Joins a room and hears that it did.
    async fn join(mut self, room: i64) -> Self {
        self.emit("join", json!({ "room_id": room })).await;
        let joined = self.socket.event("user_joined").await;
        assert_eq!(joined, json!({"user_name": self.name, "room_id": room}));
        self
    }

    /// Sends an event under the own name.
    async fn emit(&mut self, name: &str, mut value: Value) {
        if value.get("user_name").is_none() {
            value["user_name"] = self.name.clone().into();
        }
        self.socket.emit(name, value).await;
    }

    async fn say(&mut self, room: i64, text: &str) {
        let value = json!({"room_id": room, "message": text});
        self.emit("message", value).await;
    }

    /// The next event of that name must say so.
    async fn hears(&mut self, name: &str, value: Value) {
        assert_eq!(
            self.socket.event(name).await,
            value,
            "{name} to {}",
            self.name
        );
    }

    /// The next event must be refused.
    async fn fails(&mut self, code: u8, message: &str) {
        self.hears("error", json!({"message": message, "code": code}))
            .await;
    }

    /// The names of all events that came by now, but for greetings and presence, which come when they come.
    async fn heard(&mut self) -> Vec<String> {
        const ASIDE: [&str; 4] = ["connection", "connected", "user_online", "user_offline"];
        let events = self.socket.events().await.into_iter();
        let names = events.map(|(name, _)| name);
        names
            .filter(|name| !ASIDE.contains(&name.as_str()))
            .collect()
    }

    async fn hears_nothing_of(&mut self, name: &str) {
        let heard = self.heard().await;
        assert!(
            !heard.iter().any(|event| event == name),
            "{heard:?} to {}",
            self.name
        );
    }
}

async fn open_server() -> TestServer {
    TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["komunikator".to_owned()].into());
    })
    .await
}

async fn post(by: &Client, path: &str, body: Value) {
    by.post(path, body).await.ok(200);
}

#[tokio::test]
async fn who_comes_and_goes_is_told_to_the_room_and_to_themselves() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("q").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    // Listening to a public room needs no membership.
    let mut bobs = Seat::of(&bob).await.join(room).await;
    anns.hears("user_joined", json!({"user_name": "bob", "room_id": room}))
        .await;
    bobs.emit("leave", json!({ "room_id": room.to_string() }))
        .await;
    let left = json!({"user_name": "bob", "room_id": room});
    bobs.hears("user_left", left.clone()).await;
    anns.hears("user_left", left).await;
    anns.say(room, "hi").await;
    anns.socket.event("new_message").await;
    bobs.hears_nothing_of("new_message").await;
    // Only those in the room hear who joins it.
    let mut cids = Seat::of(&server.user("cid").await).await.join(room).await;
    anns.socket.event("user_joined").await;
    bobs.hears_nothing_of("user_joined").await;
    cids.emit("join", json!({ "room_id": room })).await;
    cids.socket.event("user_joined").await;
}

#[tokio::test]
async fn a_message_reaches_everybody_in_the_room_under_both_names() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("q").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    let mut bobs = Seat::of(&bob).await.join(room).await;
    let text = json!({"room_id": room.to_string(), "message": "  hi\nthere "});
    anns.emit("message", text).await;
    let told = anns.socket.event("new_message").await;
    assert_keys(&told, MESSAGE);
    let expected = json!({
        "chat_id": told["chat_id"], "room_id": room, "user_name": "ann", "message": "hi\nthere",
        "create_date": told["create_date"]
    });
    assert_eq!(told, expected);
    assert!(
        told["create_date"].as_str().unwrap().ends_with('Z'),
        "{told}"
    );
    anns.hears("new", told.clone()).await;
    bobs.hears("new_message", told.clone()).await;
    bobs.hears("new", told.clone()).await;
    let past = bob
        .get(&format!("/api/chat_history?room_id={room}"))
        .await
        .ok(200);
    assert_eq!(past[0]["chat_id"], told["chat_id"]);
    let longest = "ä".repeat(1000);
    anns.say(room, &longest).await;
    assert_eq!(bobs.socket.event("new_message").await["message"], longest);
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_told_with_its_code() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (public, private) = (ann.public_room("q").await, ann.private_room("p").await);
    let direct = ann.direct_room(&server.user("cid").await).await;
    let mut bobs = Seat::of(&bob).await;
    for event in ["join", "leave", "message"] {
        for value in [json!(null), json!("x"), json!([]), json!({}), json!(7)] {
            bobs.socket.emit(event, value).await;
            bobs.fails(3, "Missing user_name or room_id").await;
        }
        bobs.socket.emit_bare(event).await;
        bobs.fails(3, "Missing user_name or room_id").await;
        for (name, room) in [
            ("", json!(public)),
            ("bob", json!("")),
            ("bob", Value::Null),
        ] {
            bobs.emit(
                event,
                json!({"user_name": name, "room_id": room, "message": "x"}),
            )
            .await;
            bobs.fails(3, "Missing user_name or room_id").await;
        }
        for room in [
            json!(999),
            json!("x"),
            json!(-1),
            json!(private),
            json!(direct),
        ] {
            bobs.emit(event, json!({"room_id": room, "message": "x"}))
                .await;
            bobs.fails(4, "Join failed").await;
        }
        let foreign = json!({"user_name": "ann", "room_id": public, "message": "x"});
        bobs.emit(event, foreign).await;
        bobs.fails(4, "Join failed").await;
    }
    for text in [Value::Null, json!(""), json!(" \n"), json!(7)] {
        bobs.emit("message", json!({"room_id": 1, "message": text}))
            .await;
        bobs.fails(2, "Missing message").await;
    }
    bobs.say(1, "a\u{0}b").await;
    bobs.fails(2, "message must not contain control characters")
        .await;
    bobs.say(1, &"x".repeat(1001)).await;
    bobs.fails(1, "Message is too long").await;
    // Listening is open, sending is for members.
    bobs.say(public, "hi").await;
    bobs.fails(4, "Join failed").await;
    for value in [json!(null), json!({}), json!({"user_name": ""})] {
        bobs.socket.emit("watchdog", value).await;
        bobs.fails(3, "Missing user_name").await;
    }
    bobs.emit("watchdog", json!({"user_name": "ann"})).await;
    bobs.fails(4, "Join failed").await;
    assert_eq!(bobs.heard().await, [""; 0]);
}

#[tokio::test]
async fn too_many_messages_are_refused_and_the_socket_lives() {
    let server = TestServer::start_with(|config| {
        config.limits.messages_per_second = 1.try_into().ok();
        config.limits.messages_burst = 1;
    })
    .await;
    let mut anns = Seat::of(&server.user("ann").await).await.join(1).await;
    anns.say(1, "one").await;
    anns.say(1, "two").await;
    let error = anns.socket.event("error").await;
    assert_eq!(error["code"], 4, "{error}");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("too many requests"),
        "{error}"
    );
    anns.socket.event("new_message").await;
}

#[tokio::test]
async fn members_who_come_and_go_change_the_list_for_those_in_the_room() {
    let server = TestServer::start().await;
    let (ann, bob, cid) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cid").await,
    );
    let room = ann.public_room("q").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    let mut cids = Seat::of(&cid).await.join(1).await;
    post(&bob, "/api/room/join_public", json!({ "room_id": room })).await;
    anns.hears("user_list_updated", Value::Null).await;
    let mut bobs = Seat::of(&bob).await.join(room).await;
    post(&bob, "/api/room/leave", json!({ "room_id": room })).await;
    anns.hears("user_list_updated", Value::Null).await;
    bobs.hears("user_list_updated", Value::Null).await;
    cids.hears_nothing_of("user_list_updated").await;
}

#[tokio::test]
async fn who_is_kicked_hears_it_where_they_were_and_nothing_after() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("p").await;
    ann.add(room, &bob, "member").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    let mut bobs = Seat::of(&bob).await.join(room).await;
    let mut elsewhere = Seat::of(&bob).await.join(1).await;
    post(
        &ann,
        "/api/user_kick",
        json!({"room_id": room, "user_to_kick": "bob"}),
    )
    .await;
    for seat in [&mut anns, &mut bobs] {
        seat.hears("user_kicked", json!({"user_name": "bob"})).await;
        seat.hears("user_list_updated", Value::Null).await;
    }
    anns.say(room, "gone").await;
    anns.socket.event("new_message").await;
    bobs.hears_nothing_of("new_message").await;
    // The event names no room: in another one it would be misunderstood.
    elsewhere.hears_nothing_of("user_kicked").await;
    bobs.emit("join", json!({ "room_id": room })).await;
    bobs.fails(4, "Join failed").await;
}

#[tokio::test]
async fn who_only_listened_loses_a_room_that_becomes_private() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("q").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    let mut bobs = Seat::of(&bob).await.join(room).await;
    let edit = json!({"room_id": room, "is_private": true, "new_access_key": "k"});
    post(&ann, "/api/room/edit", edit).await;
    bobs.hears("room_list_updated", Value::Null).await;
    anns.say(room, "secret").await;
    anns.socket.event("new_message").await;
    bobs.hears_nothing_of("new_message").await;
}

#[tokio::test]
async fn everybody_hears_that_the_list_of_rooms_is_another() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut bobs = Seat::of(&server.user("bob").await).await.join(1).await;
    let made = ann
        .post("/api/room/create", json!({"room_name": "q"}))
        .await
        .ok(200);
    bobs.hears("room_list_updated", Value::Null).await;
    let room = &made["room_id"];
    post(
        &ann,
        "/api/room/edit",
        json!({"room_id": room, "new_name": "r"}),
    )
    .await;
    bobs.hears("room_list_updated", Value::Null).await;
    post(&ann, "/api/room/delete", json!({ "room_id": room })).await;
    bobs.hears("room_list_updated", Value::Null).await;
    assert_eq!(bobs.heard().await, [""; 0]);
}

#[tokio::test]
async fn who_comes_online_and_goes_offline_is_told_to_their_rooms() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("p").await;
    ann.add(room, &bob, "member").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    let online = async || ann.get("/api/users/online").await.ok(200);
    assert_eq!(online().await, json!([]));
    let bobs = Seat::of(&bob).await;
    anns.hears("user_online", json!({"user_name": "bob"})).await;
    assert_eq!(online().await, json!(["bob"]));
    drop(bobs);
    anns.hears("user_offline", json!({"user_name": "bob"}))
        .await;
    assert_eq!(online().await, json!([]));
    // Whatever they come with.
    let native = bob.connect().await;
    anns.hears("user_online", json!({"user_name": "bob"})).await;
    drop(native);
    anns.hears("user_offline", json!({"user_name": "bob"}))
        .await;
}

#[tokio::test]
async fn who_sent_a_watchdog_and_falls_silent_is_offline_though_connected() {
    let server = TestServer::start_with(|config| {
        config.presence.timeout = std::time::Duration::from_millis(100);
    })
    .await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut anns = Seat::of(&ann).await.join(1).await;
    let mut bobs = Seat::of(&bob).await;
    let name = json!({"user_name": "bob"});
    anns.hears("user_online", name.clone()).await;
    for _ in 0..2 {
        bobs.emit("watchdog", json!({})).await;
        anns.hears("user_offline", name.clone()).await;
        assert_eq!(ann.get("/api/users/online").await.ok(200), json!([]));
        bobs.emit("watchdog", json!({})).await;
        anns.hears("user_online", name.clone()).await;
    }
    anns.hears("user_offline", name.clone()).await;
    // A second client of theirs that never sends one counts as long as it is there.
    let second = Seat::of(&bob).await;
    anns.hears("user_online", name.clone()).await;
    drop(second);
    anns.hears("user_offline", name).await;
    // Ann never sent one.
    assert_eq!(bob.get("/api/users/online").await.ok(200), json!(["ann"]));
}

#[tokio::test]
async fn the_name_in_the_token_stays_good_after_a_rename() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut anns = Seat::of(&ann).await.join(1).await;
    let renamed = ann.patch("me", json!({"username": "anna"})).await.ok(200);
    assert_eq!(renamed["username"], "anna");
    anns.say(1, "as before").await;
    assert_eq!(anns.socket.event("new_message").await["user_name"], "anna");
    let mut again = Seat::of(&ann).await;
    for name in ["ann", "anna"] {
        again
            .emit("join", json!({"user_name": name, "room_id": 1}))
            .await;
        again
            .hears("user_joined", json!({"user_name": "anna", "room_id": 1}))
            .await;
    }
}

#[tokio::test]
async fn without_a_token_no_socket_is_let_in_and_logging_out_ends_it() {
    let server = TestServer::start().await;
    for auth in [json!({}), json!({"user_name": "ann"})] {
        let refused = EventSocket::try_open(server.address, auth).await;
        assert_eq!(refused.err().unwrap(), "not logged in");
    }
    let ann = server.user("ann").await;
    let mut anns = Seat::of(&ann).await.join(1).await;
    ann.post("auth/logout", json!({})).await.done();
    assert!(anns.socket.closed().await);
}

#[tokio::test]
async fn an_open_server_believes_the_name_in_an_event() {
    let server = open_server().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let root = server.admin("root").await;
    let private = ann.private_room("p").await;
    let mut seat = Seat::named(&server, "ann").await.join(private).await;
    seat.say(private, "hi").await;
    assert_eq!(seat.socket.event("new_message").await["user_name"], "ann");
    // The same socket is somebody else when it says so, and watches nothing of before.
    seat.name = "bob".to_owned();
    seat.emit("join", json!({ "room_id": private })).await;
    seat.fails(4, "Join failed").await;
    ann.say(private, "not for bob").await;
    let mut seat = seat.join(1).await;
    seat.hears_nothing_of("new_message").await;
    assert_eq!(ann.get("/api/users/online").await.ok(200), json!(["bob"]));
    // Nobody becomes an admin so, nor who does not exist; an address is no name.
    bob.patch("me", json!({"email": "bob@example.org"}))
        .await
        .ok(200);
    for name in ["nobody", "root", "bob@example.org"] {
        seat.emit("join", json!({"user_name": name, "room_id": 1}))
            .await;
        seat.fails(4, "Join failed").await;
    }
    // What belongs to others needs a token.
    for event in ["smessage", "join_public", "send_public_message", "nonsense"] {
        seat.socket
            .emit(event, json!({"receiver_id": ann.id, "content": "x"}))
            .await;
        assert_eq!(seat.socket.event("error").await["code"], 0, "{event}");
    }
    // A token counts where there is one: it must be good, and then names must be right.
    let bad = EventSocket::try_open(server.address, json!({"token": "rubbish"})).await;
    assert!(bad.is_err());
    let mut proven = Seat::of(&root).await;
    proven
        .emit("join", json!({"user_name": "ann", "room_id": private}))
        .await;
    proven.fails(4, "Join failed").await;
}

#[tokio::test]
async fn the_account_behind_a_believed_name_ends_and_so_does_its_socket() {
    let server = open_server().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let mut seat = Seat::named(&server, "ann").await.join(1).await;
    root.delete(&format!("users/{}", ann.id)).await.done();
    assert!(seat.socket.closed().await);
}
