//! Access without a token under `compat.open`, and its limits.

use super::*;

#[tokio::test]
async fn an_open_dialect_shows_all_rooms_but_direct_ones() {
    let server = open_server().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let private = private_room(&ann, "p", "k").await;
    ann.say(private, "hi").await;
    let direct = ann.direct_room(&bob).await;
    for somebody in [server.anybody(), server.anybody().token(&bob.token)] {
        let list = somebody.get("/api/rooms").await.ok(200);
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
        let shown = somebody
            .get(&format!("/api/room?room_id={private}"))
            .await
            .ok(200);
        assert_eq!(
            (&shown["room_name"], &shown["access_key"]),
            (&json!("p"), &Value::Null)
        );
        let people = somebody
            .get(&format!("/api/user_list?room_id={private}"))
            .await
            .ok(200);
        assert_eq!(names(&people), ["ann"]);
        let history = somebody
            .get(&format!("/api/chat_history?room_id={private}"))
            .await
            .ok(200);
        assert_eq!(history[0]["message"], "hi");
    }
    for path in ["room", "user/list", "user_list", "chat_history"] {
        let asking = server.anybody();
        refused(
            asking.get(&format!("/api/{path}?room_id={direct}")),
            404,
            "Room not found",
        )
        .await;
    }
    // A token that is sent must be valid, and a person's own data needs one.
    server
        .anybody()
        .token("rubbish")
        .get("/api/rooms")
        .await
        .ok(422);
    server.anybody().get("/api/user_rooms").await.ok(401);
    let join = json!({ "room_id": private });
    said(
        bob.post("/api/room/join_public", join.clone()),
        "Joined room successfully",
    )
    .await;
    refused(
        bob.post("/api/room/join_public", join.clone()),
        400,
        "User already in room",
    )
    .await;
    server
        .anybody()
        .post("/api/room/join_public", join)
        .await
        .ok(401);
    refused(
        bob.post("/api/room/join_public", json!({"room_id": direct})),
        404,
        "Room not found",
    )
    .await;
}

#[tokio::test]
async fn an_open_dialect_trusts_the_user_name_of_an_event() {
    let server = open_server().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let root = server.admin("root").await;
    let private = ann.private_room("p").await;
    let mut seat = Seat::named(&server, "ann").await.join(private).await;
    seat.say(private, "hi").await;
    assert_eq!(seat.socket.event("new_message").await["user_name"], "ann");
    // Another user name makes the socket another account's and ends its subscriptions.
    seat.name = "bob".to_owned();
    seat.emit("join", json!({ "room_id": private })).await;
    seat.fails(4, "Join failed").await;
    ann.say(private, "not for bob").await;
    let mut seat = seat.join(1).await;
    seat.hears_nothing_of("new_message").await;
    assert_eq!(ann.get("/api/users/online").await.ok(200), json!(["bob"]));
    // Admins and unknown names are refused, and an e-mail address is not a user name.
    bob.patch("me", json!({"email": "bob@example.org"}))
        .await
        .ok(200);
    for name in ["nobody", "root", "bob@example.org"] {
        seat.emit("join", json!({"user_name": name, "room_id": 1}))
            .await;
        seat.fails(4, "Join failed").await;
    }
    // Events of other protocols need a token.
    for event in ["smessage", "join_public", "send_public_message", "nonsense"] {
        seat.socket
            .emit(event, json!({"receiver_id": ann.id, "content": "x"}))
            .await;
        assert_eq!(seat.socket.event("error").await["code"], 0, "{event}");
    }
    // A token that is sent must be valid, and user names must then match it.
    let bad = EventSocket::try_open(server.address, json!({"token": "rubbish"})).await;
    assert!(bad.is_err());
    let mut proven = Seat::of(&root).await;
    proven
        .emit("join", json!({"user_name": "ann", "room_id": private}))
        .await;
    proven.fails(4, "Join failed").await;
}

#[tokio::test]
async fn deleting_an_account_closes_its_sockets_without_a_token() {
    let server = open_server().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let mut seat = Seat::named(&server, "ann").await.join(1).await;
    root.delete(&format!("users/{}", ann.id)).await.done();
    assert!(seat.socket.closed().await);
}

#[tokio::test]
async fn direct_rooms_need_a_token_even_when_the_dialect_is_open() {
    let server = open_server().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let direct = ann.direct_room(&bob).await;
    let mut seat = Seat::named(&server, "bob").await;
    for event in ["join", "message", "leave"] {
        let value = json!({"room_id": direct, "message": "as bob"});
        seat.emit(event, value).await;
        seat.fails(4, "Join failed").await;
    }
    let mut seat = seat.join(1).await;
    ann.say(direct, "for bob alone").await;
    bob.say(1, "for all").await;
    let heard = seat.socket.event("new_message").await;
    assert_eq!(heard["message"], "for all");
    assert_eq!(ann.history(direct).await.len(), 1);
    // With a token, Bob may enter.
    let mut proven = Seat::of(&bob).await.join(direct).await;
    proven.say(direct, "it is me").await;
    proven.socket.event("new_message").await;
}

#[tokio::test]
async fn unidentified_sockets_get_room_list_updated_and_nothing_else() {
    let server = open_server().await;
    let ann = server.user("ann").await;
    let mut socket = EventSocket::try_open(server.address, json!({}))
        .await
        .unwrap();
    // Waits until the connection is established.
    socket.events().await;
    let room = ann.public_room("den").await;
    assert_eq!(socket.event("room_list_updated").await, Value::Null);
    let edit = json!({"room_id": room, "new_name": "fox den"});
    post(&ann, "/api/room/edit", edit).await;
    socket.event("room_list_updated").await;
    ann.say(1, "not for them").await;
    post(&ann, "/api/room/delete", json!({ "room_id": room })).await;
    assert_eq!(
        socket.events().await,
        [("room_list_updated".to_owned(), Value::Null)]
    );
    // A socket that has identified itself gets the event once, as all others do.
    let name = "ann".to_owned();
    let mut seat = Seat { name, socket }.join(1).await;
    ann.public_room("again").await;
    assert_eq!(seat.heard().await, ["room_list_updated"]);
}

#[tokio::test]
async fn a_stopping_server_closes_unidentified_sockets_with_1012() {
    let mut server = open_server().await;
    let mut socket = EventSocket::try_open(server.address, json!({}))
        .await
        .unwrap();
    socket.events().await;
    server.begin_to_stop();
    assert_eq!(socket.close_code().await, 1012);
    server.stop().await;
}
