//! `chat_app`: direct chats over Socket.IO.

use serde_json::json;

use super::*;

pub const VOICE: Voice = Voice {
    name: "chat_app",
    goes_to: |kind| kind == Kind::Direct,
    sit: |person, place| Box::pin(sit(person, place)),
    post: None,
    history: |person, place| {
        Box::pin(async move {
            let list = messages(&person, place.other(person.id)).await;
            let list = list.as_array().unwrap().iter();
            list.map(|message| said_by(&place, message)).collect()
        })
    },
    log_in: Some(|client, name| {
        let body = json!({"email": name, "password": PASSWORD});
        Box::pin(async move { log_in(client, "/auth/login", body).await })
    }),
    log_out: None,
    own_page: "/chat/info",
    is_read: Some(|writer, reader, _| {
        Box::pin(async move {
            let list = messages(&writer, reader.id).await;
            let own = |message: &&Value| message["sender_id"] == writer.id;
            let last = list.as_array().unwrap().iter().rfind(own).unwrap();
            last["read_status"] == true
        })
    }),
};

async fn messages(person: &Persona, other: i64) -> Value {
    person.get(&format!("/chat/messages/{other}")).await.ok(200)
}

fn said_by(place: &Place, message: &Value) -> Said {
    let mut people = place.people.iter();
    let sender = people.find(|(id, _)| message["sender_id"] == *id);
    (sender.unwrap().1.clone(), word(&message["content"]))
}

struct ChatApp {
    socket: EventSocket,
    place: Place,
    other: i64,
}

async fn sit(person: Persona, place: Place) -> Box<dyn Seat> {
    let mut socket = EventSocket::open(person.address, &person.token).await;
    socket.event("connection").await;
    // A connection joins a dialect with its first event of that dialect, whatever protocol its token came from.
    socket.emit("mark_message_read", json!({})).await;
    socket.event("error").await;
    let other = place.other(person.id);
    Box::new(ChatApp {
        socket,
        place,
        other,
    })
}

impl Seat for ChatApp {
    fn say(&mut self, text: String) -> On<'_, ()> {
        Box::pin(async move {
            let value = json!({"receiver_id": self.other, "content": text});
            self.socket.emit("smessage", value).await;
            self.socket.event("message_sent").await;
        })
    }

    fn hear(&mut self) -> On<'_, Said> {
        Box::pin(async move { said_by(&self.place, &self.socket.event("receive_message").await) })
    }

    fn hear_file(&mut self) -> On<'_, String> {
        Box::pin(async move { self.hear().await.1 })
    }

    fn closed(mut self: Box<Self>) -> Doing<()> {
        Box::pin(async move { assert!(self.socket.closed().await) })
    }

    fn mark_read(&mut self) -> On<'_, bool> {
        Box::pin(async move {
            let value = json!({"sender_id": self.other});
            self.socket.emit("mark_message_read", value).await;
            true
        })
    }

    fn hear_read(&mut self) -> On<'_, bool> {
        Box::pin(async move {
            loop {
                let told = self.socket.event("read_status_update").await;
                if told["receiver_id"] == self.other {
                    return true;
                }
            }
        })
    }
}
