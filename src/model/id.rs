//! Ids as newtypes, so that a room's id cannot be taken for a user's.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

macro_rules! id {
    ($(#[$doc:meta] $name:ident),* $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// Id of an account; never reused.
    UserId,
    /// Id of a room; the lobby is [`RoomId::LOBBY`].
    RoomId,
    /// Id of a message or of a change to one: both come from one counter, ascending within a room.
    MessageId,
    /// Id of an invite.
    InviteId,
    /// Id of a session.
    SessionId,
    /// Id of a file; never reused.
    FileId,
    /// Id of a notification, from the counter of messages; ascending for each reader.
    NotificationId,
}

impl RoomId {
    /// The one room with everybody in it.
    pub const LOBBY: RoomId = RoomId(1);
}

impl SessionId {
    /// No session: a caller admitted without authentication.
    pub const NONE: SessionId = SessionId(0);
}

/// Point in time: milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// Reads the system clock.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Returns the time `duration` later; saturates.
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}
