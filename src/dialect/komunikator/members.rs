//! Room membership: join, leave, list members, kick.

use std::sync::Arc;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, StatusCode, json};
use crate::model::{Key, Person, RoomId, UserId, name_key};

use super::NAME;
use super::access::{Viewer, name_of};
use super::error::{Answer, NO_ROOM, Refusal};
use super::params::{Params, queried_room};
use super::wire::{OwnRoomJson, PlaceJson, done, is_private};

const JOINED: &str = "Joined room successfully";
const NO_KEY: Refusal = Refusal::missing("Missing access_key parameter");
const NOBODY_TO_KICK: Refusal = Refusal::missing("Missing user_name or room_id parameter");
const NOT_HIMSELF: Refusal = Refusal::missing("The owner cannot be kicked");
const NOT_OWNER: Refusal = Refusal::Said(StatusCode::NOT_FOUND, "User not owner of room");
const NOT_THERE: Refusal = Refusal::Said(StatusCode::NOT_FOUND, "User not in room");

pub(super) async fn join_public(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    let (chat, room) = (&call.kit.chat, params.room_id()?);
    let joined = if call.is_open(NAME) {
        chat.join_open(&caller, room).await
    } else {
        chat.join(&caller, room).await
    };
    match joined {
        Ok(_) => Ok(done(JOINED)),
        // The room is private, which only its members may learn.
        Err(ChatError::Forbidden) if is_member(&call, &caller, room).await? => {
            Err(ChatError::AlreadyMember.into())
        }
        Err(ChatError::Forbidden) => Err(NO_ROOM),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn join_private(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    let key = Key::parse(params.text("access_key")?.ok_or(NO_KEY)?)?;
    call.kit.chat.join_by_key(&caller, key).await?;
    Ok(done(JOINED))
}

pub(super) async fn leave(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    call.kit.chat.leave(&caller, params.room_id()?).await?;
    Ok(done("Left room successfully"))
}

pub(super) async fn mine(call: Call) -> Answer {
    let caller = call.caller().await?;
    let rooms = call.kit.chat.rooms(&caller).await?;
    let rooms = rooms.iter().map(|overview| &overview.room);
    let owners = call.kit.chat.owners(rooms.clone()).await?;
    let list: Vec<_> = rooms
        .map(|room| {
            let owner = room.owner_id.and_then(|id| owners.get(&id));
            OwnRoomJson {
                user_name: &caller.person().username,
                room_id: room.id.0,
                room_name: name_of(room, caller.id()),
                room_owner: owner.map(|owner| owner.username.as_str()),
                is_private: is_private(room),
            }
        })
        .collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn list(call: Call) -> Answer {
    let viewer = Viewer::of(&call).await?;
    let room = queried_room(&call)?;
    let members = viewer.members(room, call.people_page()?).await?;
    let list: Vec<_> = members
        .iter()
        .map(|member| PlaceJson {
            user_name: &member.person.username,
            room_id: room.0,
        })
        .collect();
    Ok(json(StatusCode::OK, &list))
}

/// Kicks a member. In this dialect only the owner may, although other protocols allow it to moderators and admins.
pub(super) async fn kick(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    let room = params.room_id()?;
    let name = params.text("user_to_kick")?.ok_or(NOBODY_TO_KICK)?;
    if !owns(&call, &caller, room).await? {
        return Err(NOT_OWNER);
    }
    let person = member_called(&call, &caller, room, name).await?;
    if person.id == caller.id() {
        return Err(NOT_HIMSELF);
    }
    match call.kit.chat.remove_member(&caller, room, person.id).await {
        Ok(()) => Ok(done("User kicked successfully")),
        Err(ChatError::Owner) => Err(NOT_HIMSELF),
        Err(error) => Err(error.into()),
    }
}

async fn is_member(call: &Call, caller: &Caller, room: RoomId) -> Result<bool, ChatError> {
    Ok(call.kit.chat.room(caller, room).await?.1.is_some())
}

async fn owns(call: &Call, caller: &Caller, room: RoomId) -> Result<bool, ChatError> {
    match call.kit.chat.room(caller, room).await {
        Ok((room, _)) => Ok(room.owner_id == Some(caller.id())),
        Err(ChatError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn member_called(
    call: &Call,
    caller: &Caller,
    room: RoomId,
    name: &str,
) -> Result<Arc<Person>, Refusal> {
    let chat = &call.kit.chat;
    let members = chat.members(caller, room, UserId(0), u32::MAX).await?;
    let key = name_key(name);
    let found = members
        .into_iter()
        .find(|member| name_key(&member.person.username) == key);
    found.map(|member| member.person).ok_or(NOT_THERE)
}
