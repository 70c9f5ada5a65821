//! Rooms: list, show, create, edit, delete, and their history.

use crate::chat::{Caller, ChatError, Reader};
use crate::dialect::kit::{Call, StatusCode, json};
use crate::model::{
    Action, Key, NewRoom, Room, RoomEdit, RoomId, RoomKind, ShownName, Verdict, may,
};

use super::access::Viewer;
use super::error::{Answer, NO_ROOM, Refusal};
use super::params::{Params, queried_room};
use super::wire::{Created, PastJson, RoomJson, done};

const NO_NAME: Refusal = Refusal::missing("Missing room_name or room_owner parameter");
const EMPTY_NAME: Refusal = Refusal::missing("Room name cannot be empty");
const NO_KEY: Refusal = Refusal::missing("Missing access_key parameter");
const NO_NEW_KEY: Refusal = Refusal::missing("Missing new_access_key parameter for private room");
const NOT_OWNER: Refusal =
    Refusal::Said(StatusCode::FORBIDDEN, "You are not the owner of this room");

pub(super) async fn list(call: Call) -> Answer {
    Viewer::of(&call).await?;
    let rooms = call.kit.chat.listed_rooms().await?;
    let owners = call.kit.chat.owners(rooms.iter()).await?;
    let list: Vec<_> = rooms
        .iter()
        .map(|room| {
            let owner = room.owner_id.and_then(|id| owners.get(&id));
            RoomJson::new(room, &room.name, owner.map(|owner| &**owner))
        })
        .collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn show(call: Call) -> Answer {
    let viewer = Viewer::of(&call).await?;
    let (room, name) = viewer.room(queried_room(&call)?).await?;
    let owners = call.kit.chat.owners([&room].into_iter()).await?;
    let owner = owners.values().next().map(|owner| &**owner);
    Ok(json(StatusCode::OK, &RoomJson::new(&room, &name, owner)))
}

pub(super) async fn create(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    let name = ShownName::of_room(params.text("room_name")?.ok_or(NO_NAME)?)?;
    let (kind, access_key) = if params.flag("is_private")?.unwrap_or(false) {
        let key = params.text("access_key")?.ok_or(NO_KEY)?;
        (RoomKind::Private, Some(Key::parse(key)?))
    } else {
        (RoomKind::Public, None)
    };
    let new = NewRoom {
        name,
        description: String::new(),
        kind,
        access_key,
    };
    let room = call.kit.chat.create_room(&caller, new).await?;
    let (message, room_id) = ("Room created successfully", room.id.0);
    Ok(json(StatusCode::OK, &Created { message, room_id }))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    let id = params.room_id()?;
    let room = managed(&call, &caller, id).await?;
    let edit = parse_edit(&params, &room)?;
    match call.kit.chat.edit_room(&caller, id, edit).await {
        Ok(_) => Ok(done("Room edited successfully")),
        Err(ChatError::Forbidden) => Err(NOT_OWNER),
        Err(error) => Err(error.into()),
    }
}

/// Returns the room if the caller may edit it.
async fn managed(call: &Call, caller: &Caller, id: RoomId) -> Result<Room, Refusal> {
    let (room, place) = call.kit.chat.room(caller, id).await?;
    let place = place.map(|place| place.role);
    match may(caller.role(), place, room.kind, Action::Manage) {
        Verdict::Yes => Ok(room),
        Verdict::Forbidden => Err(NOT_OWNER),
        Verdict::Hidden | Verdict::Muted => Err(NO_ROOM),
    }
}

/// Parses an edit. Absent fields remain unchanged; a key is used only for private rooms.
fn parse_edit(params: &Params, room: &Room) -> Result<RoomEdit, Refusal> {
    let name = match params.text("new_name")? {
        Some(name) if !name.trim().is_empty() => Some(ShownName::of_room(name)?),
        None if !params.has("new_name") => None,
        _ => return Err(EMPTY_NAME),
    };
    let kind = params.flag("is_private")?.map(|private| match private {
        true => RoomKind::Private,
        false => RoomKind::Public,
    });
    let key = params
        .text("new_access_key")?
        .filter(|key| !key.trim().is_empty())
        .filter(|_| kind.unwrap_or(room.kind) == RoomKind::Private);
    if room.kind == RoomKind::Public && kind == Some(RoomKind::Private) && key.is_none() {
        return Err(NO_NEW_KEY);
    }
    let access_key = key.map(Key::parse).transpose()?.map(Some);
    Ok(RoomEdit {
        name,
        kind,
        access_key,
        ..RoomEdit::default()
    })
}

pub(super) async fn delete(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    match call.kit.chat.delete_room(&caller, params.room_id()?).await {
        Ok(()) => Ok(done("Room deleted successfully")),
        Err(ChatError::Forbidden) => Err(NO_ROOM),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn history(call: Call) -> Answer {
    let viewer = Viewer::of(&call).await?;
    let room = queried_room(&call)?;
    let messages = viewer.history(room, call.history_page()?).await?;
    let (id, base) = (viewer.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let list: Vec<_> = messages
        .iter()
        .map(|message| PastJson::new(message, reader))
        .collect();
    Ok(json(StatusCode::OK, &list))
}
