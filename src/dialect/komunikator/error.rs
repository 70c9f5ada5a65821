//! Error responses: `error`, with status and text of the original API, and the other protocols' keys below `/api`.

use crate::chat::ChatError;
use crate::dialect::kit::{
    Fault, Response, StatusCode, api_error, api_refusal, status_of, text_of,
};
use crate::model::Invalid;

/// Error for a room that does not exist or that the caller may not see.
pub(super) const NO_ROOM: Refusal = Refusal::Said(StatusCode::NOT_FOUND, "Room not found");

pub(super) enum Refusal {
    /// Error with a status and a text that the original API prescribes for this case.
    Said(StatusCode, &'static str),
    /// Error that is answered as everywhere in this dialect.
    Fault(Fault),
}

pub(super) type Answer = Result<Response, Refusal>;

impl Refusal {
    /// Returns the error for a missing parameter.
    pub(super) const fn missing(text: &'static str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, text)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ChatError> for Refusal {
    fn from(error: ChatError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Fault(invalid.into())
    }
}

pub(super) fn refuse(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Said(status, text) => api_error(*status, text),
        Refusal::Fault(fault) => response(fault),
    }
}

pub(super) fn response(fault: &Fault) -> Response {
    let mut response = api_refusal(fault, &text(fault));
    *response.status_mut() = status(fault);
    response
}

fn status(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Chat(ChatError::AlreadyMember | ChatError::Taken("access_key")) => {
            StatusCode::BAD_REQUEST
        }
        Fault::Chat(ChatError::NotMember) => StatusCode::NOT_FOUND,
        other => status_of(other),
    }
}

pub(super) fn text(fault: &Fault) -> String {
    match fault {
        Fault::Chat(error) => chat_text(error),
        other => text_of(other),
    }
}

fn chat_text(error: &ChatError) -> String {
    let said = match error {
        ChatError::BadCredentials => "Invalid user credentials",
        ChatError::NotFound("user") => "User not found",
        ChatError::NotFound(_) => "Room not found",
        ChatError::AlreadyMember => "User already in room",
        ChatError::NotMember => "User not in room",
        ChatError::Taken("username") => "User Exists",
        ChatError::Taken("access_key") => "Room with this access key already exists",
        ChatError::Owner => "The owner cannot leave the room, only delete it",
        ChatError::Invalid(invalid) => return invalid_text(*invalid),
        ChatError::Unauthenticated(_)
        | ChatError::Forbidden
        | ChatError::StaleLogin
        | ChatError::Muted
        | ChatError::RegistrationClosed(_)
        | ChatError::GuestsDisabled(_)
        | ChatError::BadSetupToken
        | ChatError::Taken(_)
        | ChatError::LastAdmin
        | ChatError::Limited(_)
        | ChatError::TooLarge(_)
        | ChatError::Quota
        | ChatError::Busy
        | ChatError::Full
        | ChatError::Unavailable
        | ChatError::Internal => return text_of(&Fault::Chat(error.clone())),
    };
    said.to_owned()
}

/// Formats the error of an invalid field, under the name that this dialect gives it.
fn invalid_text(invalid: Invalid) -> String {
    let field = match invalid.field {
        "username" => "user_name",
        "name" => "room_name",
        "content" => "message",
        other => other,
    };
    format!("{field} {}", invalid.reason())
}
