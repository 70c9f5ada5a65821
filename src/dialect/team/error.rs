//! Error responses: `message` on API routes, `msg` on token routes. All have both, and the keys of the other protocols
//! below `/api`.

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, api_refusal, text_of};

pub(super) fn response(fault: &Fault) -> Response {
    let response = api_refusal(fault, &text(fault));
    match fault {
        Fault::Upgrade(refused) => refused.dress(response),
        _ => response,
    }
}

pub(super) fn text(fault: &Fault) -> String {
    let text = match fault {
        Fault::Chat(ChatError::BadCredentials) => "Invalid credentials",
        Fault::Chat(ChatError::NotFound("user")) => "User not found",
        Fault::Chat(ChatError::NotFound(_)) => "Conversation not found",
        other => return text_of(other),
    };
    text.to_owned()
}
