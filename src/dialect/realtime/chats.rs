//! `/chats`: list the caller's private chats, and mark one as read.

use serde::Serialize;

use crate::chat::{Caller, Chat, Reader};
use crate::dialect::kit::{Call, StatusCode, json};
use crate::model::{MessageId, RoomId, RoomKind};

use super::Answer;
use super::error::Refusal;
use super::wire::{ChatJson, Said};

#[derive(Serialize)]
struct Chats<'a> {
    chats: Vec<ChatJson<'a>>,
}

pub(super) async fn list(call: Call) -> Answer {
    let caller = call.caller().await?;
    let mut rooms = call.kit.chat.rooms(&caller).await?;
    // Chats with the newest message first.
    rooms.sort_by_key(|overview| {
        let last = overview.last_message.as_ref();
        std::cmp::Reverse(last.map_or(MessageId(0), |message| message.id))
    });
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let chats = rooms
        .iter()
        .filter_map(|overview| ChatJson::new(overview, reader))
        .collect();
    Ok(json(StatusCode::OK, &Chats { chats }))
}

pub(super) async fn read(call: Call) -> Answer {
    let caller = call.caller().await?;
    mark_read(&call.kit.chat, &caller, RoomId(call.id(0, "room")?)).await?;
    let message = "Chat marked as read";
    Ok(json(StatusCode::OK, &Said { message }))
}

/// Marks all messages in one of the caller's private chats as read.
pub(super) async fn mark_read(chat: &Chat, caller: &Caller, id: RoomId) -> Result<(), Refusal> {
    if !is_own(chat, caller, id).await? {
        return Err(Refusal::missing("Chat not found"));
    }
    Ok(chat.read(caller, id, MessageId(i64::MAX)).await?)
}

/// Whether the room is one of the caller's private chats.
pub(super) async fn is_own(chat: &Chat, caller: &Caller, id: RoomId) -> Result<bool, Refusal> {
    match chat.room(caller, id).await {
        Ok((room, place)) => Ok(room.kind == RoomKind::Direct && place.is_some()),
        Err(crate::chat::ChatError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
