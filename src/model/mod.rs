//! Chat's nouns and rules. No I/O, no SQL, no wire names.

mod access;
mod address;
mod event;
mod file;
mod id;
mod invite;
mod look;
mod mention;
mod message;
mod name;
mod notification;
mod reaction;
mod room;
mod search;
mod user;
mod words;

pub use access::{Action, Verdict, may};
pub use address::{WebUrl, host_name};
pub use event::{Departure, Event, Presence};
pub use file::{File, FileKey, FileName, Link, PlacedFile, Purpose, Thumbnail};
pub use id::{FileId, InviteId, MessageId, Millis, NotificationId, RoomId, SessionId, UserId};
pub use invite::{Invite, InviteRoom, may_invite};
pub use look::{are_alike, look};
pub use mention::Mentions;
pub(crate) use mention::is_gap;
pub use message::{CONTENT_MAX, Change, Content, Draft, FILES_MAX, Message, PageRequest, Quote};
pub use name::{Email, Key, Password, ShownName, Username, name_key};
pub use notification::{HEAD_MAX, Note, Notification, NotificationKind, Notify, ReadMark, head};
pub use reaction::{Emoji, Reaction};
pub use room::{
    Member, MemberRole, Membership, NewRoom, Room, RoomEdit, RoomKind, RoomOverview, description,
};
pub use search::{Fragment, RoomWord, SearchLine, Term, all_hits, searched, snippet};
pub use user::{Person, Profile, Role, User, UserEdit};
pub use words::{Piece, PieceKind, pieces};

/// Why a value from outside is no good: the field and a short reason for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct Invalid {
    /// The field as the native protocol names it.
    pub field: &'static str,
    /// What is wrong with it, to be read after the field's name: "must not be empty".
    pub why: &'static str,
}

impl Invalid {
    /// `field` is refused because it `why`.
    pub const fn new(field: &'static str, why: &'static str) -> Self {
        Self { field, why }
    }
}
