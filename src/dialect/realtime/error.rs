//! Refusals: `message`, and the keys of the others below `/api`.

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, StatusCode, api_error, api_refusal, text_of};
use crate::model::Invalid;

/// Why this dialect does not do something.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The core or the kit refused.
    Fault(Fault),
    /// The document has a sentence of its own for it.
    Said(StatusCode, &'static str),
}

impl<T: Into<Fault>> From<T> for Refusal {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

impl Refusal {
    /// A value that is no good.
    pub(super) const fn bad(text: &'static str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, text)
    }

    /// Something that is not there.
    pub(super) const fn missing(text: &'static str) -> Self {
        Self::Said(StatusCode::NOT_FOUND, text)
    }

    /// Something that is somebody else's.
    pub(super) const fn forbidden(text: &'static str) -> Self {
        Self::Said(StatusCode::FORBIDDEN, text)
    }

    /// Another sentence, if the core refused because it is somebody else's.
    pub(super) fn or_forbidden(self, text: &'static str) -> Self {
        match self {
            Self::Fault(Fault::Chat(ChatError::Forbidden)) => Self::forbidden(text),
            other => other,
        }
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Fault(fault) => text(fault),
            Self::Said(_, text) => (*text).to_owned(),
        }
    }
}

/// The answer for a refusal.
pub(super) fn response(refused: &Refusal) -> Response {
    match refused {
        Refusal::Fault(fault) => fault_response(fault),
        Refusal::Said(status, text) => api_error(*status, text),
    }
}

/// The answer for a fault.
pub(super) fn fault_response(fault: &Fault) -> Response {
    let mut response = api_refusal(fault, &text(fault));
    if let Fault::Chat(ChatError::Taken(_)) = fault {
        // As documented.
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

fn text(fault: &Fault) -> String {
    let text = match fault {
        Fault::Chat(ChatError::BadCredentials) => "Invalid credentials",
        Fault::Chat(ChatError::Taken("username")) => "Username already exists",
        Fault::Chat(ChatError::Taken("email")) => "Email already exists",
        Fault::Chat(ChatError::NotFound("user")) => "User not found",
        Fault::Chat(ChatError::NotFound("message")) => "Message not found",
        Fault::Chat(ChatError::NotFound("file")) => "File not found",
        Fault::Chat(ChatError::NotFound("room")) => "Chat not found",
        Fault::Chat(ChatError::Invalid(invalid)) => return of_invalid(invalid),
        other => return text_of(other),
    };
    text.to_owned()
}

fn of_invalid(invalid: &Invalid) -> String {
    match (invalid.field, invalid.why) {
        ("content", "must not be empty") => "Message content cannot be empty".to_owned(),
        ("content", why) => format!("Message content {why}"),
        _ => invalid.to_string(),
    }
}
