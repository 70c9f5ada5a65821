//! Kinds of rooms.

/// Kind of a room; decides who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// The one room with everybody in it.
    Lobby,
    /// Everybody may read and join.
    Public,
    /// For members only; to others it does not exist.
    Private,
    /// Two people, who never change.
    Direct,
}

impl RoomKind {
    /// Returns the word used in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            RoomKind::Lobby => "lobby",
            RoomKind::Public => "public",
            RoomKind::Private => "private",
            RoomKind::Direct => "direct",
        }
    }

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

    /// Whether the room has no owner and cannot be joined, left, edited or deleted.
    pub fn is_fixed(self) -> bool {
        matches!(self, RoomKind::Lobby | RoomKind::Direct)
    }

    /// Whether rooms of this kind always require an authenticated caller, even where `compat.open` disables
    /// authentication.
    pub fn needs_proof(self) -> bool {
        self == RoomKind::Direct
    }
}
