//! Where people chat: rooms and who is in them.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    CONTENT_MAX, Content, Invalid, Key, Message, MessageId, Millis, Notify, Person, RoomId,
    ShownName, UserId, WebUrl,
};

/// What sort of room it is; decides who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// The one room everybody is in.
    Lobby,
    /// Anybody may read and join.
    Public,
    /// For its members; others do not learn that it exists.
    Private,
    /// Two people, for good.
    Direct,
}

impl RoomKind {
    /// The word used in the file and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            RoomKind::Lobby => "lobby",
            RoomKind::Public => "public",
            RoomKind::Private => "private",
            RoomKind::Direct => "direct",
        }
    }

    /// The kind of that name, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        [
            RoomKind::Lobby,
            RoomKind::Public,
            RoomKind::Private,
            RoomKind::Direct,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }

    /// Lobby and direct rooms have no owner, and nobody joins, leaves, edits or deletes them.
    pub fn is_fixed(self) -> bool {
        matches!(self, RoomKind::Lobby | RoomKind::Direct)
    }

    /// Whether nobody enters rooms of this kind without proof of who they are, even where an operator has switched proof
    /// off.
    pub fn needs_proof(self) -> bool {
        self == RoomKind::Direct
    }
}

/// What somebody may do in one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberRole {
    /// Reads and writes.
    Member,
    /// Keeps order.
    Moderator,
    /// Decides.
    Owner,
}

impl MemberRole {
    /// The word used in the file and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            MemberRole::Member => "member",
            MemberRole::Moderator => "moderator",
            MemberRole::Owner => "owner",
        }
    }

    /// The role of that name, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        [MemberRole::Member, MemberRole::Moderator, MemberRole::Owner]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// A room, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The room's number.
    pub id: RoomId,
    /// The room's uuid.
    pub uuid: Uuid,
    /// What sort of room it is.
    pub kind: RoomKind,
    /// Its name; empty in direct rooms, which are named after the other person.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who decides; nobody in the lobby and in direct rooms.
    pub owner_id: Option<UserId>,
    /// What lets people into a private room; for its members' eyes only.
    pub access_key: Option<Key>,
    /// Where its picture is, on this server.
    pub picture_url: Option<WebUrl>,
    /// The two people of a direct room, else empty.
    pub people: Vec<Arc<Person>>,
    /// Messages up to this one were cleared away.
    pub cleared_through: MessageId,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl Room {
    /// The other person of a direct room.
    pub fn other(&self, me: UserId) -> Option<&Arc<Person>> {
        self.people.iter().find(|person| person.id != me)
    }
}

/// Somebody's place in a room, without the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// What they may do there.
    pub role: MemberRole,
    /// When they came.
    pub joined_at: Millis,
    /// They have read up to here.
    pub last_read_id: MessageId,
    /// They may not write before this time.
    pub muted_until: Millis,
    /// Of what they are told.
    pub notify: Notify,
}

impl Membership {
    /// Whether they may not write at that time.
    pub fn is_muted(&self, now: Millis) -> bool {
        self.muted_until > now
    }
}

/// Somebody's place in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: Arc<Person>,
    /// Their place.
    pub place: Membership,
}

/// One of my rooms, as a list shows it.
#[derive(Clone, Debug)]
pub struct RoomOverview {
    /// Whose list it is.
    pub me: UserId,
    /// The room.
    pub room: Room,
    /// My place in it.
    pub place: Membership,
    /// How many people are in it.
    pub member_count: u32,
    /// Messages of others that I have not read, counted up to 100.
    pub unread: u32,
    /// The newest message that was not deleted.
    pub last_message: Option<Message>,
    /// The newest change to any message of the room, 0 if there was none.
    pub change_id: MessageId,
    /// Direct rooms: how far the other person has read.
    pub other_read_id: MessageId,
}

impl RoomOverview {
    /// How far one of the two people of a direct room has read.
    pub fn read_by(&self, person: UserId) -> MessageId {
        let is_other = self.room.people.iter().any(|other| other.id == person) && person != self.me;
        if is_other {
            self.other_read_id
        } else {
            self.place.last_read_id
        }
    }
}

/// A room to be made.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Its name.
    pub name: ShownName,
    /// What it is about, at most 500 characters.
    pub description: String,
    /// Public, or private with or without a key.
    pub kind: RoomKind,
    /// What lets people in; private rooms only.
    pub access_key: Option<Key>,
}

/// Changes to a room; `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct RoomEdit {
    /// A new name.
    pub name: Option<ShownName>,
    /// A new description.
    pub description: Option<String>,
    /// Public or private.
    pub kind: Option<RoomKind>,
    /// A new key, or none.
    pub access_key: Option<Option<Key>>,
}

/// The longest description of a room, characters.
const DESCRIPTION_MAX: usize = 500;

/// A room's description, trimmed; may be empty.
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
