//! `/chat/{uuid}`: a room's newest messages, and what it takes to go on from there.

use std::collections::{HashMap, HashSet};

use askama::Template;
use serde::Serialize;
use uuid::Uuid;

use crate::chat::files::FILES_MAX;
use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, Fault, StatusCode};
use crate::model::{
    Action, CONTENT_MAX, Membership, MessageId, Person, Role, Room, RoomId, RoomOverview, UserId,
    Verdict, may,
};

use super::answer::{Answer, Stop, caller, page_of};
use super::attached::Look;
use super::markup::Called;
use super::message::{MessageView, is_block};
use super::shell::Shell;
use super::texts::{self, Texts};
use super::view::{Face, PersonView, room_name};
use super::window::{Window, called};

/// Pages with more text are made beside the runtime's threads, bytes: some milliseconds of work.
const QUICK: usize = 16 * 1024;

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
    newer: bool,
    /// Without a script one says oneself what one has read: up to here.
    unread_through: Option<i64>,
    may_send: bool,
    may_upload: bool,
    /// Nobody else is in it, and I may change that.
    is_alone: bool,
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
    /// May call everybody by `@room`.
    calls: bool,
    /// The newest change that the page knows of.
    change: i64,
    /// Whether there are older messages than those on the page, and newer ones.
    more: bool,
    newer: bool,
    /// The message to look at.
    at: Option<i64>,
    /// The newest message that the page knows of.
    latest: i64,
    online: Vec<i64>,
    /// The longest message, characters.
    text_max: usize,
    /// What may be sent; null if nothing.
    files: Option<FilesScript<'a>>,
}

#[derive(Serialize)]
struct FilesScript<'a> {
    max_size: u64,
    max_count: usize,
    types: Option<&'a [String]>,
}

/// All that the page is made of.
struct Scene {
    me: Caller,
    room: Room,
    place: Option<Membership>,
    overviews: Vec<RoomOverview>,
    window: Window,
    called: HashMap<UserId, String>,
    online: Vec<std::sync::Arc<Person>>,
    online_count: u32,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let (room, place) = room_of(&call, &me).await?;
    // Admins manage private rooms that they do not read: for them there is no such page.
    let scene = Scene::load(&call, me, room, place).await?;
    let draft = Uuid::now_v7();
    scene.page(&call, StatusCode::OK, None, draft).await
}

/// The part of the history that was asked for, else where one stopped reading.
async fn window(
    call: &Call,
    me: &Caller,
    room: RoomId,
    overview: Option<&RoomOverview>,
) -> Result<Window, ChatError> {
    let chat = &call.kit.chat;
    let named = |name| call.query_number(name, 1, i64::MAX).ok().flatten();
    if let Some(at) = named("at") {
        return Window::around(chat, me, room, MessageId(at)).await;
    }
    if let Some(end) = named("older") {
        return Window::older(chat, me, room, MessageId(end)).await;
    }
    if let Some(begin) = named("newer") {
        return Window::newer(chat, me, room, MessageId(begin)).await;
    }
    match overview {
        Some(overview) if overview.unread > 0 && call.query_value("newest").is_none() => {
            Window::unread(chat, me, room, overview.place.last_read_id).await
        }
        _ => Window::newest(chat, me, room).await,
    }
}

/// The room that the path names, if the caller may see it.
pub(super) async fn room_of(call: &Call, me: &Caller) -> Result<(Room, Option<Membership>), Stop> {
    let uuid = Uuid::parse_str(call.param(0)).map_err(|_| Fault::NoRoute)?;
    Ok(call.kit.chat.room_by_uuid(me, uuid).await?)
}

/// The page again, with what could not be sent and why.
pub(super) async fn show_again(
    call: &Call,
    me: Caller,
    (room, place): (Room, Option<Membership>),
    unsent: Unsent,
) -> Answer {
    let scene = Scene::load(call, me, room, place).await?;
    let failed = Some((unsent.text, unsent.why));
    scene.page(call, unsent.status, failed, unsent.uuid).await
}

/// A message that could not be sent.
pub(super) struct Unsent {
    pub text: String,
    pub uuid: Uuid,
    pub status: StatusCode,
    pub why: String,
}

impl Scene {
    async fn load(
        call: &Call,
        me: Caller,
        room: Room,
        place: Option<Membership>,
    ) -> Result<Self, ChatError> {
        let chat = &call.kit.chat;
        let overviews = chat.rooms(&me).await?;
        let overview = overviews.iter().find(|one| one.room.id == room.id);
        let window = window(call, &me, room.id, overview).await?;
        let called = called(chat, &window.messages).await?;
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
            window,
            called,
            online,
            online_count,
        })
    }

    /// The page; a long history is rendered beside the runtime's threads.
    async fn page(
        self,
        call: &Call,
        status: StatusCode,
        failed: Option<(String, String)>,
        draft_uuid: Uuid,
    ) -> Answer {
        let t = texts::of();
        let template = self.template(call, t, failed, draft_uuid);
        let (me, length) = (self.me.id(), self.window.length());
        let render = move || {
            let messages = self.messages(t);
            ChatPage {
                messages,
                ..template
            }
            .render()
        };
        let text = match length > QUICK {
            true => call.kit.offload.run(me, render).await?,
            false => render(),
        };
        Ok(page_of(status, call, text?))
    }

    /// All of the page but its messages.
    fn template(
        &self,
        call: &Call,
        t: &'static Texts,
        failed: Option<(String, String)>,
        draft_uuid: Uuid,
    ) -> ChatPage {
        let room = &self.room;
        let name = &*room_name(t, room, self.me.id());
        let script = Some((room.id, self.script(call, name)));
        let mut shell = Shell::with_rooms(call, &self.me, name, &self.overviews, script);
        if call.query_value("at").is_some() && self.window.at.is_none() {
            shell.notice = t.message_missing;
        }
        let (text, error) = failed.unwrap_or_default();
        ChatPage {
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
            messages: Vec::new(),
            blank: MessageView::blank(),
            more: self.window.more,
            newer: self.window.newer,
            unread_through: self.unread_through(),
            may_send: self.may(Action::Send),
            may_upload: self.may_upload(),
            is_alone: self.is_alone(),
            may_join: self.place.is_none() && self.may(Action::Join),
            draft_uuid,
            text,
            error,
        }
    }

    fn script<'a>(&self, call: &'a Call, name: &'a str) -> RoomScript<'a> {
        let window = &self.window;
        let known = window.messages.iter().chain(&window.newest);
        let settings = call.kit.chat.settings();
        RoomScript {
            id: self.room.id.0,
            uuid: self.room.uuid,
            kind: self.room.kind.as_str(),
            name,
            member: self.place.is_some(),
            keeps: self.may(Action::DeleteOthers),
            last_read: self.last_read().0,
            other_read: self.other_read().0,
            calls: self.may(Action::CallRoom),
            change: known.clone().map(|one| one.change_id.0).max().unwrap_or(0),
            more: window.more,
            newer: window.newer,
            at: window.at.map(|id| id.0),
            latest: known.map(|one| one.id.0).max().unwrap_or(0),
            online: self.online.iter().map(|person| person.id.0).collect(),
            text_max: CONTENT_MAX,
            files: self.may_upload().then_some(FilesScript {
                max_size: settings.file_size_max,
                max_count: FILES_MAX,
                types: settings.file_types.as_deref(),
            }),
        }
    }

    fn messages(&self, t: &'static Texts) -> Vec<MessageView> {
        let me = self.me.id();
        let first_unread = self.first_unread();
        let messages = &self.window.messages;
        let before = std::iter::once(None).chain(messages.iter().map(Some));
        let names = |id| {
            let key = self.called.get(&id)?.clone();
            Some(Called {
                key,
                is_me: id == me,
            })
        };
        messages
            .iter()
            .zip(before)
            .map(|(message, before)| MessageView {
                follows: before.is_some_and(|before| is_block(before, message)),
                first_unread: Some(message.id) == first_unread,
                read: message.id <= self.other_read(),
                ..MessageView::new(t, message, me, names)
            })
            .collect()
    }

    /// The first message of somebody else after what I have read, if it is on the page.
    fn first_unread(&self) -> Option<MessageId> {
        let read = self.last_read();
        if self.unread() == 0 || !self.window.follows(read) {
            return None;
        }
        let unread = self.window.messages.iter().find(|message| {
            message.id > read && message.sender.id != self.me.id() && message.deleted_at.is_none()
        });
        unread.map(|message| message.id)
    }

    fn unread_through(&self) -> Option<i64> {
        let last = self.window.messages.last().map(|message| message.id.0);
        last.filter(|last| self.unread() > 0 && *last > self.last_read().0)
    }

    fn unread(&self) -> u32 {
        self.overview().map_or(0, |overview| overview.unread)
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

    /// Guests send no files.
    fn is_alone(&self) -> bool {
        let members = self.overview().map(|overview| overview.member_count);
        members == Some(1) && self.may(Action::Keep)
    }

    fn may_upload(&self) -> bool {
        self.place.is_some() && self.may(Action::Send) && self.me.role() != Role::Guest
    }

    fn may(&self, action: Action) -> bool {
        let place = self.place.map(|place| place.role);
        may(self.me.role(), place, self.room.kind, action) == Verdict::Yes
    }
}

/// The ids of those who are there.
pub(super) fn ids(online: &[std::sync::Arc<Person>]) -> HashSet<i64> {
    online.iter().map(|person| person.id.0).collect()
}
