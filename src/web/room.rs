//! `/conversations/{uuid}`: what a room is, who is in it, and the way out.

use askama::Template;
use uuid::Uuid;

use crate::chat::Caller;
use crate::dialect::kit::{Call, Fault, StatusCode};
use crate::model::{Action, Member, Membership, Room, RoomKind, UserId, Verdict, may};

use super::answer::{Answer, Stop, caller, found, page};
use super::chat::{ids, room_of};
use super::form::Form;
use super::shell::Shell;
use super::texts;
use super::view::{Face, MemberView, room_name};

/// So many members stand on one page.
const PAGE: u32 = 200;

#[derive(Template)]
#[template(path = "room.html")]
struct RoomPage {
    shell: Shell,
    uuid: Uuid,
    name: String,
    description: String,
    face: Face,
    kind_text: &'static str,
    access_key: String,
    members: Vec<MemberView>,
    /// Where the next members are, if there are more.
    after: Option<i64>,
    may_read: bool,
    may_join: bool,
    may_leave: bool,
    is_owner: bool,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let (room, place) = room_of(&call, &me).await?;
    let after = call.query_number("after", 0, i64::MAX)?.unwrap_or(0);
    let chat = &call.kit.chat;
    let mut members = chat.members(&me, room.id, UserId(after), PAGE + 1).await?;
    let more = members.len() > PAGE as usize;
    members.truncate(PAGE as usize);
    let online = ids(&chat.online(&me, room.id).await?.0);
    let t = texts::of();
    let name = room_name(t, &room, me.id()).to_owned();
    let may_do = |action| allowed(&me, place, &room, action);
    let template = RoomPage {
        shell: Shell::inside(&call, &me, &name).await?,
        uuid: room.uuid,
        description: room.description.clone(),
        face: Face::of_room(&room, me.id()),
        kind_text: t.room_kind(room.kind),
        access_key: room
            .access_key
            .as_ref()
            .map_or(String::new(), |key| key.as_str().to_owned()),
        after: members
            .last()
            .filter(|_| more)
            .map(|member| member.person.id.0),
        members: members
            .iter()
            .map(|member| MemberView {
                may_kick: may_kick(&me, place, &room, member),
                ..MemberView::new(t, member, &me, online.contains(&member.person.id.0))
            })
            .collect(),
        may_read: may_do(Action::Read),
        may_join: place.is_none() && may_do(Action::Join),
        may_leave: place.is_some() && !room.kind.is_fixed() && room.owner_id != Some(me.id()),
        is_owner: room.owner_id == Some(me.id()),
        name,
    };
    page(StatusCode::OK, &call, &template)
}

pub(super) async fn join(mut call: Call) -> Answer {
    let (me, _) = Form::of_caller(&mut call).await?;
    let (room, place) = room_of(&call, &me).await?;
    if place.is_none() {
        call.kit.chat.join(&me, room.id).await?;
    }
    Ok(found(&format!("/chat/{}", room.uuid)))
}

pub(super) async fn leave(mut call: Call) -> Answer {
    let (me, _) = Form::of_caller(&mut call).await?;
    let (room, _) = room_of(&call, &me).await?;
    call.kit.chat.leave(&me, room.id).await?;
    Ok(found("/conversations?note=left"))
}

pub(super) async fn kick(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let (room, _) = room_of(&call, &me).await?;
    let user = user_id(&form)?;
    call.kit.chat.remove_member(&me, room.id, user).await?;
    Ok(found(&format!("/conversations/{}?note=kicked", room.uuid)))
}

fn user_id(form: &Form) -> Result<UserId, Stop> {
    let id = form.raw("user").parse().map_err(|_| Fault::NoRoute)?;
    Ok(UserId(id))
}

fn allowed(me: &Caller, place: Option<Membership>, room: &Room, action: Action) -> bool {
    may(me.role(), place.map(|place| place.role), room.kind, action) == Verdict::Yes
}

/// Whether to offer it; the core has the last word.
fn may_kick(me: &Caller, place: Option<Membership>, room: &Room, member: &Member) -> bool {
    let lower = place.is_none_or(|place| member.place.role < place.role)
        || me.role() == crate::model::Role::Admin;
    room.kind != RoomKind::Direct
        && member.person.id != me.id()
        && room.owner_id != Some(member.person.id)
        && lower
        && allowed(me, place, room, Action::Keep)
}
