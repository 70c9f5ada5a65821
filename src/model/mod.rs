//! Types and rules of the chat. No I/O, no SQL, no wire names.

mod common_passwords;
mod event;
mod file;
mod id;
mod invite;
mod json;
mod media;
mod mention;
mod message;
mod name;
mod notification;
mod password;
mod permissions;
mod reaction;
mod room;
mod room_kind;
mod search;
mod text;
mod url;
mod user;

pub use event::{Departure, Event, Presence};
pub use file::{File, FileKey, FileName, Link, PlacedFile, Purpose, Thumbnail};
pub use id::{FileId, InviteId, MessageId, Millis, NotificationId, RoomId, SessionId, UserId};
pub use invite::{Invite, InviteRoom, may_invite};
pub use json::{JSON_DEPTH_MAX, is_shallow};
pub use media::{Media, MediaKind};
pub use mention::Mentions;
pub use message::{
    CONTENT_MAX, Change, Content, Draft, FILES_MAX, Message, PageRequest, Quote, TOO_MANY_FILES,
};
pub use name::{Email, Key, ShownName, Username};
pub use notification::{HEAD_MAX, Note, Notification, NotificationKind, Notify, ReadMark, head};
pub use password::{ChosenPassword, Password};
pub use permissions::{Action, Verdict, may, may_speak};
pub use reaction::{Emoji, Reaction};
pub use room::{
    Member, MemberRole, Membership, NewRoom, Room, RoomEdit, RoomOverview, description,
};
pub use room_kind::RoomKind;
pub use search::{Fragment, RoomWord, SearchLine, Term, all_hits, searched, snippet};
#[cfg(test)]
pub(crate) use text::STEPS_TAKEN;
pub(crate) use text::is_gap;
pub use text::{
    Element, MENTION_MAX, Piece, PieceKind, Reader, are_alike, cut, emoji_key, first_character,
    is_hidden, is_letter, look, name_key, pieces, read, whole_characters,
};
pub use url::{WebUrl, host_name};
pub use user::{Person, Private, Profile, Role, Shown, User, UserEdit, Viewer};

/// Reason why an input value is refused: the field, and a short text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {}", self.reason())]
pub struct Invalid {
    /// Name of the field in the native protocol.
    pub field: &'static str,
    /// Text that follows the field's name, like "must not be empty". `{n}` is replaced by `count`.
    pub why: &'static str,
    pub count: u32,
}

impl Invalid {
    pub const fn new(field: &'static str, why: &'static str) -> Self {
        Self::counted(field, why, 0)
    }

    /// Like [`Invalid::new`], with a number in the reason.
    pub const fn counted(field: &'static str, why: &'static str, count: u32) -> Self {
        Self { field, why, count }
    }

    /// Returns the same refusal for another field.
    #[must_use]
    pub const fn of(self, field: &'static str) -> Self {
        Self { field, ..self }
    }

    /// Returns the reason with the number filled in.
    pub fn reason(&self) -> String {
        self.why.replace("{n}", &self.count.to_string())
    }
}
