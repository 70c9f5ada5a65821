//! Refusals: `message` on API routes, `msg` on token routes; everywhere both and the keys of the others below `/api`.

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, api_refusal, text_of};

/// The answer for a fault.
pub(super) fn response(fault: &Fault) -> Response {
    let response = api_refusal(fault, &text(fault));
    match fault {
        Fault::Upgrade(refused) => refused.dress(response),
        _ => response,
    }
}

/// The text of a fault.
pub(super) fn text(fault: &Fault) -> String {
    let text = match fault {
        Fault::Chat(ChatError::BadCredentials) => "Invalid credentials",
        Fault::Chat(ChatError::NotFound("user")) => "User not found",
        Fault::Chat(ChatError::NotFound(_)) => "Conversation not found",
        other => return text_of(other),
    };
    text.to_owned()
}
