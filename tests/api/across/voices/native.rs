//! The native protocol.

use serde_json::json;

use super::*;

pub const VOICE: Voice = Voice {
    name: "native",
    goes_to: |_| true,
    sit: |person, place| Box::pin(sit(person, place)),
    post: Some(|person, place, text| {
        Box::pin(async move {
            person.say(place.id, &text).await;
        })
    }),
    history: |person, place| {
        Box::pin(async move {
            let list = person.history(place.id).await;
            let left = list
                .iter()
                .filter(|message| message["deleted_at"].is_null());
            left.map(said_by).collect()
        })
    },
    log_in: Some(|client, name| {
        let body = json!({"username": name, "password": PASSWORD});
        Box::pin(async move { log_in(client, "auth/login", body).await })
    }),
    log_out: Some(|client| {
        Box::pin(async move { client.post("auth/logout", json!({})).await.done() })
    }),
    own_page: "/api/v1/me",
    is_read: Some(|writer, _, place| {
        Box::pin(async move {
            let overview = writer.overview(place.id).await.unwrap();
            overview["other_read_id"] == overview["last_message"]["id"]
        })
    }),
};

struct Native {
    socket: Socket,
    person: Persona,
    place: Place,
}

async fn sit(person: Persona, place: Place) -> Box<dyn Seat> {
    let socket = person.watch(place.id).await;
    Box::new(Native {
        socket,
        person,
        place,
    })
}

fn said_by(message: &Value) -> Said {
    (
        word(&message["sender"]["username"]),
        word(&message["content"]),
    )
}

impl Seat for Native {
    fn say(&mut self, text: String) -> On<'_, ()> {
        Box::pin(async move {
            let uuid = uuid::Uuid::now_v7();
            let op = json!({"op": "send", "room": self.place.id, "uuid": uuid, "content": text});
            self.socket.ok(op).await;
        })
    }

    fn hear(&mut self) -> On<'_, Said> {
        Box::pin(async move { said_by(&self.socket.event("message").await["message"]) })
    }

    fn hear_file(&mut self) -> On<'_, String> {
        Box::pin(async move {
            let told = self.socket.event("message").await;
            let file = only_file(&told["message"]);
            format!("{} {}", word(&file["name"]), url(&file))
        })
    }

    fn closed(mut self: Box<Self>) -> Doing<()> {
        Box::pin(async move { assert_eq!(self.socket.closed().await, 4001) })
    }

    fn upload(&mut self, name: &'static str, bytes: &'static str) -> On<'_, bool> {
        Box::pin(async move {
            let sent = self.person.upload(self.place.id, name, "text/plain", bytes);
            sent.await.ok(201);
            true
        })
    }

    fn mark_read(&mut self) -> On<'_, bool> {
        Box::pin(async move {
            let last = self.person.overview(self.place.id).await.unwrap();
            let body = json!({"message_id": last["last_message"]["id"]});
            let path = format!("rooms/{}/read", self.place.id);
            self.person.post(&path, body).await.done();
            true
        })
    }

    fn hear_read(&mut self) -> On<'_, bool> {
        Box::pin(async move {
            let other = self.place.other(self.person.id);
            let by_other = |frame: &Value| frame["event"] == "read" && frame["user_id"] == other;
            self.socket.wait("read", by_other).await;
            true
        })
    }
}
