//! `/messages`: the public chat, which is the lobby.

use serde::{Deserialize, Serialize};

use crate::chat::Reader;
use crate::dialect::kit::{Call, StatusCode, json, json_body};
use crate::model::{Content, Draft, Message, MessageId, RoomId};

use super::Answer;
use super::error::Refusal;
use super::wire::{PublicJson, Said};

/// Body of a new message.
#[derive(Deserialize)]
pub(super) struct Words {
    content: Option<String>,
}

impl Words {
    pub(super) fn parse(&self) -> Result<Draft, Refusal> {
        let content = self.content.as_deref().unwrap_or_default();
        Ok(Draft::new(Content::parse(content)?))
    }
}

#[derive(Serialize)]
pub(super) struct Messages<T> {
    messages: Vec<T>,
}

impl<T> Messages<T> {
    /// Serializes with `json` those messages that have not been deleted.
    pub(super) fn new<'a>(messages: &'a [Message], json: impl Fn(&'a Message) -> T) -> Self {
        let left = messages
            .iter()
            .filter(|message| message.deleted_at.is_none());
        Self {
            messages: left.map(json).collect(),
        }
    }
}

pub(super) const DELETED: Said = Said {
    message: "Message deleted",
};
pub(super) const NOT_OWN: Refusal = Refusal::forbidden("You can only delete your own messages");

pub(super) async fn list(call: Call) -> Answer {
    let caller = call.caller().await?;
    let page = call.history_page()?;
    let (messages, _) = call.kit.chat.history(&caller, RoomId::LOBBY, page).await?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let list = Messages::new(&messages, |message| PublicJson::new(message, reader));
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn post(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let draft = json_body::<Words>(&mut call).await?.parse()?;
    let posted = call.kit.chat.post(&caller, RoomId::LOBBY, draft).await?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let message = PublicJson::new(&posted.message, reader);
    Ok(json(StatusCode::CREATED, &message))
}

pub(super) async fn delete(call: Call) -> Answer {
    let caller = call.caller().await?;
    let id = MessageId(call.id(0, "message")?);
    let message = call.kit.chat.message(&caller, id).await?;
    if message.room_id != RoomId::LOBBY || message.deleted_at.is_some() {
        return Err(Refusal::missing("Message not found"));
    }
    if message.sender.id != caller.id() {
        return Err(NOT_OWN);
    }
    call.kit.chat.delete(&caller, id).await?;
    Ok(json(StatusCode::OK, &DELETED))
}
