//! `/chat/{uuid}`: the newest messages of a room, and the data with which the page's script continues.

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

use super::file_view::Look;
use super::history_page::{Window, called};
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::markdown::Called;
use super::message_view::{MessageView, is_block};
use super::respond::{Answer, Stop, caller, page_of};
use super::views::{Face, PersonView, room_name};

/// Pages with more bytes of text are rendered outside the async runtime: that takes some milliseconds.
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
    /// Last message of the page, if unread. Without a script the reader marks messages read with a form.
    unread_through: Option<i64>,
    may_send: bool,
    may_upload: bool,
    /// Whether the reader is the only member and may add others.
    is_alone: bool,
    may_join: bool,
    draft_uuid: Uuid,
    text: String,
    error: String,
}

/// Data about the room for the page's script.
#[derive(Serialize)]
struct RoomScript<'a> {
    id: i64,
    uuid: Uuid,
    kind: &'static str,
    name: &'a str,
    member: bool,
    /// Whether the reader may delete messages of others.
    keeps: bool,
    last_read: i64,
    other_read: i64,
    /// Whether the reader may mention everybody with `@room`.
    calls: bool,
    /// Newest change id on the page.
    change: i64,
    /// Whether there are messages older, and newer, than those on the page.
    more: bool,
    newer: bool,
    /// Message to scroll to.
    at: Option<i64>,
    /// Id of the newest message.
    latest: i64,
    online: Vec<i64>,
    /// Maximum length of a message, characters.
    text_max: usize,
    /// Limits of uploads; null if the reader may not upload.
    files: Option<FilesScript<'a>>,
}

#[derive(Serialize)]
struct FilesScript<'a> {
    max_size: u64,
    max_count: usize,
    types: Option<&'a [String]>,
}

/// Data from which the page is rendered.
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
    // Admins manage private rooms that they do not read; loading such a room fails.
    let scene = Scene::load(&call, me, room, place).await?;
    let draft = Uuid::now_v7();
    scene.page(&call, StatusCode::OK, None, draft).await
}

/// Loads the page of history that the query asks for; by default around the read cursor, or the newest.
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

/// Returns the room in the path and the caller's membership, if the caller may see the room.
pub(super) async fn room_of(call: &Call, me: &Caller) -> Result<(Room, Option<Membership>), Stop> {
    let uuid = Uuid::parse_str(call.param(0)).map_err(|_| Fault::NoRoute)?;
    Ok(call.kit.chat.room_by_uuid(me, uuid).await?)
}

/// Renders the page again with a message that could not be sent, and the reason.
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
        // The caller will be connected when the page is shown.
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

    /// Renders the page; a long history is rendered outside the async runtime.
    async fn page(
        self,
        call: &Call,
        status: StatusCode,
        failed: Option<(String, String)>,
        draft_uuid: Uuid,
    ) -> Answer {
        let t = i18n::of();
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

    /// Returns the template without its messages.
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

    /// Returns the first unread message that the reader did not send, if it is on the page.
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

    fn is_alone(&self) -> bool {
        let members = self.overview().map(|overview| overview.member_count);
        members == Some(1) && self.may(Action::Keep)
    }

    /// Guests may not upload files.
    fn may_upload(&self) -> bool {
        self.place.is_some() && self.may(Action::Send) && self.me.role() != Role::Guest
    }

    fn may(&self, action: Action) -> bool {
        let place = self.place.map(|place| place.role);
        may(self.me.role(), place, self.room.kind, action) == Verdict::Yes
    }
}

pub(super) fn ids(online: &[std::sync::Arc<Person>]) -> HashSet<i64> {
    online.iter().map(|person| person.id.0).collect()
}
