//! Error responses as RFC 9457 problem documents with stable codes. `docs/native.md` lists the codes.

use serde::Serialize;

use crate::chat::{ChatError, TokenFault};
use crate::dialect::kit::{Fault, Response, StatusCode, json, retry_after, set_header, text_of};

/// Code and text of an error.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    pub code: &'static str,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    refusal: Refusal,
}

/// Returns the problem document of a fault.
pub(super) fn response(fault: &Fault) -> Response {
    let wait = retry_after(fault);
    let refused = if let Fault::Upgrade(refused) = fault {
        Some(*refused)
    } else {
        None
    };
    let (status, refusal) = describe(fault);
    let title = status.canonical_reason().unwrap_or("Error");
    let mut response = json(
        status,
        &Problem {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            refusal,
        },
    );
    set_header(&mut response, "content-type", "application/problem+json");
    if let Fault::BadRange(size) = fault {
        set_header(&mut response, "content-range", &format!("bytes */{size}"));
    }
    if let Some(seconds) = wait {
        set_header(&mut response, "retry-after", &seconds.to_string());
    }
    if status == StatusCode::UNAUTHORIZED {
        set_header(&mut response, "www-authenticate", "Bearer");
    }
    match refused {
        Some(refused) => refused.dress(response),
        None => response,
    }
}

/// Returns status, code and text of a fault.
pub(super) fn describe(fault: &Fault) -> (StatusCode, Refusal) {
    let (status, code, detail) = match fault {
        Fault::Chat(error) => return describe_chat(error),
        Fault::BadJson { detail, .. } => (StatusCode::BAD_REQUEST, "bad_json", detail.clone()),
        Fault::BadQuery(name) => (
            StatusCode::BAD_REQUEST,
            "bad_query",
            format!("{name} is not what it should be"),
        ),
        Fault::MediaType(wanted) => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            format!("the body must be {wanted}"),
        ),
        Fault::TooLarge(most) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body has more than {most} bytes"),
        ),
        Fault::BadRange(size) => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            "bad_range",
            format!("the file has {size} bytes"),
        ),
        Fault::BrokenBody => (
            StatusCode::BAD_REQUEST,
            "bad_json",
            "the body broke off or came too slowly".to_owned(),
        ),
        Fault::NoRoute => (
            StatusCode::NOT_FOUND,
            "not_found",
            "nothing is here".to_owned(),
        ),
        Fault::Method(allow) => (
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("allowed: {allow}"),
        ),
        Fault::Csrf => (
            StatusCode::FORBIDDEN,
            "csrf",
            "the header X-CSRF-Token is missing or wrong".to_owned(),
        ),
        Fault::ForeignPage => (StatusCode::FORBIDDEN, "csrf", text_of(fault)),
        Fault::Upgrade(refused) => (refused.status(), "upgrade_required", refused.to_string()),
    };
    (
        status,
        Refusal {
            code,
            detail,
            field: field(fault),
        },
    )
}

fn field(fault: &Fault) -> Option<String> {
    match fault {
        Fault::BadJson { field, .. } => field.clone(),
        Fault::BadQuery(name) => Some((*name).to_owned()),
        _ => None,
    }
}

/// Returns status, code and text of an error of the core.
pub(super) fn describe_chat(error: &ChatError) -> (StatusCode, Refusal) {
    let (status, code) = match error {
        ChatError::Unauthenticated(fault) => (StatusCode::UNAUTHORIZED, token_code(*fault)),
        ChatError::BadCredentials => (StatusCode::UNAUTHORIZED, "bad_credentials"),
        ChatError::StaleLogin => (StatusCode::FORBIDDEN, "stale_login"),
        ChatError::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        ChatError::Muted => (StatusCode::FORBIDDEN, "muted"),
        ChatError::RegistrationClosed(_) => (StatusCode::FORBIDDEN, "registration_closed"),
        ChatError::GuestsDisabled(_) => (StatusCode::FORBIDDEN, "guests_disabled"),
        ChatError::BadSetupToken => (StatusCode::FORBIDDEN, "setup_token"),
        ChatError::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
        ChatError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ChatError::Taken(_) => (StatusCode::CONFLICT, "taken"),
        ChatError::AlreadyMember => (StatusCode::CONFLICT, "already_member"),
        ChatError::NotMember => (StatusCode::CONFLICT, "not_member"),
        ChatError::LastAdmin => (StatusCode::CONFLICT, "last_admin"),
        ChatError::Owner => (StatusCode::CONFLICT, "owner"),
        ChatError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        ChatError::Quota => (StatusCode::FORBIDDEN, "quota"),
        ChatError::Limited(_) => (StatusCode::TOO_MANY_REQUESTS, "limited"),
        ChatError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        ChatError::Full => (StatusCode::INSUFFICIENT_STORAGE, "full"),
        ChatError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        ChatError::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    };
    let field = match error {
        ChatError::Invalid(invalid) => Some(invalid.field.to_owned()),
        ChatError::Taken(field) => Some((*field).to_owned()),
        _ => None,
    };
    (
        status,
        Refusal {
            code,
            detail: error.to_string(),
            field,
        },
    )
}

fn token_code(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::Missing | TokenFault::Remote(_) => "unauthenticated",
        TokenFault::Invalid | TokenFault::WrongKind => "token_invalid",
        TokenFault::Expired => "token_expired",
        TokenFault::Revoked => "session_ended",
    }
}
