//! Notifications over a plain WebSocket. They are live only, as clients of this protocol expect.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::websocket_session::{Heard, converse};
use crate::dialect::kit::{Answer, Call, Fault, SharedKit, Slot, text_of};
use crate::model::{Note, RoomId};
use crate::transport::websocket::WebSocket;

use super::encode::NOTIFICATIONS;
use super::ws::{open, warn};

/// Notification that a client creates for its own user.
#[derive(Deserialize)]
struct Noted {
    content: Box<RawValue>,
    r#type: String,
}

pub(super) async fn listen(call: Call) -> Answer {
    open(call, serve)
}

async fn serve(kit: SharedKit, socket: WebSocket, caller: Caller) {
    let chat = &kit.chat;
    let opening = chat.connect(&caller, Some(NOTIFICATIONS), Arc::default(), "");
    let connection = match opening.await {
        Ok(connection) => connection,
        Err(ChatError::Limited(_)) => return socket.close(1008, "Too many connections").await,
        Err(_) => return socket.close(1013, "Try again later").await,
    };
    // These sockets receive the lobby's uploads, but none of its other events.
    let watching = chat.watch(&connection, NOTIFICATIONS, RoomId::LOBBY).await;
    if watching.is_ok() {
        let hear = |text: &str, slot| hear(&kit, &caller, text, slot);
        converse(socket, connection.outbox().clone(), None, hear).await;
    }
    chat.disconnect(&connection).await;
}

fn hear(kit: &SharedKit, caller: &Caller, text: &str, slot: Slot) -> Heard {
    let Some(noted) = serde_json::from_str::<Noted>(text).ok() else {
        warn(&slot, caller, "The frame is no notification");
        return Heard::Nonsense;
    };
    let (kit, caller) = (kit.clone(), caller.clone());
    Heard::Doing(Box::pin(async move {
        if !slot.alone().await {
            return;
        }
        let note = Note::parse(&noted.r#type, noted.content.get().to_owned());
        let done = match note {
            Ok(note) => kit.chat.note(&caller, note).await.map(drop),
            Err(invalid) => Err(invalid.into()),
        };
        if let Err(error) = done {
            warn(&slot, &caller, &text_of(&Fault::Chat(error)));
        }
    }))
}
