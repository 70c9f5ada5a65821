//! `/rooms`: browsing, joining and creating rooms.

use askama::Template;
use uuid::Uuid;

use crate::chat::{Caller, ChatError, PublicRoom};
use crate::dialect::kit::{Call, StatusCode};
use crate::model::{Key, NewRoom, Room, RoomId, RoomKind, ShownName};

use super::error_text::{Said, explain_chat};
use super::form::Form;
use super::form_fields::{Fields, Input};
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::respond::{Answer, caller, found, page};
use super::views::Face;

/// Rooms per page.
const PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "rooms.html")]
struct RoomsPage {
    shell: Shell,
    rooms: Vec<PublicView>,
    /// Start of the next page, if there is one.
    after: Option<i64>,
    is_guest: bool,
    key: Fields,
}

struct PublicView {
    uuid: Uuid,
    name: String,
    description: String,
    face: Face,
    member_count: u32,
    member: bool,
}

#[derive(Template)]
#[template(path = "new_room.html")]
struct NewRoomPage {
    shell: Shell,
    fields: Fields,
    access_key: Fields,
    private: bool,
}

pub(super) async fn browse(call: Call) -> Answer {
    let me = caller(&call).await?;
    show(&call, &me, &Form::default(), None).await
}

pub(super) async fn join_by_key(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let joined = match Key::parse(form.text("access_key")) {
        Ok(key) => call.kit.chat.join_by_key(&me, key).await,
        Err(invalid) => Err(invalid.into()),
    };
    match joined {
        Ok(room) => Ok(found(&format!("/chat/{}", room.uuid))),
        Err(error) => show(&call, &me, &form, Some(&error)).await,
    }
}

async fn show(call: &Call, me: &Caller, form: &Form, error: Option<&ChatError>) -> Answer {
    let t = i18n::of();
    let after = call.query_number("after", 0, i64::MAX)?.unwrap_or(0);
    let mut rooms = call
        .kit
        .chat
        .public_rooms(me, RoomId(after), PAGE + 1)
        .await?;
    let more = rooms.len() > PAGE as usize;
    rooms.truncate(PAGE as usize);
    let line = Input::new("access_key", t.access_key, 64).hint(t.join_by_key_hint);
    let mut key = Fields::new(vec![line]);
    if let Some(error) = error {
        key = Fields::only(key.into_inputs(), form, None);
        key.say(explain_key(t, error));
    }
    let template = RoomsPage {
        shell: Shell::inside(call, me, t.browse_rooms).await?,
        after: rooms.last().filter(|_| more).map(|public| public.room.id.0),
        rooms: rooms
            .iter()
            .map(|public| PublicView::new(public, me))
            .collect(),
        is_guest: me.role() == crate::model::Role::Guest,
        key,
    };
    page(template.key.status(), call, &template)
}

fn explain_key(t: &'static Texts, error: &ChatError) -> Said {
    let said = explain_chat(t, error);
    match error {
        ChatError::NotFound(_) => Said {
            text: t.no_such_key.to_owned(),
            field: Some("access_key"),
            ..said
        },
        _ => said,
    }
}

impl PublicView {
    fn new(public: &PublicRoom, me: &Caller) -> Self {
        Self {
            uuid: public.room.uuid,
            name: public.room.name.clone(),
            description: public.room.description.clone(),
            face: Face::of_room(&public.room, me.id()),
            member_count: public.member_count,
            member: public.member,
        }
    }
}

pub(super) async fn new(call: Call) -> Answer {
    let me = caller(&call).await?;
    show_new(&call, &me, &Form::default(), None).await
}

pub(super) async fn create(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    match make(&call, &me, &form).await {
        Ok(room) => Ok(found(&format!("/chat/{}", room.uuid))),
        Err(error) => show_new(&call, &me, &form, Some(&error)).await,
    }
}

async fn make(call: &Call, me: &Caller, form: &Form) -> Result<Room, ChatError> {
    let private = form.raw("kind") == "private";
    let new = NewRoom {
        name: ShownName::of_room(form.raw("name"))?,
        description: crate::model::description(form.raw("description"))?,
        kind: if private {
            RoomKind::Private
        } else {
            RoomKind::Public
        },
        access_key: form.optional("access_key", Key::parse)?.filter(|_| private),
    };
    call.kit.chat.create_room(me, new).await
}

async fn show_new(call: &Call, me: &Caller, form: &Form, error: Option<&ChatError>) -> Answer {
    let t = i18n::of();
    let inputs = vec![
        Input::new("name", t.room_name, 64),
        Input::new("description", t.room_description, 500).optional(),
    ];
    let key = Input::new("access_key", t.access_key, 64)
        .optional()
        .hint(t.access_key_hint);
    let is_key = |error: &&ChatError| explain_chat(t, error).field == Some("access_key");
    let template = NewRoomPage {
        shell: Shell::inside(call, me, t.new_room).await?,
        fields: Fields::only(inputs, form, error.filter(|error| !is_key(error))),
        access_key: Fields::only(vec![key], form, error.filter(is_key)),
        private: form.raw("kind") == "private",
    };
    let status = error.map_or(StatusCode::OK, |error| explain_chat(t, error).status);
    page(status, call, &template)
}
