//! Events: senders, recipients and errors.

use super::*;

#[tokio::test]
async fn join_and_leave_events_reach_the_room_and_their_sender() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.public_room("q").await;
    let mut anns = Seat::of(&ann).await.join(room).await;
    // Subscribing to a public room needs no membership.
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
    // `user_joined` reaches only those who are in the room.
    let mut cids = Seat::of(&server.user("cid").await).await.join(room).await;
    anns.socket.event("user_joined").await;
    bobs.hears_nothing_of("user_joined").await;
    cids.emit("join", json!({ "room_id": room })).await;
    cids.socket.event("user_joined").await;
}

#[tokio::test]
async fn messages_arrive_as_new_message_and_as_new() {
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
        "chat_id": told["chat_id"], "room_id": room, "user_name": "ann", "message": "  hi\nthere",
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
async fn invalid_events_get_an_error_with_its_code() {
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
    // Anybody may subscribe to a public room, only members may send.
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
async fn messages_over_the_limit_are_refused_and_keep_the_socket() {
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
async fn membership_changes_send_user_list_updated_to_the_room() {
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
async fn a_kicked_member_gets_user_kicked_and_no_further_messages() {
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
    // The event names no room, so in another room it would be misunderstood.
    elsewhere.hears_nothing_of("user_kicked").await;
    bobs.emit("join", json!({ "room_id": room })).await;
    bobs.fails(4, "Join failed").await;
}

#[tokio::test]
async fn non_members_get_no_messages_of_a_room_that_becomes_private() {
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
async fn room_changes_send_room_list_updated_to_everybody() {
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
async fn sockets_need_a_token_and_are_closed_at_log_out() {
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
async fn user_names_in_events_ignore_case() {
    let server = TestServer::start().await;
    let ann = server.user("Ann").await;
    let mut seat = Seat::of(&ann).await.join(1).await;
    for (text, name) in [("one", "ann"), ("two", "ANN"), ("three", "\u{ff21}nn")] {
        let value = json!({"user_name": name, "room_id": 1, "message": text});
        seat.emit("message", value).await;
        let heard = seat.socket.event("new_message").await;
        assert_eq!(
            (&heard["message"], &heard["user_name"]),
            (&json!(text), &json!("Ann"))
        );
    }
    seat.emit("watchdog", json!({"user_name": "aNN"})).await;
    seat.hears_nothing_of("error").await;
}
