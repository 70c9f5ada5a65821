//! `realtime`: the public chat and private chats over Socket.IO.

use serde_json::json;

use super::*;

pub const VOICE: Voice = Voice {
    name: "realtime",
    goes_to: |kind| kind != Kind::Room,
    sit: |person, place| Box::pin(sit(person, place)),
    post: Some(|person, place, text| {
        Box::pin(async move {
            let body = json!({"content": text});
            person.post(&messages(&person, &place), body).await.ok(201);
        })
    }),
    history: |person, place| {
        Box::pin(async move {
            let shown = person.get(&messages(&person, &place)).await.ok(200);
            said(&shown["messages"], "username", "content")
        })
    },
    log_in: Some(|client, name| {
        let body = json!({"username": name, "password": PASSWORD});
        Box::pin(async move { log_in(client, "/api/auth/login", body).await })
    }),
    log_out: Some(|client| {
        Box::pin(async move {
            client.post("/api/auth/logout", json!({})).await.ok(200);
        })
    }),
    own_page: "/api/users/auth-user",
    is_read: Some(|_, reader, place| {
        Box::pin(async move {
            let shown = reader.get("/api/chats").await.ok(200);
            let mut chats = shown["chats"].as_array().unwrap().iter();
            let chat = chats.find(|chat| chat["chat_id"] == place.id).unwrap();
            chat["unread_count"] == 0
        })
    }),
};

/// Path of a room's messages.
fn messages(person: &Persona, place: &Place) -> String {
    match place.kind {
        Kind::Direct => format!("/api/messages/private/{}", place.other(person.id)),
        _ => "/api/messages".to_owned(),
    }
}

struct Realtime {
    socket: EventSocket,
    person: Persona,
    place: Place,
}

async fn sit(person: Persona, place: Place) -> Box<dyn Seat> {
    let mut socket = EventSocket::open(person.address, &person.token).await;
    if place.kind == Kind::Direct {
        let value = json!({"other_user_id": place.other(person.id)});
        socket.emit("join_private", value).await;
        assert_eq!(socket.event("joined_private").await["chat_id"], place.id);
    } else {
        socket.emit_bare("join_public").await;
        socket.event("user_joined").await;
    }
    Box::new(Realtime {
        socket,
        person,
        place,
    })
}

impl Realtime {
    /// `public` or `private`, as in the names of events.
    fn scope(&self) -> &'static str {
        match self.place.kind {
            Kind::Direct => "private",
            _ => "public",
        }
    }

    async fn send(&mut self, what: &str, mut value: Value) {
        if self.place.kind == Kind::Direct {
            value["other_user_id"] = self.place.other(self.person.id).into();
        }
        let name = format!("send_{}_{what}", self.scope());
        self.socket.emit(&name, value).await;
    }
}

impl Seat for Realtime {
    fn say(&mut self, text: String) -> On<'_, ()> {
        Box::pin(async move { self.send("message", json!({"content": text})).await })
    }

    fn hear(&mut self) -> On<'_, Said> {
        Box::pin(async move {
            let name = format!("new_{}_message", self.scope());
            let told = self.socket.event(&name).await;
            (word(&told["username"]), word(&told["content"]))
        })
    }

    fn hear_file(&mut self) -> On<'_, String> {
        Box::pin(async move {
            let name = format!("new_{}_file_message", self.scope());
            let file = self.socket.event(&name).await["file"].take();
            format!("{} {}", word(&file["filename"]), word(&file["file_url"]))
        })
    }

    fn closed(mut self: Box<Self>) -> Doing<()> {
        Box::pin(async move { assert!(self.socket.closed().await) })
    }

    fn upload(&mut self, name: &'static str, bytes: &'static str) -> On<'_, bool> {
        Box::pin(async move {
            let form = Form::new().file(name, "application/pdf", bytes);
            let path = "/api/files/upload";
            let file = self.person.form("POST", path, &form).await.ok(201);
            self.send("file", file).await;
            true
        })
    }

    fn mark_read(&mut self) -> On<'_, bool> {
        Box::pin(async move {
            let value = json!({"chat_id": self.place.id});
            self.socket.emit("mark_chat_read", value).await;
            self.socket.event("chat_marked_read").await;
            true
        })
    }

    fn hear_read(&mut self) -> On<'_, bool> {
        Box::pin(async move {
            let receipt = self.socket.event("message_read_receipt").await;
            assert_eq!(receipt["chat_id"], self.place.id);
            true
        })
    }
}
