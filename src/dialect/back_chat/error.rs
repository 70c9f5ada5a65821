//! Error responses: bare JSON strings.

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, StatusCode, json, refusal, text_of};

pub(super) fn response(fault: &Fault) -> Response {
    match fault {
        Fault::Chat(ChatError::Unauthenticated(_)) => {
            json(StatusCode::UNAUTHORIZED, &"Unauthorised")
        }
        Fault::Chat(ChatError::Forbidden) => json(StatusCode::FORBIDDEN, &"Forbidden"),
        Fault::Chat(ChatError::NotFound("user")) => json(StatusCode::NOT_FOUND, &"User not found"),
        Fault::Upgrade(refused) => refused.dress(refusal(fault, &text_of(fault))),
        other => refusal(other, &text_of(other)),
    }
}
