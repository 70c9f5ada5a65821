//! `/messages/private`: messages between two people. A private chat is a direct room.

use crate::chat::Reader;
use crate::dialect::kit::{Call, StatusCode, json, json_body};
use crate::model::{MessageId, UserId};

use super::Answer;
use super::error::Refusal;
use super::messages::{DELETED, Messages, NOT_OWN, Words};
use super::wire::PrivateJson;

const INVALID: Refusal = Refusal::missing("Invalid chat or message");
pub(super) const ONESELF: Refusal = Refusal::bad("Cannot send message to yourself");

pub(super) async fn list(call: Call) -> Answer {
    let caller = call.caller().await?;
    let (other, page) = (UserId(call.id(0, "user")?), call.history_page()?);
    let chat = &call.kit.chat;
    let messages = match chat.find_direct_room(&caller, other).await? {
        Some(room) => chat.history(&caller, room.id, page).await?.0,
        None => Vec::new(),
    };
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let list = Messages::new(&messages, |message| PrivateJson::new(message, reader));
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn post(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let other = UserId(call.id(0, "user")?);
    if other == caller.id() {
        return Err(ONESELF);
    }
    let draft = json_body::<Words>(&mut call).await?.parse()?;
    let (room, _) = call.kit.chat.direct_room(&caller, other).await?;
    let posted = call.kit.chat.post(&caller, room.id, draft).await?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let message = PrivateJson::new(&posted.message, reader);
    Ok(json(StatusCode::CREATED, &message))
}

pub(super) async fn delete(call: Call) -> Answer {
    let caller = call.caller().await?;
    let other = call.id(0, "user").map(UserId).map_err(|_| INVALID)?;
    let id = MessageId(call.id(1, "message")?);
    let chat = &call.kit.chat;
    let message = chat.message(&caller, id).await?;
    let room = chat.find_direct_room(&caller, other).await?;
    if room.is_none_or(|room| room.id != message.room_id) {
        return Err(INVALID);
    }
    if message.deleted_at.is_some() {
        return Err(Refusal::missing("Message not found"));
    }
    if message.sender.id != caller.id() {
        return Err(NOT_OWN);
    }
    chat.delete(&caller, id).await?;
    Ok(json(StatusCode::OK, &DELETED))
}
