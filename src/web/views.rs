//! Views of people, rooms and times for templates.

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

use super::i18n::Texts;
use super::room_details::is_muted;

/// Maximum length of the last message in the list of rooms, characters.
const PREVIEW: usize = 100;
/// Largest count of unread messages that is shown exactly.
const UNREAD_MAX: u32 = 99;

/// Avatar of a person or picture of a room; without one, initials on one of twelve colours.
#[derive(Clone, Template)]
#[template(path = "part/face.html")]
pub(super) struct Face {
    letters: String,
    hue: i64,
    kind: &'static str,
    /// Path on this server; empty without a picture.
    picture: String,
}

impl HtmlSafe for Face {}

impl Face {
    pub(super) fn of_person(person: &Person) -> Self {
        Self {
            letters: initials(&person.display_name),
            hue: person.id.0 % 12,
            kind: "person",
            picture: own_picture(person.avatar_url.as_ref()),
        }
    }

    /// Returns the picture of a room; for a direct room the other person's avatar.
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

    /// Returns an empty view for the `<template>` that scripts fill in.
    pub(super) fn blank(kind: &'static str) -> Self {
        Self {
            letters: String::new(),
            hue: 0,
            kind,
            picture: String::new(),
        }
    }
}

/// Returns the path of a picture on this server. Pictures on other hosts are not shown: loading one would tell that
/// host about the reader.
fn own_picture(url: Option<&WebUrl>) -> String {
    url.and_then(WebUrl::own_path)
        .unwrap_or_default()
        .to_owned()
}

/// Returns the first letters of the first two words, with their combining marks; the script does the same.
fn initials(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
    let firsts = words.map(|word| word.trim_start_matches(|c: char| !c.is_alphanumeric()));
    let firsts = firsts.map(first_character).filter(|one| !one.is_empty());
    firsts.take(2).map(str::to_uppercase).collect()
}

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

    /// Returns an empty view for the `<template>` that scripts fill in.
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

/// Returns the displayed name of a person. Guests can choose any name, so they are marked. The script does the same.
pub(super) fn person_name<'a>(t: &'static Texts, person: &'a Person) -> Cow<'a, str> {
    match person.role {
        _ if person.deleted => t.deleted_user.into(),
        Role::Guest => format!("{} ({})", person.display_name, t.guest_badge).into(),
        _ => person.display_name.as_str().into(),
    }
}

pub(super) struct MemberView {
    pub person: PersonView,
    pub role: &'static str,
    pub is_me: bool,
    pub is_moderator: bool,
    pub muted: bool,
    /// Whether the viewer may mute and kick them.
    pub may_keep: bool,
    /// Whether the viewer may change their role or transfer the room to them.
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

/// Entry of the list of rooms.
pub(super) struct RoomView {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub face: Face,
    pub unread: u32,
    pub unread_label: String,
    /// Sender of the last message, empty in direct rooms.
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

    /// Returns an empty view for the `<template>` that scripts fill in.
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

/// Returns the name of a room as `me` sees it.
pub(super) fn room_name<'a>(t: &'static Texts, room: &'a Room, me: UserId) -> Cow<'a, str> {
    match (room.kind, room.other(me)) {
        (RoomKind::Direct, Some(other)) => person_name(t, other),
        (RoomKind::Direct, None) => t.deleted_user.into(),
        _ => room.name.as_str().into(),
    }
}

/// Formats a count like `7`, or `99+` above the limit.
fn count_label(count: u32) -> String {
    if count > UNREAD_MAX {
        format!("{UNREAD_MAX}+")
    } else {
        count.to_string()
    }
}

/// Returns the sender of a room's last message; empty in direct rooms, named after the other person, unless it is `me`.
fn speaker(t: &'static Texts, room: &Room, message: &Message, me: UserId) -> String {
    match room.kind {
        _ if message.sender.id == me => t.you.to_owned(),
        RoomKind::Direct => String::new(),
        _ => person_name(t, &message.sender).into_owned(),
    }
}

/// Returns the beginning of a message on one line; the script does the same.
fn preview(message: &Message) -> String {
    let words: Vec<_> = message.content.split_whitespace().take(PREVIEW).collect();
    let text = words.join(" ");
    match (text.is_empty(), message.files.first()) {
        (true, Some(file)) => format!("📎 {}", file.name),
        _ => cut(&text, PREVIEW).to_owned(),
    }
}

/// Time in ISO format, and as text in UTC until a script converts it to the reader's time zone.
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
    fn counts_above_99_are_shown_as_99_plus() {
        assert_eq!(count_label(99), "99");
        assert_eq!(count_label(100), "99+");
    }
}
