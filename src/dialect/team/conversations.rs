//! `/user/{uuid}/conversations`, `/conversation/{uuid}` and its messages.

use serde::Serialize;
use uuid::Uuid;

use crate::chat::{Caller, ChatError, Reader};
use crate::dialect::kit::{Answer, Call, Fault, StatusCode, json};
use crate::model::{Role, Room, UserId};

use super::wire::{ConversationJson, MembershipJson, MessageJson};

#[derive(Serialize)]
struct Conversations<'a> {
    conversations: Vec<MembershipJson<'a>>,
}

#[derive(Serialize)]
struct Messages<T> {
    messages: T,
}

pub(super) async fn of_user(call: Call) -> Answer {
    let caller = call.caller().await?;
    let chat = &call.kit.chat;
    let person = match uuid(&call) {
        Ok(own) if own == caller.person().uuid => caller.person().clone(),
        _ if caller.role() != Role::Admin => return Err(ChatError::Forbidden.into()),
        Ok(other) => chat.user_by_uuid(other).await?.person,
        Err(_) => return Err(ChatError::NotFound("user").into()),
    };
    let rooms = chat.rooms_of(&caller, person.id).await?;
    let mut owners = Vec::new();
    for overview in &rooms {
        owners.push(owner_uuid(&call, &caller, &overview.room).await?);
    }
    let conversations = rooms
        .iter()
        .zip(owners)
        .map(|(overview, owner)| MembershipJson::new(overview, person.uuid, owner))
        .collect();
    Ok(json(StatusCode::OK, &Conversations { conversations }))
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = call.caller().await?;
    let (room, _) = call.kit.chat.room_by_uuid(&caller, uuid(&call)?).await?;
    let owner = owner_uuid(&call, &caller, &room).await?;
    Ok(json(
        StatusCode::OK,
        &Messages {
            messages: ConversationJson::new(&room, caller.id(), owner),
        },
    ))
}

pub(super) async fn messages(call: Call) -> Answer {
    let caller = call.caller().await?;
    let (room, _) = call.kit.chat.room_by_uuid(&caller, uuid(&call)?).await?;
    let (messages, _) = call
        .kit
        .chat
        .history(&caller, room.id, call.history_page()?)
        .await?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let messages: Vec<_> = messages
        .iter()
        .filter(|message| message.deleted_at.is_none())
        .map(|message| MessageJson::new(message, reader))
        .collect();
    Ok(json(StatusCode::OK, &Messages { messages }))
}

/// Parses the id. An id that is not a uuid does not exist, so it is answered with "not found".
fn uuid(call: &Call) -> Result<Uuid, Fault> {
    Uuid::parse_str(call.param(0)).map_err(|_| ChatError::NotFound("conversation").into())
}

async fn owner_uuid(call: &Call, caller: &Caller, room: &Room) -> Result<Option<Uuid>, ChatError> {
    let Some(owner) = room.owner_id else {
        return Ok(None);
    };
    if owner == caller.id() {
        return Ok(Some(caller.person().uuid));
    }
    uuid_of(call, owner).await
}

async fn uuid_of(call: &Call, user: UserId) -> Result<Option<Uuid>, ChatError> {
    match call.kit.chat.user(user).await {
        Ok(user) => Ok(Some(user.person.uuid)),
        Err(ChatError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
