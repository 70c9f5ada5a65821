//! The lobby over a plain WebSocket.

use std::sync::Arc;

use serde::Deserialize;

use crate::chat::{Caller, ChatError, Frames};
use crate::dialect::kit::websocket_session::{FRAME_MAX, Heard, converse, handshake_caller};
use crate::dialect::kit::{Answer, Call, Fault, SharedKit, Slot, text_of};
use crate::model::{Content, Draft, Event, Millis, RoomId};
use crate::transport::upgrade::Upgrade;
use crate::transport::websocket::WebSocket;

use super::encode::{LOBBY, add};
use super::wire::{ChatJson, micros};

/// A message from a client. Sender and time are set by the server.
#[derive(Deserialize)]
struct Said {
    content: String,
    mtype: String,
}

pub(super) async fn messages(call: Call) -> Answer {
    open(call, serve)
}

/// Opens a WebSocket. Without a valid token it is closed with 1008 after the handshake, as clients expect.
pub(super) fn open<F>(
    mut call: Call,
    serve: impl FnOnce(SharedKit, WebSocket, Caller) -> F + Send + 'static,
) -> Answer
where
    F: Future<Output = ()> + Send,
{
    let upgrade = Upgrade::check(&call.headers, call.on_upgrade.take()).map_err(Fault::Upgrade)?;
    let response = upgrade.response();
    tokio::spawn(async move {
        let Ok(socket) = upgrade.open(FRAME_MAX).await else {
            return;
        };
        match handshake_caller(&call).await {
            Ok(Some(caller)) => serve(call.kit, socket, caller).await,
            _ => socket.close(1008, "Unauthorised").await,
        }
    });
    Ok(response)
}

async fn serve(kit: SharedKit, socket: WebSocket, caller: Caller) {
    let chat = &kit.chat;
    // Rate-limited, because others are notified when a client connects or disconnects.
    if chat.count_passage(&caller).is_err() {
        return socket.close(1008, "Too many connections").await;
    }
    let opening = chat.connect(&caller, Some(LOBBY), Arc::default(), "");
    let connection = match opening.await {
        Ok(connection) => connection,
        Err(ChatError::Limited(_)) => return socket.close(1008, "Too many connections").await,
        Err(_) => return socket.close(1013, "Try again later").await,
    };
    if chat.watch(&connection, LOBBY, RoomId::LOBBY).await.is_ok() {
        let person = caller.person().clone();
        chat.announce(
            RoomId::LOBBY,
            LOBBY,
            Event::Entered {
                room: RoomId::LOBBY,
                person: person.clone(),
            },
        );
        let hear = |text: &str, slot| hear(&kit, &caller, text, slot);
        converse(socket, connection.outbox().clone(), None, hear).await;
        chat.announce(
            RoomId::LOBBY,
            LOBBY,
            Event::Exited {
                room: RoomId::LOBBY,
                person,
            },
        );
    }
    chat.disconnect(&connection).await;
}

fn hear(kit: &SharedKit, caller: &Caller, text: &str, slot: Slot) -> Heard {
    let said = serde_json::from_str::<Said>(text)
        .ok()
        .filter(|said| said.mtype == "message");
    let Some(said) = said else {
        warn(&slot, caller, "The frame is no message");
        return Heard::Nonsense;
    };
    let content = match Content::parse(&said.content) {
        Ok(content) => content,
        Err(invalid) => {
            warn(&slot, caller, &invalid.to_string());
            return Heard::Done;
        }
    };
    let (chat, caller, owner) = (kit.chat.clone(), caller.clone(), caller.clone());
    let reply = Box::new(move |posted: Result<_, _>| {
        if let Err(error) = posted {
            warn(&slot, &owner, &text_of(&Fault::Chat(error)));
        }
    });
    Heard::Doing(Box::pin(async move {
        let draft = Draft::new(content);
        chat.post_then(&caller, RoomId::LOBBY, draft, reply).await;
    }))
}

/// Sends a warning to a client whose frame was refused.
pub(super) fn warn(slot: &Slot, caller: &Caller, content: &str) {
    let (user_id, timestamp) = (caller.person().username.as_str(), micros(Millis::now()));
    let mut frames = Frames::default();
    add(
        &mut frames,
        &ChatJson {
            user_id,
            content: content.into(),
            timestamp,
            mtype: "warning",
            is_mine: false,
        },
    );
    slot.push(frames.seal());
}
