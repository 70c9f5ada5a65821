//! `/messages/{id}/reactions`, and the JSON of reactions and of quoted messages.

use serde::Serialize;

use crate::dialect::kit::{Answer, Call, StatusCode, json};
use crate::model::{Emoji, Quote, Reaction};

use super::caller;
use super::messages::message_id;
use super::wire::{MessageJson, PersonJson};

#[derive(Serialize)]
pub(super) struct QuoteJson<'a> {
    id: i64,
    sender: PersonJson<'a>,
    content: &'a str,
    deleted: bool,
}

impl<'a> From<&'a Quote> for QuoteJson<'a> {
    fn from(quote: &'a Quote) -> Self {
        Self {
            id: quote.id.0,
            sender: (&*quote.sender).into(),
            content: &quote.head,
            deleted: quote.deleted,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReactionJson<'a> {
    emoji: &'a str,
    count: u32,
    user_ids: Vec<i64>,
}

impl<'a> From<&'a Reaction> for ReactionJson<'a> {
    fn from(reaction: &'a Reaction) -> Self {
        Self {
            emoji: &reaction.emoji,
            count: reaction.count,
            user_ids: reaction.people.iter().map(|id| id.0).collect(),
        }
    }
}

pub(super) async fn add(call: Call) -> Answer {
    react(call, true).await
}

pub(super) async fn remove(call: Call) -> Answer {
    react(call, false).await
}

async fn react(call: Call, on: bool) -> Answer {
    let caller = caller(&call).await?;
    let (id, emoji) = (message_id(&call)?, Emoji::parse(call.param(1))?);
    let message = call.kit.chat.react(&caller, id, emoji, on).await?;
    Ok(json(StatusCode::OK, &MessageJson::from(&*message)))
}
