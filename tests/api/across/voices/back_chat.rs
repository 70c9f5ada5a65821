//! `back_chat`: the lobby over a WebSocket.

use serde_json::json;

use super::*;

pub const VOICE: Voice = Voice {
    name: "back_chat",
    goes_to: |kind| kind == Kind::Lobby,
    sit: |person, _| Box::pin(sit(person)),
    post: None,
    history: |person, _| {
        Box::pin(async move {
            let list = person.get("/v1/messages").await.ok(200);
            said(&list, "user_id", "content")
        })
    },
    log_in: None,
    log_out: None,
    own_page: "/v1/messages",
    is_read: None,
};

struct BackChat {
    socket: RawSocket,
    person: Persona,
}

async fn sit(person: Persona) -> Box<dyn Seat> {
    let path = format!("/ws/messages?token={}", person.token);
    let mut socket = RawSocket::open(person.address, &path).await;
    assert_eq!(socket.next().await["mtype"], "connect");
    Box::new(BackChat { socket, person })
}

impl Seat for BackChat {
    fn say(&mut self, text: String) -> On<'_, ()> {
        let frame =
            json!({"user_id": "null", "content": text, "timestamp": "", "mtype": "message"});
        Box::pin(self.socket.send(frame))
    }

    fn hear(&mut self) -> On<'_, Said> {
        Box::pin(async move {
            loop {
                let told = self.socket.next().await;
                if told["mtype"] == "message" {
                    assert_eq!(told["isMine"], told["user_id"] == self.person.name);
                    return (word(&told["user_id"]), word(&told["content"]));
                }
            }
        })
    }

    fn hear_file(&mut self) -> On<'_, String> {
        Box::pin(async move {
            loop {
                let told = self.socket.text().await;
                if let Some(name) = told.strip_prefix("File attached: ") {
                    return name.to_owned();
                }
            }
        })
    }

    fn closed(mut self: Box<Self>) -> Doing<()> {
        Box::pin(async move { assert_eq!(self.socket.closed().await.0, 4001) })
    }

    fn upload(&mut self, name: &'static str, bytes: &'static str) -> On<'_, bool> {
        Box::pin(async move {
            let form = Form::new().file_in("files", name, "text/plain", bytes);
            let sent = self.person.form("POST", "/v1/upload-files/", &form);
            sent.await.ok(200);
            true
        })
    }
}
