//! `/chat`: contacts and direct messages.

use serde::Serialize;

use crate::chat::{Caller, Reader};
use crate::dialect::kit::{Answer, Call, Fault, Response, StatusCode, json};
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
    by_role(&call, Role::Admin).await
}

pub(super) async fn users(call: Call) -> Answer {
    let Some(caller) = lister(&call)
        .await?
        .filter(|caller| caller.role() != Role::Admin)
    else {
        return by_role(&call, Role::User).await;
    };
    let rooms = call.kit.chat.rooms(&caller).await?;
    let mut partners: Vec<&Person> = rooms
        .iter()
        .flat_map(|overview| &overview.room.people)
        .map(|person| &**person)
        .filter(|person| person.id != caller.id() && person.role == Role::User && !person.deleted)
        .collect();
    partners.sort_by_key(|person| person.id);
    partners.dedup_by_key(|person| person.id);
    let (after, limit) = call.people_page()?;
    let page = partners.into_iter().filter(|person| person.id > after);
    Ok(contacts(page.take(limit as usize)))
}

/// Authenticates a request for a list. No token is needed from the local network if the dialect is open.
async fn lister(call: &Call) -> Result<Option<Caller>, Fault> {
    match call.kit.is_open(NAME) {
        true => call.caller_or_local().await,
        false => call.caller().await.map(Some),
    }
}

async fn by_role(call: &Call, role: Role) -> Answer {
    let (after, limit) = call.people_page()?;
    let users = call.kit.chat.users_of_role(role, after, limit).await?;
    Ok(contacts(users.iter().map(|user| &*user.person)))
}

fn contacts<'a>(people: impl Iterator<Item = &'a Person>) -> Response {
    let list: Vec<_> = people
        .map(|person| ContactJson {
            id: person.id.0,
            name: &person.display_name,
            role: person.role.as_str(),
        })
        .collect();
    json(StatusCode::OK, &list)
}

pub(super) async fn info(call: Call) -> Answer {
    let caller = call.caller().await?;
    let user = caller.user();
    let email = user.private(caller.viewer()).email;
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
    let other = UserId(call.id(0, "user")?);
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

/// Converts a message, with its receiver and whether they have read it.
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
