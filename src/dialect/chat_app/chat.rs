//! `/chat`: whom one can write to, and what was written.

use serde::Serialize;

use crate::chat::{Caller, Reader};
use crate::dialect::kit::{Answer, Call, Fault, StatusCode, json};
use crate::model::{Person, Role, RoomOverview, UserId};

use super::NAME;
use super::wire::{ContactJson, MessageJson};

#[derive(Serialize)]
struct InfoJson<'a> {
    id: i64,
    name: &'a str,
    email: Option<&'a str>,
    role: &'static str,
}

pub(super) async fn admins(call: Call) -> Answer {
    lister(&call).await?;
    contacts(&call, Role::Admin, |_| true).await
}

pub(super) async fn users(call: Call) -> Answer {
    let Some(caller) = lister(&call)
        .await?
        .filter(|caller| caller.role() != Role::Admin)
    else {
        return contacts(&call, Role::User, |_| true).await;
    };
    let rooms = call.kit.chat.rooms(&caller).await?;
    let partners: Vec<UserId> = rooms
        .iter()
        .flat_map(|overview| &overview.room.people)
        .map(|person| person.id)
        .collect();
    contacts(&call, Role::User, |person| {
        person.id != caller.id() && partners.contains(&person.id)
    })
    .await
}

/// Who asks for a list; nobody need be known where an operator has switched proof off.
async fn lister(call: &Call) -> Result<Option<Caller>, Fault> {
    if call.kit.is_open(NAME) {
        call.optional_caller().await
    } else {
        call.caller().await.map(Some)
    }
}

async fn contacts(call: &Call, role: Role, which: impl Fn(&Person) -> bool) -> Answer {
    let users = call.kit.chat.users_of_role(role).await?;
    let chosen = users
        .iter()
        .map(|user| &*user.person)
        .filter(|person| which(person));
    let list: Vec<_> = chosen
        .map(|person| ContactJson {
            id: person.id.0,
            name: &person.display_name,
            role: person.role.as_str(),
        })
        .collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn info(call: Call) -> Answer {
    let caller = call.caller().await?;
    let user = caller.user();
    let email = user
        .email
        .as_deref()
        .filter(|_| caller.role() != Role::Guest);
    let name = &user.person.display_name;
    Ok(json(
        StatusCode::OK,
        &InfoJson {
            id: caller.id().0,
            name,
            email,
            role: caller.role().as_str(),
        },
    ))
}

pub(super) async fn messages(call: Call) -> Answer {
    let caller = call.caller().await?;
    let other = UserId(call.id(0)?);
    let page = call.history_page()?;
    let Some(room) = call.kit.chat.find_direct_room(&caller, other).await? else {
        return Ok(json(StatusCode::OK, &[(); 0]));
    };
    let overview = call.kit.chat.overview(&caller, room.id).await?;
    let (messages, _) = call.kit.chat.history(&caller, room.id, page).await?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let list: Vec<_> = messages
        .iter()
        .filter(|message| message.deleted_at.is_none())
        .filter_map(|message| shown(message, std::slice::from_ref(&overview), reader))
        .collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn loaded(call: Call) -> Answer {
    let caller = call.caller().await?;
    let rooms = call.kit.chat.rooms(&caller).await?;
    let messages = call
        .kit
        .chat
        .direct_history(&caller, call.history_page()?)
        .await?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let list: Vec<_> = messages
        .iter()
        .filter_map(|message| shown(message, &rooms, reader))
        .collect();
    Ok(json(StatusCode::OK, &list))
}

/// A message with its receiver, and whether they have read it.
fn shown<'a>(
    message: &'a crate::model::Message,
    rooms: &[RoomOverview],
    reader: Reader<'_>,
) -> Option<MessageJson<'a>> {
    let overview = rooms
        .iter()
        .find(|overview| overview.room.id == message.room_id)?;
    let receiver = overview.room.other(message.sender.id)?.id;
    Some(MessageJson::new(
        message,
        receiver,
        message.id <= overview.read_by(receiver),
        reader,
    ))
}
