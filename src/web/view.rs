//! People, rooms and messages as templates show them.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;
use chrono::DateTime;
use uuid::Uuid;

use crate::chat::Caller;
use crate::dialect::kit::rfc3339;
use crate::model::{
    Member, MemberRole, Message, Millis, Person, Role, Room, RoomKind, RoomOverview, UserId,
    WebUrl, cut, first_character,
};

use super::room::is_muted;
use super::texts::Texts;

/// So many characters of the last message stand in the list.
const PREVIEW: usize = 100;
/// Unread messages are counted up to here.
const UNREAD_MAX: u32 = 99;

/// Somebody's or a room's picture; without one, letters on one of twelve colours.
#[derive(Clone, Template)]
#[template(path = "part/face.html")]
pub(super) struct Face {
    letters: String,
    hue: i64,
    kind: &'static str,
    /// Its address on this server; empty without one.
    picture: String,
}

impl HtmlSafe for Face {}

impl Face {
    /// Somebody's.
    pub(super) fn of_person(person: &Person) -> Self {
        Self {
            letters: initials(&person.display_name),
            hue: person.id.0 % 12,
            kind: "person",
            picture: own_picture(person.avatar_url.as_ref()),
        }
    }

    /// A room's; a direct room has the other person's.
    pub(super) fn of_room(room: &Room, me: UserId) -> Self {
        match room.other(me) {
            Some(other) => Self::of_person(other),
            None => Self {
                letters: initials(&room.name),
                hue: room.id.0 % 12,
                kind: room.kind.as_str(),
                picture: own_picture(room.picture_url.as_ref()),
            },
        }
    }

    /// An empty one, for scripts to fill in.
    pub(super) fn blank(kind: &'static str) -> Self {
        Self {
            letters: String::new(),
            hue: 0,
            kind,
            picture: String::new(),
        }
    }
}

/// Pictures of other hosts are not shown: whoever loads one tells that host so.
fn own_picture(url: Option<&WebUrl>) -> String {
    url.and_then(WebUrl::own_path)
        .unwrap_or_default()
        .to_owned()
}

/// The first letters of the first two words, with the marks that belong to them; the script does the same.
fn initials(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
    let firsts = words.map(|word| word.trim_start_matches(|c: char| !c.is_alphanumeric()));
    let firsts = firsts.map(first_character).filter(|one| !one.is_empty());
    firsts.take(2).map(str::to_uppercase).collect()
}

/// Somebody.
pub(super) struct PersonView {
    pub id: i64,
    pub name: String,
    pub username: String,
    pub face: Face,
    pub role: &'static str,
    pub online: bool,
}

impl PersonView {
    pub(super) fn new(t: &'static Texts, person: &Person, online: bool) -> Self {
        Self {
            id: person.id.0,
            name: if person.deleted {
                t.deleted_user
            } else {
                &person.display_name
            }
            .to_owned(),
            username: person.username.clone(),
            face: Face::of_person(person),
            role: person.role.as_str(),
            online,
        }
    }

    /// For scripts to fill in.
    pub(super) fn blank() -> Self {
        Self {
            id: 0,
            name: String::new(),
            username: String::new(),
            face: Face::blank("person"),
            role: "user",
            online: true,
        }
    }
}

/// What somebody is called; guests, who can call themselves anything, are marked. The script does the same.
pub(super) fn person_name<'a>(t: &'static Texts, person: &'a Person) -> Cow<'a, str> {
    match person.role {
        _ if person.deleted => t.deleted_user.into(),
        Role::Guest => format!("{} ({})", person.display_name, t.guest_badge).into(),
        _ => person.display_name.as_str().into(),
    }
}

/// Somebody in a room.
pub(super) struct MemberView {
    pub person: PersonView,
    pub role: &'static str,
    pub is_me: bool,
    pub is_moderator: bool,
    pub muted: bool,
    /// May be muted and sent out.
    pub may_keep: bool,
    /// May be given another role, or the room.
    pub may_manage: bool,
}

impl MemberView {
    pub(super) fn new(t: &'static Texts, member: &Member, me: &Caller, online: bool) -> Self {
        Self {
            person: PersonView::new(t, &member.person, online),
            role: t.member_role(member.place.role),
            is_me: member.person.id == me.id(),
            is_moderator: member.place.role == MemberRole::Moderator,
            muted: is_muted(&member.place),
            may_keep: false,
            may_manage: false,
        }
    }
}

/// One of my rooms in the list.
pub(super) struct RoomView {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub face: Face,
    pub unread: u32,
    pub unread_label: String,
    /// The author of the last message (not in direct rooms) and its beginning.
    pub by: String,
    pub preview: String,
    pub at: Clock,
    pub current: bool,
}

impl RoomView {
    pub(super) fn new(t: &'static Texts, overview: &RoomOverview, me: &Caller) -> Self {
        let room = &overview.room;
        let at = overview
            .last_message
            .as_ref()
            .map_or(room.created_at, |message| message.created_at);
        let last = overview.last_message.as_ref();
        Self {
            id: room.id.0,
            uuid: room.uuid,
            name: room_name(t, room, me.id()).into_owned(),
            face: Face::of_room(room, me.id()),
            unread: overview.unread,
            unread_label: count_label(overview.unread),
            by: last.map_or_else(String::new, |message| speaker(t, room, message, me.id())),
            preview: last.map_or_else(String::new, preview),
            at: Clock::new(at),
            current: false,
        }
    }

    /// For scripts to fill in.
    pub(super) fn blank() -> Self {
        Self {
            id: 0,
            uuid: Uuid::nil(),
            name: String::new(),
            face: Face::blank("public"),
            unread: 0,
            unread_label: String::new(),
            by: String::new(),
            preview: String::new(),
            at: Clock::new(Millis(0)),
            current: false,
        }
    }
}

/// What a room is called by `me`.
pub(super) fn room_name<'a>(t: &'static Texts, room: &'a Room, me: UserId) -> Cow<'a, str> {
    match (room.kind, room.other(me)) {
        (RoomKind::Direct, Some(other)) => person_name(t, other),
        (RoomKind::Direct, None) => t.deleted_user.into(),
        _ => room.name.as_str().into(),
    }
}

/// `7`, or `99+` for more than are counted.
fn count_label(count: u32) -> String {
    if count > UNREAD_MAX {
        format!("{UNREAD_MAX}+")
    } else {
        count.to_string()
    }
}

/// The author of a room's last message; empty in direct rooms, whose name says it already.
fn speaker(t: &'static Texts, room: &Room, message: &Message, me: UserId) -> String {
    match room.kind {
        _ if message.sender.id == me => t.you.to_owned(),
        RoomKind::Direct => String::new(),
        _ => person_name(t, &message.sender).into_owned(),
    }
}

/// The beginning of a message, on one line; the script does the same.
fn preview(message: &Message) -> String {
    let words: Vec<_> = message.content.split_whitespace().take(PREVIEW).collect();
    let text = words.join(" ");
    match (text.is_empty(), message.files.first()) {
        (true, Some(file)) => format!("📎 {}", file.name),
        _ => cut(&text, PREVIEW).to_owned(),
    }
}

/// A time: for programs, and in UTC for eyes until a script puts it into the reader's zone.
pub(super) struct Clock {
    pub iso: String,
    pub day: String,
    pub short: String,
    pub long: String,
}

impl Clock {
    pub(super) fn new(time: Millis) -> Self {
        let utc = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
        Self {
            iso: rfc3339(time),
            day: utc.format("%Y-%m-%d").to_string(),
            short: utc.format("%H:%M").to_string(),
            long: utc.format("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_the_first_letters_of_two_words() {
        for (name, expected) in [
            ("ann", "A"),
            ("ann b. cole", "AB"),
            ("  ß", "SS"),
            ("🙂", ""),
            ("李雷", "李"),
            ("e\u{301}va क्षेत्र", "E\u{301}क्षे"),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    #[test]
    fn more_than_are_counted_are_shown_as_more() {
        assert_eq!(count_label(99), "99");
        assert_eq!(count_label(100), "99+");
    }
}
