//! `team`: all rooms over a raw WebSocket.

use serde_json::json;

use super::*;

pub const VOICE: Voice = Voice {
    name: "team",
    goes_to: |_| true,
    sit: |person, place| Box::pin(sit(person, place)),
    post: None,
    history: |person, place| {
        Box::pin(async move {
            let path = format!("/api/conversation/{}/messages", uuid(&person, &place).await);
            let list = person.get(&path).await.ok(200)["messages"].take();
            let mut all = Vec::new();
            for message in list.as_array().unwrap() {
                all.push((
                    name_of(&person, &place, &message["sender_id"]).await,
                    word(&message["content"]),
                ));
            }
            all
        })
    },
    log_in: Some(|client, name| {
        let body = json!({"email": name, "password": PASSWORD});
        Box::pin(async move { log_in(client, "/auth/token", body).await })
    }),
    log_out: None,
    own_page: "/auth/check",
    is_read: None,
};

/// Returns the username of a person; histories identify people by uuid only.
async fn name_of(reader: &Persona, place: &Place, uuid: &Value) -> String {
    for (id, name) in &place.people {
        if reader.get(&format!("users/{id}")).await.ok(200)["uuid"] == *uuid {
            return name.clone();
        }
    }
    panic!("nobody has the uuid {uuid}")
}

/// Returns the uuid of the room, which this protocol uses as its id.
async fn uuid(person: &Persona, place: &Place) -> String {
    let room = person.get(&format!("rooms/{}", place.id)).await.ok(200);
    word(&room["uuid"])
}

struct Team {
    socket: RawSocket,
    conversation: String,
}

async fn sit(person: Persona, place: Place) -> Box<dyn Seat> {
    let mut socket = RawSocket::open(person.address, &format!("/?token={}", person.token)).await;
    let conversation = uuid(&person, &place).await;
    socket
        .send(json!({"messageType": "IdMessage", "convId": conversation}))
        .await;
    // Frames are handled in order: the error for this invalid frame shows that the subscription is active.
    socket.send(json!({})).await;
    assert_eq!(socket.next().await["messageType"], "ErrorMessage");
    Box::new(Team {
        socket,
        conversation,
    })
}

impl Seat for Team {
    fn say(&mut self, text: String) -> On<'_, ()> {
        let meta = json!({"conversationId": self.conversation});
        let payload = json!({"content": text, "displayName": "whoever"});
        let frame = json!({"messageType": "ChatMessage", "payload": payload, "meta": meta});
        Box::pin(self.socket.send(frame))
    }

    fn hear(&mut self) -> On<'_, Said> {
        Box::pin(async move {
            let told = self.socket.next().await;
            assert_eq!(told["meta"]["conversationId"], self.conversation);
            let payload = &told["payload"];
            (word(&payload["displayName"]), word(&payload["content"]))
        })
    }

    fn hear_file(&mut self) -> On<'_, String> {
        Box::pin(async move { self.hear().await.1 })
    }

    fn closed(mut self: Box<Self>) -> Doing<()> {
        Box::pin(async move { assert_eq!(self.socket.closed().await.0, 4001) })
    }
}
