//! Error messages for people: a status, a heading, a sentence, and the form field concerned.

use crate::chat::{Cause, ChatError};
use crate::dialect::kit::{Fault, StatusCode};
use crate::model::Invalid;

use super::i18n::Texts;

/// Error message.
pub(super) struct Said {
    /// Status of the response.
    pub status: StatusCode,
    pub title: &'static str,
    pub text: String,
    /// Form field with the error.
    pub field: Option<&'static str>,
}

pub(super) fn explain(t: &'static Texts, fault: &Fault) -> Said {
    let (status, title, text) = match fault {
        Fault::Chat(error) => return explain_chat(t, error),
        Fault::NoRoute => (StatusCode::NOT_FOUND, t.not_found, t.not_found_text),
        Fault::Method(_) => (
            StatusCode::METHOD_NOT_ALLOWED,
            t.not_found,
            t.not_found_text,
        ),
        Fault::Csrf => (StatusCode::FORBIDDEN, t.form_outdated, t.form_outdated_text),
        Fault::ForeignPage => (StatusCode::FORBIDDEN, t.not_done, t.form_foreign_text),
        Fault::TooLarge(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            t.bad_request,
            t.too_large_text,
        ),
        Fault::MediaType(_) => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            t.bad_request,
            t.bad_request_text,
        ),
        Fault::BadRange(_) => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            t.bad_request,
            t.bad_request_text,
        ),
        Fault::BadJson { .. } | Fault::BadQuery(_) | Fault::BrokenBody | Fault::Upgrade(_) => {
            (StatusCode::BAD_REQUEST, t.bad_request, t.bad_request_text)
        }
    };
    Said {
        status,
        title,
        text: text.to_owned(),
        field: None,
    }
}

pub(super) fn explain_chat(t: &'static Texts, error: &ChatError) -> Said {
    let (status, title, text) = match error {
        ChatError::Invalid(invalid) => return explain_invalid(t, *invalid),
        ChatError::Taken(field) => return explain_taken(t, field),
        ChatError::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, t.forbidden, t.logged_out_text),
        ChatError::BadCredentials => (StatusCode::UNAUTHORIZED, t.forbidden, t.bad_credentials),
        ChatError::StaleLogin => (StatusCode::FORBIDDEN, t.forbidden, t.stale_login),
        ChatError::Forbidden => (StatusCode::FORBIDDEN, t.forbidden, t.forbidden_text),
        ChatError::Muted => (StatusCode::FORBIDDEN, t.forbidden, t.muted_text),
        ChatError::RegistrationClosed(Some(cause)) | ChatError::GuestsDisabled(Some(cause)) => (
            StatusCode::FORBIDDEN,
            t.forbidden,
            explain_remote(t, *cause),
        ),
        ChatError::RegistrationClosed(None) => {
            (StatusCode::FORBIDDEN, t.forbidden, t.registration_closed)
        }
        ChatError::GuestsDisabled(None) => (StatusCode::FORBIDDEN, t.forbidden, t.guests_disabled),
        ChatError::BadSetupToken => (StatusCode::FORBIDDEN, t.forbidden, t.bad_setup_link),
        ChatError::NotFound("user") => (StatusCode::NOT_FOUND, t.not_found, t.no_people),
        ChatError::NotFound("invite") => (StatusCode::NOT_FOUND, t.bad_link, t.bad_invite),
        ChatError::NotFound("password link") => {
            (StatusCode::NOT_FOUND, t.bad_link, t.bad_password_link)
        }
        ChatError::NotFound(_) => (StatusCode::NOT_FOUND, t.not_found, t.not_found_text),
        ChatError::AlreadyMember => (StatusCode::CONFLICT, t.not_done, t.already_member),
        ChatError::NotMember => (StatusCode::CONFLICT, t.not_done, t.not_member),
        ChatError::LastAdmin => (StatusCode::CONFLICT, t.not_done, t.last_admin),
        ChatError::Owner => (StatusCode::CONFLICT, t.not_done, t.owner_stays),
        ChatError::Limited(_) => (StatusCode::TOO_MANY_REQUESTS, t.not_done, t.limited),
        ChatError::Busy => (StatusCode::SERVICE_UNAVAILABLE, t.not_done, t.busy),
        ChatError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, t.not_done, t.too_large_text),
        ChatError::Quota => (StatusCode::FORBIDDEN, t.not_done, t.quota_full),
        ChatError::Full => (StatusCode::INSUFFICIENT_STORAGE, t.not_done, t.disk_full),
        ChatError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, t.not_done, t.cannot_store),
        ChatError::Internal => (StatusCode::INTERNAL_SERVER_ERROR, t.not_done, t.internal),
    };
    Said {
        status,
        title,
        text: text.to_owned(),
        field: None,
    }
}

/// Returns the message for something only allowed on the local network; it names the setting that decides.
fn explain_remote(t: &'static Texts, cause: Cause) -> &'static str {
    match cause {
        Cause::Address => t.remote_address,
        Cause::Proxy | Cause::Forwarding => t.remote_proxy,
        Cause::Origin => t.remote_origin,
        Cause::Host => t.remote_host,
    }
}

fn explain_invalid(t: &'static Texts, invalid: Invalid) -> Said {
    Said {
        status: StatusCode::BAD_REQUEST,
        title: t.bad_request,
        text: format!("{} {}.", label(t, invalid.field), t.why(invalid)),
        field: Some(invalid.field),
    }
}

fn explain_taken(t: &'static Texts, field: &'static str) -> Said {
    let text = match field {
        "username" | "display_name" => t.username_taken,
        "email" => t.email_taken,
        "access_key" => t.access_key_taken,
        _ => t.already_sent,
    };
    Said {
        status: StatusCode::CONFLICT,
        title: t.not_done,
        text: text.to_owned(),
        field: Some(field),
    }
}

/// Returns the label of a field on pages.
fn label(t: &'static Texts, field: &'static str) -> &'static str {
    match field {
        "username" => t.username,
        "email" => t.email,
        "display_name" => t.display_name,
        "password" => t.password,
        "current_password" => t.current_password,
        "new_password" => t.new_password,
        "file" => t.file,
        "max_uses" => t.max_uses,
        "conv_name" => t.room_name,
        "conv_description" => t.room_description,
        "q" => t.search,
        "name" => t.room_name,
        "description" => t.room_description,
        "access_key" => t.access_key,
        "content" => t.message,
        "role" => t.role_of_account,
        "kind" => t.room_kind,
        "notify" => t.notify,
        "initial_members" => t.initial_members,
        other => other,
    }
}
