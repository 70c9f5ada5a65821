//! Refusals: `{message}` on API routes, `{msg}` on token routes; both keys everywhere.

use serde::Serialize;

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, refusal, text_of};

#[derive(Serialize)]
pub(super) struct ErrorJson {
    pub message: String,
    pub msg: String,
}

/// The answer for a fault.
pub(super) fn response(fault: &Fault) -> Response {
    let message = text(fault);
    let response = refusal(
        fault,
        &ErrorJson {
            msg: message.clone(),
            message,
        },
    );
    match fault {
        Fault::Upgrade(refused) => refused.dress(response),
        _ => response,
    }
}

/// The text of a fault.
pub(super) fn text(fault: &Fault) -> String {
    match fault {
        Fault::Chat(ChatError::BadCredentials) => "Invalid credentials".to_owned(),
        other => text_of(other),
    }
}
