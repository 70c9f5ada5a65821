//! `/rooms`: list, create, join and edit rooms.

use serde::Deserialize;

use crate::dialect::kit::{Answer, Call, Response, StatusCode, empty, json, json_body};
use crate::model::{
    Invalid, Key, MessageId, NewRoom, Room, RoomEdit, RoomId, RoomKind, ShownName, UserId,
    description,
};

use super::caller;
use super::wire::{List, OverviewJson, PublicRoomJson, RoomJson, nullable};

#[derive(Deserialize)]
struct New {
    name: String,
    kind: Option<String>,
    #[serde(default)]
    description: String,
    access_key: Option<String>,
}

#[derive(Deserialize)]
struct Edit {
    name: Option<String>,
    kind: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    access_key: Option<Option<String>>,
}

#[derive(Deserialize)]
struct Somebody {
    user_id: i64,
}

#[derive(Deserialize)]
struct Entrance {
    access_key: String,
}

#[derive(Deserialize)]
struct Mark {
    message_id: i64,
}

pub(super) async fn mine(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let rooms = call.kit.chat.rooms(&caller).await?;
    let items = rooms.iter().map(OverviewJson::from).collect();
    Ok(json(StatusCode::OK, &List { items, more: false }))
}

pub(super) async fn public(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = call.page(50, 200)?;
    let after = RoomId(page.after.unwrap_or(0));
    let mut rooms = call
        .kit
        .chat
        .public_rooms(&caller, after, page.limit + 1)
        .await?;
    let more = rooms.len() > page.limit as usize;
    rooms.truncate(page.limit as usize);
    let items = rooms.iter().map(PublicRoomJson::from).collect();
    Ok(json(StatusCode::OK, &List { items, more }))
}

pub(super) async fn create(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: New = json_body(&mut call).await?;
    let kind = body
        .kind
        .as_deref()
        .map_or(Ok(RoomKind::Public), parse_kind)?;
    let access_key = parse_key(body.access_key.as_deref())?;
    if access_key.is_some() && kind == RoomKind::Public {
        return Err(Invalid::new("access_key", "is for private rooms").into());
    }
    let new = NewRoom {
        name: ShownName::of_room(&body.name)?,
        description: description(&body.description)?,
        kind,
        access_key,
    };
    let room = call.kit.chat.create_room(&caller, new).await?;
    Ok(shown(StatusCode::CREATED, &room))
}

pub(super) async fn direct(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: Somebody = json_body(&mut call).await?;
    let (room, new) = call
        .kit
        .chat
        .direct_room(&caller, UserId(body.user_id))
        .await?;
    Ok(shown(
        if new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        },
        &room,
    ))
}

pub(super) async fn join_by_key(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: Entrance = json_body(&mut call).await?;
    let room = call
        .kit
        .chat
        .join_by_key(&caller, Key::parse(&body.access_key)?)
        .await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let (room, _) = call.kit.chat.room(&caller, room_id(&call)?).await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = room_id(&call)?;
    let body: Edit = json_body(&mut call).await?;
    let edit = RoomEdit {
        name: body.name.as_deref().map(ShownName::of_room).transpose()?,
        description: body.description.as_deref().map(description).transpose()?,
        kind: body.kind.as_deref().map(parse_kind).transpose()?,
        access_key: body
            .access_key
            .as_ref()
            .map(|key| parse_key(key.as_deref()))
            .transpose()?,
    };
    let room = call.kit.chat.edit_room(&caller, id, edit).await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn delete(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit.chat.delete_room(&caller, room_id(&call)?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn clear(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = call.kit.chat.clear_room(&caller, room_id(&call)?).await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn join(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = call.kit.chat.join(&caller, room_id(&call)?).await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn leave(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit.chat.leave(&caller, room_id(&call)?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn transfer(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = room_id(&call)?;
    let body: Somebody = json_body(&mut call).await?;
    let room = call
        .kit
        .chat
        .transfer(&caller, id, UserId(body.user_id))
        .await?;
    Ok(shown(StatusCode::OK, &room))
}

pub(super) async fn read(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = room_id(&call)?;
    let body: Mark = json_body(&mut call).await?;
    call.kit
        .chat
        .read(&caller, id, MessageId(body.message_id))
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Returns the room id of the path.
pub(super) fn room_id(call: &Call) -> Result<RoomId, crate::dialect::kit::Fault> {
    Ok(RoomId(call.id(0, "room")?))
}

pub(super) fn shown(status: StatusCode, room: &Room) -> Response {
    json(status, &RoomJson::from(room))
}

fn parse_kind(word: &str) -> Result<RoomKind, Invalid> {
    let kind = RoomKind::parse(word).filter(|kind| !kind.is_fixed());
    kind.ok_or(Invalid::new("kind", "must be public or private"))
}

fn parse_key(text: Option<&str>) -> Result<Option<Key>, Invalid> {
    text.filter(|text| !text.is_empty())
        .map(Key::parse)
        .transpose()
}
