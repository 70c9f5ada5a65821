//! Why the core refuses. Must not know how any protocol says so.

use std::fmt::Display;
use std::time::Duration;

use crate::model::{Invalid, Verdict};
use crate::store::StoreError;

use super::Cause;

/// Why something was not done; every dialect spells each of these in its own way.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChatError {
    /// No token, or one that is not good.
    #[error("{0}")]
    Unauthenticated(#[from] TokenFault),
    /// Wrong name or password; which of them is nobody's business.
    #[error("wrong user name or password")]
    BadCredentials,
    /// Needs a session that has just begun.
    #[error("log in again first: this is done only within 10 minutes after a login")]
    StaleLogin,
    /// Needs another role.
    #[error("you may not do that")]
    Forbidden,
    /// May not write in this room for a while.
    #[error("you are muted in this room")]
    Muted,
    /// Nobody registers here, or for that cause not from where the request comes.
    #[error("registration is closed{}", because(*.0))]
    RegistrationClosed(Option<Cause>),
    /// No guests here, or for that cause not from where the request comes.
    #[error("guests are not let in{}", because(*.0))]
    GuestsDisabled(Option<Cause>),
    /// The set-up link is wrong, used or too old.
    #[error("the set-up link is no longer good; a restart of the server prints a new one")]
    BadSetupToken,
    /// No such thing, or not for this caller.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A value from outside is no good.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// `username`, `email`, `access_key` or `uuid` belongs to something else.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// Is in the room already.
    #[error("already a member of this room")]
    AlreadyMember,
    /// Is not in the room.
    #[error("not a member of this room")]
    NotMember,
    /// The last admin can be neither removed nor demoted.
    #[error("this is the last admin")]
    LastAdmin,
    /// An owner transfers the room before leaving.
    #[error("the owner hands the room over before leaving")]
    Owner,
    /// A file has more bytes than these.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The files of this person take all the room they may.
    #[error("your files take all the room you may have here: delete some first")]
    Quota,
    /// Too often; says when to try again.
    #[error("too many requests, try again in {} s", .0.as_secs().max(1))]
    Limited(Duration),
    /// Too much at once; worth another try.
    #[error("the server is busy, try again")]
    Busy,
    /// The disk is full; nothing was stored.
    #[error("the server's disk is full, nothing was stored")]
    Full,
    /// Nothing can be stored, for a reason that only the server's administrator can mend.
    #[error("the server cannot store anything now: its administrator has to look at it")]
    Unavailable,
    /// Our fault; the log knows more.
    #[error("something went wrong on the server")]
    Internal,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// There is none where one is due.
    #[error("not logged in")]
    Missing,
    /// There is none where only the local network needs none.
    #[error("not logged in: {}", .0.reason())]
    Remote(Cause),
    /// It was not made here.
    #[error("the token is not valid")]
    Invalid,
    /// A refresh token where an access token is due, or the reverse.
    #[error("the token is of the wrong kind")]
    WrongKind,
    /// It has run out.
    #[error("the token has expired")]
    Expired,
    /// Its session has ended.
    #[error("the session has ended")]
    Revoked,
}

impl ChatError {
    /// A fault of ours: the cause goes into the log, the caller learns nothing of it.
    pub fn internal(cause: impl Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::Internal
    }
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Busy | StoreError::Timeout | StoreError::Closed | StoreError::LogFull => {
                Self::Busy
            }
            // The store has said so in the log, once.
            StoreError::Lost(_) | StoreError::Unsynced | StoreError::Checkpoint(_) => {
                Self::Unavailable
            }
            StoreError::Conflict(what) => Self::Taken(what),
            other => Self::internal(other),
        }
    }
}

/// What follows a refusal that has a cause.
fn because(cause: Option<Cause>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {}", cause.reason()))
}

/// Turns the permission table's verdict into an answer.
pub(super) fn allowed(verdict: Verdict) -> Result<(), ChatError> {
    match verdict {
        Verdict::Yes => Ok(()),
        Verdict::Forbidden => Err(ChatError::Forbidden),
        Verdict::Hidden => Err(ChatError::NotFound("room")),
        Verdict::Muted => Err(ChatError::Muted),
    }
}
