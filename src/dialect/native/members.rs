//! `/rooms/{id}/members`: members of a room and their roles.

use serde::Deserialize;

use crate::chat::MemberEdit;
use crate::dialect::kit::{Answer, Call, StatusCode, empty, json, json_body};
use crate::model::{Invalid, MemberRole, Millis, UserId};

use super::caller;
use super::rooms::room_id;
use super::wire::{List, MemberJson, nullable, parse_time};

#[derive(Deserialize)]
struct New {
    user_id: i64,
}

#[derive(Deserialize)]
struct Edit {
    role: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    muted_until: Option<Option<String>>,
}

pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = call.page(50, 200)?;
    let after = UserId(page.after.unwrap_or(0));
    let mut members = call
        .kit
        .chat
        .members(&caller, room_id(&call)?, after, page.limit + 1)
        .await?;
    let more = members.len() > page.limit as usize;
    members.truncate(page.limit as usize);
    let items = members.iter().map(MemberJson::from).collect();
    Ok(json(StatusCode::OK, &List { items, more }))
}

pub(super) async fn add(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = room_id(&call)?;
    let body: New = json_body(&mut call).await?;
    let member = call
        .kit
        .chat
        .add_member(&caller, room, UserId(body.user_id))
        .await?;
    Ok(json(StatusCode::CREATED, &MemberJson::from(&member)))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let (room, user) = (room_id(&call)?, UserId(call.id(1, "user")?));
    let body: Edit = json_body(&mut call).await?;
    let mute = |until: &Option<String>| {
        until
            .as_deref()
            .map_or(Ok(Millis(0)), |text| parse_time("muted_until", text))
    };
    let edit = MemberEdit {
        role: body.role.as_deref().map(parse_role).transpose()?,
        muted_until: body.muted_until.as_ref().map(mute).transpose()?,
    };
    let member = call.kit.chat.edit_member(&caller, room, user, edit).await?;
    Ok(json(StatusCode::OK, &MemberJson::from(&member)))
}

pub(super) async fn remove(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit
        .chat
        .remove_member(&caller, room_id(&call)?, UserId(call.id(1, "user")?))
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn parse_role(word: &str) -> Result<MemberRole, Invalid> {
    let role = MemberRole::parse(word).filter(|role| *role != MemberRole::Owner);
    role.ok_or(Invalid::new("role", "must be member or moderator"))
}
