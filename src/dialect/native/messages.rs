//! `/messages` and `/rooms/{id}/messages`: post, read, edit and delete messages.

use serde::Deserialize;

use crate::chat::PostOutcome;
use crate::dialect::kit::{Answer, Call, Response, StatusCode, json, json_body};
use crate::model::{Content, MessageId, PageRequest};

use super::caller;
use super::rooms::room_id;
use super::wire::{DraftBody, List, MessageJson};

#[derive(Deserialize)]
struct Edit {
    content: String,
}

pub(super) async fn history(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = call.page(50, 200)?;
    let (before, after) = (page.before.map(MessageId), page.after.map(MessageId));
    let page = PageRequest {
        before,
        after,
        limit: page.limit,
        tombstones: true,
    };
    let (messages, more) = call
        .kit
        .chat
        .history(&caller, room_id(&call)?, page)
        .await?;
    let items = messages.iter().map(MessageJson::from).collect();
    Ok(json(StatusCode::OK, &List { items, more }))
}

pub(super) async fn post(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = room_id(&call)?;
    let draft = json_body::<DraftBody>(&mut call).await?.parse()?;
    Ok(posted(&call.kit.chat.post(&caller, room, draft).await?))
}

/// Responds for a message that is on disk: 201, or 200 if its `uuid` had been posted before.
pub(super) fn posted(posted: &PostOutcome) -> Response {
    let status = if posted.new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    json(status, &MessageJson::from(&*posted.message))
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let message = call.kit.chat.message(&caller, message_id(&call)?).await?;
    Ok(json(StatusCode::OK, &MessageJson::from(&message)))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = message_id(&call)?;
    let body: Edit = json_body(&mut call).await?;
    let message = call
        .kit
        .chat
        .edit(&caller, id, Content::beside_files(&body.content)?)
        .await?;
    Ok(json(StatusCode::OK, &MessageJson::from(&*message)))
}

pub(super) async fn delete(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let message = call.kit.chat.delete(&caller, message_id(&call)?).await?;
    Ok(json(StatusCode::OK, &MessageJson::from(&*message)))
}

pub(super) fn message_id(call: &Call) -> Result<MessageId, crate::dialect::kit::Fault> {
    Ok(MessageId(call.id(0, "message")?))
}
