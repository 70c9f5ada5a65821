//! Room details page: members, settings, and the actions the viewer may take.

use std::collections::HashSet;

use askama::Template;
use uuid::Uuid;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::Call;
use crate::model::{
    Action, Invalid, Key, Member, Membership, Millis, Role, Room, RoomKind, UserId, Verdict, may,
};

use super::chat::{ids, room_of};
use super::form_fields::{Fields, Input, Refused, status_of};
use super::i18n::{self, Texts};
use super::image_form;
use super::invites::{self, InvitesView};
use super::layout::Shell;
use super::respond::{Answer, caller, page};
use super::views::{Face, MemberView, room_name};

/// Members per page.
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
    /// Start of the next page of members, if there is one.
    after: Option<i64>,
    /// For members.
    notify: Option<Fields>,
    /// For moderators and above.
    add: Option<Fields>,
    invites: Option<InvitesView>,
    /// For those who may manage the room.
    edit: Option<Fields>,
    picture: Option<Fields>,
    has_picture: bool,
    may_read: bool,
    may_join: bool,
    may_leave: bool,
    may_clear: bool,
    may_delete: bool,
    is_owner: bool,
}

/// A room and the caller's membership.
pub(super) struct Scene {
    pub me: Caller,
    pub room: Room,
    pub place: Option<Membership>,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let (room, place) = room_of(&call, &me).await?;
    Scene { me, room, place }.show(&call, None).await
}

impl Scene {
    /// Renders the page, with the error of a form that was refused, if any.
    pub(super) async fn show(&self, call: &Call, refused: Option<&Refused<'_>>) -> Answer {
        let t = i18n::of();
        let (me, room) = (&self.me, &self.room);
        let name = room_name(t, room, me.id()).into_owned();
        let (members, after) = self.members(call, t).await?;
        let (keeps, manages) = (self.may(Action::Keep), self.may(Action::Manage));
        let invites = match keeps {
            true => Some(invites::of_room(call, me, room, refused).await?),
            false => None,
        };
        let add = match keeps {
            true => Some(add_inputs(t, others(call, &members).await?)),
            false => None,
        };
        let edit = || Fields::of("edit", edit_inputs(t, room), refused);
        let template = RoomPage {
            shell: Shell::inside(call, me, &name).await?,
            uuid: room.uuid,
            description: room.description.clone(),
            face: Face::of_room(room, me.id()),
            kind_text: t.room_kind(room.kind),
            access_key: key_of(room),
            members,
            after,
            notify: self.place.map(|place| notify(t, place, refused)),
            add: add.map(|inputs| Fields::of("add", inputs, refused)),
            invites,
            edit: manages.then(edit),
            picture: manages.then(|| Fields::of("picture", image_form::inputs(t), refused)),
            has_picture: room.picture_url.is_some(),
            may_read: self.may(Action::Read),
            may_join: self.place.is_none() && self.may(Action::Join),
            may_leave: self.place.is_some() && !room.kind.is_fixed() && !self.is_owner(me.id()),
            may_clear: self.may(Action::Clear),
            may_delete: self.may(Action::DeleteRoom),
            is_owner: self.is_owner(me.id()),
            name,
        };
        page(status_of(t, refused), call, &template)
    }

    async fn members(
        &self,
        call: &Call,
        t: &'static Texts,
    ) -> Result<(Vec<MemberView>, Option<i64>), super::respond::Stop> {
        let chat = &call.kit.chat;
        let after = call.query_number("after", 0, i64::MAX)?.unwrap_or(0);
        let (me, room) = (&self.me, self.room.id);
        let mut members = chat.members(me, room, UserId(after), PAGE + 1).await?;
        let more = members.len() > PAGE as usize;
        members.truncate(PAGE as usize);
        let online = ids(&chat.online(me, room).await?.0);
        let last = members.last().filter(|_| more);
        let after = last.map(|member| member.person.id.0);
        let view = |member: &Member| MemberView {
            may_keep: self.may_keep(member),
            may_manage: self.may_act_on(member) && self.may(Action::Manage),
            ..MemberView::new(t, member, me, online.contains(&member.person.id.0))
        };
        Ok((members.iter().map(view).collect(), after))
    }

    fn may(&self, action: Action) -> bool {
        let place = self.place.map(|place| place.role);
        may(self.me.role(), place, self.room.kind, action) == Verdict::Yes
    }

    fn is_owner(&self, user: UserId) -> bool {
        self.room.owner_id == Some(user)
    }

    fn may_act_on(&self, member: &Member) -> bool {
        member.person.id != self.me.id() && !self.is_owner(member.person.id)
    }

    /// Whether to offer muting and kicking. The core checks permissions again.
    fn may_keep(&self, member: &Member) -> bool {
        let lower = self
            .place
            .is_none_or(|place| member.place.role < place.role)
            || self.me.role() == Role::Admin;
        lower && self.may_act_on(member) && self.may(Action::Keep)
    }
}

fn key_of(room: &Room) -> String {
    let key = room.access_key.as_ref().map(Key::as_str);
    key.unwrap_or_default().to_owned()
}

fn notify(t: &'static Texts, place: Membership, refused: Option<&Refused<'_>>) -> Fields {
    let input = Input::select("notify", t.notify, t.notify_choices());
    Fields::of("notify", vec![input.value(place.notify.as_str())], refused)
}

fn add_inputs(t: &'static Texts, people: Vec<(String, String)>) -> Vec<Input> {
    let input = Input::new("username", t.add_somebody, 48).hint(t.add_hint);
    vec![input.suggesting(people)]
}

/// Returns user name and display name of accounts that could be added.
async fn others(call: &Call, members: &[MemberView]) -> Result<Vec<(String, String)>, ChatError> {
    let users = call.kit.chat.users("", UserId(0), PAGE).await?;
    let members: HashSet<_> = members.iter().map(|member| member.person.id).collect();
    let people = users.into_iter().map(|user| user.person);
    let others = people.filter(|person| !members.contains(&person.id.0));
    Ok(others
        .map(|person| (person.username.clone(), person.display_name.clone()))
        .collect())
}

fn edit_inputs(t: &'static Texts, room: &Room) -> Vec<Input> {
    let kinds = [
        (RoomKind::Public, t.room_kind_public),
        (RoomKind::Private, t.room_kind_private),
    ];
    let kinds = kinds.map(|(kind, text)| (kind.as_str(), text));
    vec![
        Input::new("name", t.room_name, 64).value(&room.name),
        Input::new("description", t.room_description, 500)
            .kind("textarea")
            .optional()
            .value(&room.description),
        Input::select("kind", t.room_kind, kinds).value(room.kind.as_str()),
        Input::new("access_key", t.access_key, 64)
            .optional()
            .hint(t.access_key_hint)
            .value(key_of(room)),
    ]
}

/// Whether the member is muted now.
pub(super) fn is_muted(place: &Membership) -> bool {
    place.is_muted(Millis::now())
}

/// Returns the path of the room's details page.
pub(super) fn address(room: &Room) -> String {
    format!("/conversations/{}", room.uuid)
}

/// Error for a form value that is not among the options.
pub(super) fn not_offered(field: &'static str) -> Invalid {
    Invalid::new(field, "is none of those that are offered")
}
