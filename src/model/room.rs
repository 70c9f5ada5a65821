//! Rooms and memberships.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    CONTENT_MAX, Content, Invalid, Key, Message, MessageId, Millis, Notify, Person, RoomId,
    RoomKind, ShownName, UserId, WebUrl,
};

/// Role of a member in one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberRole {
    /// Reads and writes.
    Member,
    /// Also deletes messages of others, adds, kicks and mutes members.
    Moderator,
    /// Also edits and deletes the room and assigns roles.
    Owner,
}

impl MemberRole {
    /// Returns the word used in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            MemberRole::Member => "member",
            MemberRole::Moderator => "moderator",
            MemberRole::Owner => "owner",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [MemberRole::Member, MemberRole::Moderator, MemberRole::Owner]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub id: RoomId,
    pub uuid: Uuid,
    pub kind: RoomKind,
    /// Empty in direct rooms, which are named after the other person.
    pub name: String,
    pub description: String,
    /// `None` in the lobby and in direct rooms.
    pub owner_id: Option<UserId>,
    /// Admits people to a private room; shown to members only.
    pub access_key: Option<Key>,
    /// URL of its picture on this server.
    pub picture_url: Option<WebUrl>,
    /// The two people of a direct room, else empty.
    pub people: Vec<Arc<Person>>,
    /// Messages up to and including this one were cleared.
    pub cleared_through: MessageId,
    pub created_at: Millis,
    pub updated_at: Millis,
}

impl Room {
    /// Returns the other person of a direct room.
    pub fn other(&self, me: UserId) -> Option<&Arc<Person>> {
        self.people.iter().find(|person| person.id != me)
    }
}

/// Membership without the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub role: MemberRole,
    pub joined_at: Millis,
    /// The read cursor.
    pub last_read_id: MessageId,
    /// Sending is refused before this time.
    pub muted_until: Millis,
    pub notify: Notify,
}

impl Membership {
    pub fn is_muted(&self, now: Millis) -> bool {
        self.muted_until > now
    }
}

/// A person and their membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub person: Arc<Person>,
    pub place: Membership,
}

/// One of the caller's rooms, as in the list of rooms.
#[derive(Clone, Debug)]
pub struct RoomOverview {
    /// The caller, whose list it is.
    pub me: UserId,
    pub room: Room,
    /// The caller's membership.
    pub place: Membership,
    pub member_count: u32,
    /// Unread messages of others, counted up to 100.
    pub unread: u32,
    /// The newest message that is not deleted.
    pub last_message: Option<Message>,
    /// The newest change to any message of the room, 0 if there is none.
    pub change_id: MessageId,
    /// Read cursor of the other person, in direct rooms.
    pub other_read_id: MessageId,
}

impl RoomOverview {
    /// Returns the read cursor of one of the two people of a direct room.
    pub fn read_by(&self, person: UserId) -> MessageId {
        let is_other = self.room.people.iter().any(|other| other.id == person) && person != self.me;
        if is_other {
            self.other_read_id
        } else {
            self.place.last_read_id
        }
    }
}

/// Room to be created.
#[derive(Clone, Debug)]
pub struct NewRoom {
    pub name: ShownName,
    /// At most 500 characters.
    pub description: String,
    /// Public or private.
    pub kind: RoomKind,
    /// Only for private rooms.
    pub access_key: Option<Key>,
}

/// Changes to a room; `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct RoomEdit {
    pub name: Option<ShownName>,
    pub description: Option<String>,
    /// Public or private.
    pub kind: Option<RoomKind>,
    pub access_key: Option<Option<Key>>,
}

/// Maximum length of a room's description, characters.
const DESCRIPTION_MAX: usize = 500;

/// Trims and validates a room's description; it may be empty.
pub fn description(text: &str) -> Result<String, Invalid> {
    const FIELD: &str = "description";
    const { assert!(DESCRIPTION_MAX <= CONTENT_MAX) };
    let text = text.trim();
    match text.chars().count() {
        0 => Ok(String::new()),
        1..=DESCRIPTION_MAX => Content::parse(text)
            .map(Content::into_string)
            .map_err(|bad| Invalid::new(FIELD, bad.why)),
        _ => Err(Invalid::new(FIELD, "is too long")),
    }
}
