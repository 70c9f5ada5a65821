//! `komunikator`: all rooms over Socket.IO.

use serde_json::json;

use super::*;

pub const VOICE: Voice = Voice {
    name: "komunikator",
    goes_to: |_| true,
    sit: |person, place| Box::pin(sit(person, place)),
    post: None,
    history: |person, place| {
        Box::pin(async move {
            let path = format!("/api/chat_history?room_id={}", place.id);
            said(&person.get(&path).await.ok(200), "user_name", "message")
        })
    },
    log_in: Some(|client, name| {
        let body = json!({"user_name": name, "password": PASSWORD});
        Box::pin(async move { log_in(client, "/api/login", body).await })
    }),
    log_out: None,
    own_page: "/api/user/get_info",
    is_read: None,
};

struct Komunikator {
    socket: EventSocket,
    name: String,
    room: i64,
}

async fn sit(person: Persona, place: Place) -> Box<dyn Seat> {
    let mut socket = EventSocket::open(person.address, &person.token).await;
    let (name, room) = (person.name, place.id);
    let join = json!({"room_id": room, "user_name": name});
    socket.emit("join", join).await;
    socket.event("user_joined").await;
    Box::new(Komunikator { socket, name, room })
}

impl Seat for Komunikator {
    fn say(&mut self, text: String) -> On<'_, ()> {
        let value = json!({"room_id": self.room, "user_name": self.name, "message": text});
        Box::pin(self.socket.emit("message", value))
    }

    fn hear(&mut self) -> On<'_, Said> {
        Box::pin(async move {
            let told = self.socket.event("new_message").await;
            assert_eq!(told["room_id"], self.room);
            (word(&told["user_name"]), word(&told["message"]))
        })
    }

    fn hear_file(&mut self) -> On<'_, String> {
        Box::pin(async move { self.hear().await.1 })
    }

    fn closed(mut self: Box<Self>) -> Doing<()> {
        Box::pin(async move { assert!(self.socket.closed().await) })
    }
}
