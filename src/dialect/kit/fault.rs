//! Why a request gets no answer of its own; each dialect spells every one of these in its own shape.

use crate::chat::{ChatError, TokenFault};
use crate::model::Invalid;
use crate::transport::upgrade::Refused;

/// What was wrong, before or in the core.
#[derive(Debug)]
pub enum Fault {
    /// The core refused.
    Chat(ChatError),
    /// The body is no JSON, or not of the shape that is due; the field is named where it is known.
    BadJson {
        /// Where in the body, like `content` or `members[2]`.
        field: Option<String>,
        /// What the parser says.
        detail: String,
    },
    /// A query parameter of that name is not what it should be.
    BadQuery(&'static str),
    /// The body is of another type than this one.
    MediaType(&'static str),
    /// The body has more bytes than the route takes.
    TooLarge(usize),
    /// The body broke off or came too slowly.
    BrokenBody,
    /// Nothing is at that path.
    NoRoute,
    /// The path does not take that method, only these (for `Allow`).
    Method(String),
    /// A cookie without the page's token, or from a foreign page.
    Csrf,
    /// A WebSocket handshake that is none.
    Upgrade(Refused),
}

impl From<ChatError> for Fault {
    fn from(error: ChatError) -> Self {
        Self::Chat(error)
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self::Chat(ChatError::Invalid(invalid))
    }
}

impl From<TokenFault> for Fault {
    fn from(fault: TokenFault) -> Self {
        Self::Chat(ChatError::Unauthenticated(fault))
    }
}

/// Seconds to wait before another try, where waiting helps.
pub fn retry_after(fault: &Fault) -> Option<u64> {
    match fault {
        Fault::Chat(ChatError::Limited(wait)) => Some(wait.as_secs() + 1),
        Fault::Chat(ChatError::Busy) => Some(1),
        _ => None,
    }
}
