//! Error responses: `message`, and the keys of the other protocols below `/api`.

use crate::chat::ChatError;
use crate::dialect::kit::{Fault, Response, StatusCode, api_error, api_refusal, text_of};
use crate::model::Invalid;

#[derive(Debug)]
pub(super) enum Refusal {
    Fault(Fault),
    /// Error with a status and a text that the original API prescribes.
    Said(StatusCode, &'static str),
}

impl<T: Into<Fault>> From<T> for Refusal {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

impl Refusal {
    /// Returns the error for an invalid value.
    pub(super) const fn bad(text: &'static str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, text)
    }

    /// Returns the error for something that does not exist.
    pub(super) const fn missing(text: &'static str) -> Self {
        Self::Said(StatusCode::NOT_FOUND, text)
    }

    /// Returns the error for something that belongs to another account.
    pub(super) const fn forbidden(text: &'static str) -> Self {
        Self::Said(StatusCode::FORBIDDEN, text)
    }

    /// Replaces the text if the core denied permission.
    pub(super) fn or_forbidden(self, text: &'static str) -> Self {
        match self {
            Self::Fault(Fault::Chat(ChatError::Forbidden)) => Self::forbidden(text),
            other => other,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Fault(fault) => text(fault),
            Self::Said(_, text) => (*text).to_owned(),
        }
    }
}

pub(super) fn response(refused: &Refusal) -> Response {
    match refused {
        Refusal::Fault(fault) => fault_response(fault),
        Refusal::Said(status, text) => api_error(*status, text),
    }
}

pub(super) fn fault_response(fault: &Fault) -> Response {
    let mut response = api_refusal(fault, &text(fault));
    if let Fault::Chat(ChatError::Taken(_)) = fault {
        // The original API answers 400 instead of 409.
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
