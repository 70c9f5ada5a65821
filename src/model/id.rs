//! Ids as newtypes, so that a room's number is never taken for a user's.

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
    /// A user's number; never given again.
    UserId,
    /// A room's number; the lobby is [`RoomId::LOBBY`].
    RoomId,
    /// A message's number, and the number of a change to one: both come from one counter, ascending within a room.
    MessageId,
    /// An invite's number.
    InviteId,
    /// A session's number.
    SessionId,
    /// A file's number; never given again.
    FileId,
    /// A notification's number, from the counter of messages; one person's ascend.
    NotificationId,
}

impl RoomId {
    /// The one room everybody is in.
    pub const LOBBY: RoomId = RoomId(1);
}

impl SessionId {
    /// No session: somebody who was believed without proof.
    pub const NONE: SessionId = SessionId(0);
}

/// A point in time: milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// What the clock says.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// This time, later by `duration`.
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}
