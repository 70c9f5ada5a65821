//! Errors of the core. Must not know how any protocol words them.

use std::fmt::Display;
use std::time::Duration;

use crate::model::{Invalid, Verdict};
use crate::store::StoreError;

use super::Cause;

/// Reason of a failed request; every dialect words each of these in its own way.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChatError {
    /// The token is missing or was refused.
    #[error("{0}")]
    Unauthenticated(#[from] TokenFault),
    /// Wrong name or password. Does not say which, so that names cannot be probed.
    #[error("wrong user name or password")]
    BadCredentials,
    /// Requires a session that began in the last 10 minutes.
    #[error("log in again first: this is done only within 10 minutes after a login")]
    StaleLogin,
    /// The caller's role does not permit it.
    #[error("you may not do that")]
    Forbidden,
    #[error("you are muted in this room")]
    Muted,
    /// Registration is disabled, or, with a cause, refused because the request counts as coming from the internet.
    #[error("registration is closed{}", because(*.0))]
    RegistrationClosed(Option<Cause>),
    /// Guests are disabled, or, with a cause, refused because the request counts as coming from the internet.
    #[error("guests are not let in{}", because(*.0))]
    GuestsDisabled(Option<Cause>),
    /// The set-up link is wrong, used or expired.
    #[error("the set-up link is no longer good; a restart of the server prints a new one")]
    BadSetupToken,
    /// Does not exist, or is not visible to the caller.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A value in the request is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// `username`, `email`, `access_key` or `uuid` is already in use.
    #[error("{0} is taken")]
    Taken(&'static str),
    #[error("already a member of this room")]
    AlreadyMember,
    #[error("not a member of this room")]
    NotMember,
    /// The last admin can be neither deleted nor demoted.
    #[error("this is the last admin")]
    LastAdmin,
    /// An owner must transfer the room before leaving.
    #[error("the owner hands the room over before leaving")]
    Owner,
    /// The file has more than this many bytes.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The person's files use all the disk space that they may.
    #[error("your files take all the room you may have here: delete some first")]
    Quota,
    /// The rate limit is exceeded; a retry may succeed after this time.
    #[error("too many requests, try again in {} s", .0.as_secs().max(1))]
    Limited(Duration),
    /// The server is overloaded; a retry may succeed.
    #[error("the server is busy, try again")]
    Busy,
    /// The disk is full; nothing was stored.
    #[error("the server's disk is full, nothing was stored")]
    Full,
    /// Nothing can be stored, for a reason that only the server's administrator can fix.
    #[error("the server cannot store anything now: its administrator has to look at it")]
    Unavailable,
    /// Fault of the server; the log has the cause.
    #[error("something went wrong on the server")]
    Internal,
}

/// Reason why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// A token is required and missing.
    #[error("not logged in")]
    Missing,
    /// The token is missing, which is allowed only in requests from the local network.
    #[error("not logged in: {}", .0.reason())]
    Remote(Cause),
    /// The token was not issued by this server.
    #[error("the token is not valid")]
    Invalid,
    /// A refresh token where an access token is due, or the reverse.
    #[error("the token is of the wrong kind")]
    WrongKind,
    #[error("the token has expired")]
    Expired,
    #[error("the session has ended")]
    Revoked,
}

impl ChatError {
    /// Logs the cause of an internal error, which the caller does not learn.
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
            // The store has logged it once.
            StoreError::Lost(_) | StoreError::Unsynced | StoreError::Checkpoint(_) => {
                Self::Unavailable
            }
            StoreError::Conflict(what) => Self::Taken(what),
            other => Self::internal(other),
        }
    }
}

/// Formats a cause as the end of an error message.
fn because(cause: Option<Cause>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {}", cause.reason()))
}

/// Converts the verdict of the permission table to a result.
pub(super) fn allowed(verdict: Verdict) -> Result<(), ChatError> {
    match verdict {
        Verdict::Yes => Ok(()),
        Verdict::Forbidden => Err(ChatError::Forbidden),
        Verdict::Hidden => Err(ChatError::NotFound("room")),
        Verdict::Muted => Err(ChatError::Muted),
    }
}
