//! `/chat/{uuid}`: a room's newest messages, and what it takes to go on from there.

use std::collections::HashSet;

use askama::Template;
use serde::Serialize;
use uuid::Uuid;

use crate::chat::{Caller, Chat, ChatError};
use crate::dialect::kit::{Call, Fault, StatusCode};
use crate::model::{
    Action, Content, Draft, Membership, Message, MessageId, PageRequest, Person, Room, RoomId,
    RoomOverview, Verdict, may,
};

use super::answer::{Answer, Stop, caller, found, page};
use super::explain::explain_chat;
use super::form::Form;
use super::shell::Shell;
use super::texts;
use super::view::{Face, MessageView, PersonView, is_block, room_name};

/// So many messages are on the page at first.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "chat.html")]
struct ChatPage {
    shell: Shell,
    uuid: Uuid,
    name: String,
    description: String,
    face: Face,
    kind: &'static str,
    member_count: u32,
    online_count: u32,
    online: Vec<PersonView>,
    blank_person: PersonView,
    messages: Vec<MessageView>,
    blank: MessageView,
    more: bool,
    may_send: bool,
    may_join: bool,
    draft_uuid: Uuid,
    text: String,
    error: String,
}

/// What the page's script has to know of the room.
#[derive(Serialize)]
struct RoomScript<'a> {
    id: i64,
    uuid: Uuid,
    kind: &'static str,
    name: &'a str,
    member: bool,
    /// May delete what others wrote.
    keeps: bool,
    last_read: i64,
    other_read: i64,
    /// The newest change among the messages on the page.
    change: i64,
    more: bool,
    /// The message that was asked for by `?at=`: the page shows what is around it.
    at: Option<i64>,
    /// Whether there are newer messages than those on the page.
    newer: bool,
    online: Vec<i64>,
}

/// All that the page is made of.
struct Scene {
    me: Caller,
    room: Room,
    place: Option<Membership>,
    overviews: Vec<RoomOverview>,
    history: History,
    online: Vec<std::sync::Arc<Person>>,
    online_count: u32,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let (room, place) = room_of(&call, &me).await?;
    let uuid = room.uuid;
    match Scene::load(&call, me, room, place).await {
        Ok(scene) => scene.page(&call, StatusCode::OK, None, Uuid::now_v7()),
        // Admins manage rooms that they do not read.
        Err(ChatError::NotFound(_)) => Ok(found(&format!("/conversations/{uuid}"))),
        Err(error) => Err(error.into()),
    }
}

/// Sends a message without any script.
pub(super) async fn send(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let (room, place) = room_of(&call, &me).await?;
    // Made with the page: sending the same form twice makes one message.
    let uuid = form.raw("uuid").parse().unwrap_or_else(|_| Uuid::now_v7());
    let text = form.raw("content").to_owned();
    let sent = match Content::parse(&text) {
        Ok(content) => {
            let draft = Draft {
                uuid,
                ..Draft::new(content)
            };
            call.kit.chat.post(&me, room.id, draft).await
        }
        Err(invalid) => Err(invalid.into()),
    };
    match sent {
        Ok(_) => Ok(found(&format!("/chat/{}", room.uuid))),
        Err(error) => {
            let said = explain_chat(texts::of(), &error);
            let scene = Scene::load(&call, me, room, place).await?;
            scene.page(&call, said.status, Some((text, said.text)), uuid)
        }
    }
}

/// The room that the path names, if the caller may see it.
pub(super) async fn room_of(call: &Call, me: &Caller) -> Result<(Room, Option<Membership>), Stop> {
    let uuid = Uuid::parse_str(call.param(0)).map_err(|_| Fault::NoRoute)?;
    Ok(call.kit.chat.room_by_uuid(me, uuid).await?)
}

impl Scene {
    async fn load(
        call: &Call,
        me: Caller,
        room: Room,
        place: Option<Membership>,
    ) -> Result<Self, ChatError> {
        let chat = &call.kit.chat;
        let at = call.query_number("at", 1, i64::MAX - 1).ok().flatten();
        let overviews = chat.rooms(&me).await?;
        let history = History::load(chat, &me, room.id, at).await?;
        let (mut online, mut online_count) = chat.online(&me, room.id).await?;
        // By the time they see it, they are.
        if place.is_some() && online.iter().all(|person| person.id != me.id()) {
            online.push(me.person().clone());
            online_count = online_count.max(1);
        }
        Ok(Self {
            me,
            room,
            place,
            overviews,
            history,
            online,
            online_count,
        })
    }

    fn page(
        &self,
        call: &Call,
        status: StatusCode,
        failed: Option<(String, String)>,
        draft_uuid: Uuid,
    ) -> Answer {
        let t = texts::of();
        let room = &self.room;
        let name = room_name(t, room, self.me.id());
        let script = Some((room.id, self.script(name)));
        let shell = Shell::with_rooms(call, &self.me, name, &self.overviews, script);
        let (text, error) = failed.unwrap_or_default();
        let template = ChatPage {
            shell,
            uuid: room.uuid,
            name: name.to_owned(),
            description: room.description.clone(),
            face: Face::of_room(room, self.me.id()),
            kind: room.kind.as_str(),
            member_count: self.overview().map_or(0, |overview| overview.member_count),
            online_count: self.online_count,
            online: self
                .online
                .iter()
                .map(|person| PersonView::new(t, person, true))
                .collect(),
            blank_person: PersonView::blank(),
            messages: self.messages(),
            blank: MessageView::blank(),
            more: self.history.more,
            may_send: self.may(Action::Send),
            may_join: self.place.is_none() && self.may(Action::Join),
            draft_uuid,
            text,
            error,
        };
        page(status, call, &template)
    }

    fn script<'a>(&self, name: &'a str) -> RoomScript<'a> {
        let changes = self
            .history
            .messages
            .iter()
            .map(|message| message.change_id.0);
        RoomScript {
            id: self.room.id.0,
            uuid: self.room.uuid,
            kind: self.room.kind.as_str(),
            name,
            member: self.place.is_some(),
            keeps: self.may(Action::DeleteOthers),
            last_read: self.last_read().0,
            other_read: self.other_read().0,
            change: changes.max().unwrap_or(0),
            more: self.history.more,
            at: self.history.at,
            newer: self.history.newer,
            online: self.online.iter().map(|person| person.id.0).collect(),
        }
    }

    fn messages(&self) -> Vec<MessageView> {
        let me = self.me.id();
        let first_unread = self.first_unread();
        let before = std::iter::once(None).chain(self.history.messages.iter().map(Some));
        self.history
            .messages
            .iter()
            .zip(before)
            .map(|(message, before)| MessageView {
                follows: before.is_some_and(|before| is_block(before, message)),
                first_unread: Some(message.id) == first_unread,
                read: message.id <= self.other_read(),
                ..MessageView::new(texts::of(), message, me)
            })
            .collect()
    }

    /// The first message of somebody else after what I have read, if there is anything unread.
    fn first_unread(&self) -> Option<MessageId> {
        self.overview().filter(|overview| overview.unread > 0)?;
        let unread = self.history.messages.iter().find(|message| {
            message.id > self.last_read()
                && message.sender.id != self.me.id()
                && message.deleted_at.is_none()
        });
        unread.map(|message| message.id)
    }

    fn overview(&self) -> Option<&RoomOverview> {
        self.overviews
            .iter()
            .find(|overview| overview.room.id == self.room.id)
    }

    fn last_read(&self) -> MessageId {
        self.place.map_or(MessageId(0), |place| place.last_read_id)
    }

    fn other_read(&self) -> MessageId {
        self.overview()
            .map_or(MessageId(0), |overview| overview.other_read_id)
    }

    fn may(&self, action: Action) -> bool {
        let place = self.place.map(|place| place.role);
        may(self.me.role(), place, self.room.kind, action) == Verdict::Yes
    }
}

/// The part of a room's history that is on the page.
struct History {
    messages: Vec<Message>,
    more: bool,
    at: Option<i64>,
    newer: bool,
}

impl History {
    /// The newest messages, or those around one.
    async fn load(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        at: Option<i64>,
    ) -> Result<Self, ChatError> {
        let request = |before: Option<i64>, after: Option<i64>, limit| PageRequest {
            before: before.map(MessageId),
            after: after.map(MessageId),
            limit,
            tombstones: true,
        };
        let Some(id) = at else {
            let (messages, more) = chat.history(me, room, request(None, None, PAGE)).await?;
            return Ok(Self {
                messages,
                more,
                at,
                newer: false,
            });
        };
        let until = request(Some(id + 1), None, PAGE / 2);
        let from = request(None, Some(id), PAGE / 2);
        let (mut messages, more) = chat.history(me, room, until).await?;
        let (later, newer) = chat.history(me, room, from).await?;
        messages.extend(later);
        Ok(Self {
            messages,
            more,
            at,
            newer,
        })
    }
}

/// The ids of those who are there.
pub(super) fn ids(online: &[std::sync::Arc<Person>]) -> HashSet<i64> {
    online.iter().map(|person| person.id.0).collect()
}
