//! Error responses: `{msg}`, with the same text under `error`.

use serde::Serialize;

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, refusal, text_of};

#[derive(Serialize)]
struct ErrorJson {
    msg: String,
    error: String,
}

pub(super) fn response(fault: &Fault) -> Response {
    let msg = text(fault);
    refusal(
        fault,
        &ErrorJson {
            error: msg.clone(),
            msg,
        },
    )
}

pub(super) fn text(fault: &Fault) -> String {
    match fault {
        Fault::Chat(ChatError::BadCredentials) => "Invalid credentials".to_owned(),
        Fault::Chat(ChatError::Taken("email")) => "Email already registered".to_owned(),
        Fault::Chat(ChatError::NotFound("user")) => "User not found".to_owned(),
        other => text_of(other),
    }
}
