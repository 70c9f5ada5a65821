//! `/groups`: all rooms except direct ones, for admins, who manage them without reading messages.

use askama::Template;
use uuid::Uuid;

use crate::chat::{Caller, ChatError, RoomSummary};
use crate::dialect::kit::{Call, StatusCode};
use crate::model::{NewRoom, Room, RoomEdit, RoomId, RoomKind, ShownName, UserId, description};

use super::chat::room_of;
use super::error_text::explain_chat;
use super::flash::Notice;
use super::form::Form;
use super::form_fields::{Fields, Input};
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::respond::{Answer, Stop, admin, done, page};
use super::room_details::not_offered;
use super::views::{Clock, Face, person_name};

/// Rooms per page.
const PAGE: u32 = 100;
/// Maximum number of people offered in the form; more can be added on the room's page.
const PEOPLE: u32 = 500;

#[derive(Template)]
#[template(path = "groups.html")]
struct GroupsPage {
    shell: Shell,
    groups: Vec<GroupView>,
    /// Start of the next page, if there is one.
    after: Option<i64>,
}

/// Room without its messages.
pub(super) struct GroupView {
    pub uuid: Uuid,
    pub name: String,
    pub description: String,
    pub face: Face,
    pub kind: &'static str,
    pub owner: String,
    pub members: u32,
    pub last: Option<Clock>,
    /// Whether it cannot be changed: the lobby.
    pub is_fixed: bool,
}

#[derive(Template)]
#[template(path = "group_form.html")]
struct GroupFormPage {
    shell: Shell,
    fields: Fields,
    /// Uuid and name of each person, and whether they were chosen.
    people: Vec<(Uuid, String, bool)>,
    submit: &'static str,
}

pub(super) async fn list(call: Call) -> Answer {
    let me = admin(&call).await?;
    let t = i18n::of();
    let (groups, after) = rooms(&call, &me).await?;
    let template = GroupsPage {
        shell: Shell::inside(&call, &me, t.groups).await?,
        groups,
        after,
    };
    page(StatusCode::OK, &call, &template)
}

/// Returns a page of all rooms, and the start of the next page.
pub(super) async fn rooms(call: &Call, me: &Caller) -> Result<(Vec<GroupView>, Option<i64>), Stop> {
    let t = i18n::of();
    let after = call.query_number("after", 0, i64::MAX)?.unwrap_or(0);
    let chat = &call.kit.chat;
    let mut rooms = chat.all_rooms(me, RoomId(after), PAGE + 1).await?;
    let more = rooms.len() > PAGE as usize;
    rooms.truncate(PAGE as usize);
    let after = rooms.last().filter(|_| more).map(|last| last.room.id.0);
    let view = |standing| GroupView::new(t, me, standing);
    Ok((rooms.iter().map(view).collect(), after))
}

impl GroupView {
    fn new(t: &'static Texts, me: &Caller, standing: &RoomSummary) -> Self {
        let room = &standing.room;
        let owner = standing.owner.as_ref();
        Self {
            uuid: room.uuid,
            name: room.name.clone(),
            description: room.description.clone(),
            face: Face::of_room(room, me.id()),
            kind: t.kind_tag(room.kind),
            owner: owner.map_or(String::new(), |owner| person_name(t, owner).into_owned()),
            members: standing.members,
            last: standing.last_at.map(Clock::new),
            is_fixed: room.kind.is_fixed(),
        }
    }
}

pub(super) async fn new(call: Call) -> Answer {
    let me = admin(&call).await?;
    show_new(&call, &me, &Form::default(), None).await
}

pub(super) async fn create(mut call: Call) -> Answer {
    admin(&call).await?;
    let (me, form) = Form::of_caller(&mut call).await?;
    match make(&call, &me, &form).await {
        Ok(()) => Ok(done("/groups", Notice::RoomMade)),
        Err(error) => show_new(&call, &me, &form, Some(&error)).await,
    }
}

async fn make(call: &Call, me: &Caller, form: &Form) -> Result<(), ChatError> {
    let chat = &call.kit.chat;
    let new = NewRoom {
        name: ShownName::of_room(form.raw("conv_name")).map_err(of_form)?,
        description: description(form.raw("conv_description")).map_err(of_form)?,
        kind: RoomKind::Private,
        access_key: None,
    };
    let mut members = Vec::new();
    for uuid in form.all("initial_members") {
        let uuid = Uuid::parse_str(uuid).map_err(|_| not_offered("initial_members"))?;
        match chat.user_by_uuid(uuid).await {
            Ok(user) => members.push(user.id()),
            Err(ChatError::NotFound(_)) => return Err(not_offered("initial_members").into()),
            Err(error) => return Err(error),
        }
    }
    let room = chat.create_room(me, new).await?;
    members.sort_unstable();
    members.dedup();
    for member in members.into_iter().filter(|member| *member != me.id()) {
        chat.add_member(me, room.id, member).await?;
    }
    Ok(())
}

/// Renames fields: the form uses other names for a room's fields.
fn of_form(invalid: crate::model::Invalid) -> ChatError {
    let field = match invalid.field {
        "name" => "conv_name",
        _ => "conv_description",
    };
    crate::model::Invalid { field, ..invalid }.into()
}

async fn show_new(call: &Call, me: &Caller, form: &Form, error: Option<&ChatError>) -> Answer {
    let t = i18n::of();
    let inputs = vec![
        Input::new("conv_name", t.room_name, 64),
        Input::new("conv_description", t.room_description, 500)
            .kind("textarea")
            .optional(),
    ];
    let users = call.kit.chat.users("", UserId(0), PEOPLE).await?;
    let chosen: Vec<_> = form.all("initial_members").collect();
    let is_chosen = |uuid: Uuid| chosen.contains(&uuid.to_string().as_str());
    let others = users.iter().filter(|user| user.id() != me.id());
    let template = GroupFormPage {
        shell: Shell::inside(call, me, t.new_group).await?,
        fields: Fields::only(inputs, form, error),
        people: others
            .map(|user| (user.person.uuid, person_name(t, &user.person).into_owned()))
            .map(|(uuid, name)| (uuid, name, is_chosen(uuid)))
            .collect(),
        submit: t.create_room,
    };
    page(template.fields.status(), call, &template)
}

pub(super) async fn show(call: Call) -> Answer {
    let me = admin(&call).await?;
    let room = group_of(&call, &me).await?;
    show_edit(&call, &me, &room, &Form::default(), None).await
}

pub(super) async fn edit(mut call: Call) -> Answer {
    admin(&call).await?;
    let (me, form) = Form::of_caller(&mut call).await?;
    let room = group_of(&call, &me).await?;
    let edited = match edit_of(&form) {
        Ok(edit) => call.kit.chat.edit_room(&me, room.id, edit).await,
        Err(invalid) => Err(invalid.into()),
    };
    match edited {
        Ok(_) => Ok(done("/groups", Notice::Saved)),
        Err(error) => show_edit(&call, &me, &room, &form, Some(&error)).await,
    }
}

fn edit_of(form: &Form) -> Result<RoomEdit, crate::model::Invalid> {
    Ok(RoomEdit {
        name: Some(ShownName::of_room(form.raw("name"))?),
        description: Some(description(form.raw("description"))?),
        ..RoomEdit::default()
    })
}

async fn show_edit(
    call: &Call,
    me: &Caller,
    room: &Room,
    form: &Form,
    error: Option<&ChatError>,
) -> Answer {
    let t = i18n::of();
    let inputs = vec![
        Input::new("name", t.room_name, 64).value(&room.name),
        Input::new("description", t.room_description, 500)
            .kind("textarea")
            .optional()
            .value(&room.description),
    ];
    let template = GroupFormPage {
        shell: Shell::inside(call, me, &room.name).await?,
        fields: Fields::only(inputs, form, error),
        people: Vec::new(),
        submit: t.save,
    };
    let status = error.map_or(StatusCode::OK, |error| explain_chat(t, error).status);
    page(status, call, &template)
}

pub(super) async fn delete(mut call: Call) -> Answer {
    admin(&call).await?;
    let (me, _) = Form::of_caller(&mut call).await?;
    let room = group_of(&call, &me).await?;
    call.kit.chat.delete_room(&me, room.id).await?;
    Ok(done("/groups", Notice::RoomDeleted))
}

/// Returns the room in the path. The lobby and direct rooms cannot be changed, so they are not found.
async fn group_of(call: &Call, me: &Caller) -> Result<Room, Stop> {
    let (room, _) = room_of(call, me).await?;
    match room.kind.is_fixed() {
        true => Err(ChatError::NotFound("room").into()),
        false => Ok(room),
    }
}
