//! Errors of requests. Each dialect turns every one of these into a response of its own format.

use crate::chat::{Cause, ChatError, TokenFault};
use crate::model::Invalid;
use crate::transport::upgrade::Refused;

use super::StatusCode;

/// Error of a request, found before or in the core.
#[derive(Debug)]
pub enum Fault {
    /// The core returned an error.
    Chat(ChatError),
    /// The body is not JSON, or has the wrong structure.
    BadJson {
        /// Path within the body if it is known, like `content` or `members[2]`.
        field: Option<String>,
        /// The parser's message.
        detail: String,
    },
    /// The query parameter of that name is invalid.
    BadQuery(&'static str),
    /// The body does not have this media type.
    MediaType(&'static str),
    /// The body exceeds the route's limit, in bytes.
    TooLarge(usize),
    /// The requested range lies outside of a file of this size in bytes.
    BadRange(u64),
    /// The body ended early or came too slowly.
    BrokenBody,
    /// There is no route for the path.
    NoRoute,
    /// The path does not support the method. Holds the supported ones, for `Allow`.
    Method(String),
    /// The CSRF token is missing or wrong.
    Csrf,
    /// The form comes from a page of another origin.
    ForeignPage,
    /// The WebSocket handshake is invalid.
    Upgrade(Refused),
}

impl From<ChatError> for Fault {
    fn from(error: ChatError) -> Self {
        Self::Chat(error)
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self::Chat(ChatError::Invalid(invalid))
    }
}

impl From<TokenFault> for Fault {
    fn from(fault: TokenFault) -> Self {
        Self::Chat(ChatError::Unauthenticated(fault))
    }
}

/// Returns status and text of a token error, as in the systems built on Flask-JWT.
pub fn flask_token_fault(fault: TokenFault) -> (StatusCode, &'static str) {
    match fault {
        TokenFault::Missing | TokenFault::Remote(Cause::Address) => {
            (StatusCode::UNAUTHORIZED, "Missing Authorization Header")
        }
        TokenFault::Remote(cause) => (StatusCode::UNAUTHORIZED, missing_token(cause)),
        TokenFault::Expired => (StatusCode::UNAUTHORIZED, "Token has expired"),
        TokenFault::Revoked => (StatusCode::UNAUTHORIZED, "Token has been revoked"),
        TokenFault::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Signature verification failed",
        ),
        TokenFault::WrongKind => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Only access tokens are allowed",
        ),
    }
}

/// Flask-JWT's text, with the setting to change.
fn missing_token(cause: Cause) -> &'static str {
    match cause {
        Cause::Address => "Missing Authorization Header",
        Cause::Proxy | Cause::Forwarding => {
            "Missing Authorization Header (the proxy is not trusted: setting server.trusted_proxies)"
        }
        Cause::Origin => {
            "Missing Authorization Header (this web site is not trusted: setting cors.trusted_origins)"
        }
        Cause::Host => {
            "Missing Authorization Header (this host name is not known: setting server.hosts)"
        }
    }
}

/// Returns the status of a fault in dialects whose errors consist of a text only.
pub fn status_of(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Chat(error) => status_of_refusal(error),
        Fault::BadJson { .. } | Fault::BadQuery(_) | Fault::BrokenBody => StatusCode::BAD_REQUEST,
        Fault::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Fault::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::BadRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
        Fault::NoRoute => StatusCode::NOT_FOUND,
        Fault::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        Fault::Csrf | Fault::ForeignPage => StatusCode::FORBIDDEN,
        Fault::Upgrade(refused) => refused.status(),
    }
}

fn status_of_refusal(error: &ChatError) -> StatusCode {
    match error {
        ChatError::Unauthenticated(fault) => flask_token_fault(*fault).0,
        ChatError::BadCredentials => StatusCode::UNAUTHORIZED,
        ChatError::Forbidden
        | ChatError::StaleLogin
        | ChatError::Muted
        | ChatError::RegistrationClosed(_)
        | ChatError::GuestsDisabled(_)
        | ChatError::BadSetupToken
        | ChatError::Quota => StatusCode::FORBIDDEN,
        ChatError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ChatError::NotFound(_) => StatusCode::NOT_FOUND,
        ChatError::Invalid(_) => StatusCode::BAD_REQUEST,
        ChatError::Taken(_)
        | ChatError::AlreadyMember
        | ChatError::NotMember
        | ChatError::LastAdmin
        | ChatError::Owner => StatusCode::CONFLICT,
        ChatError::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        ChatError::Busy | ChatError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ChatError::Full => StatusCode::INSUFFICIENT_STORAGE,
        ChatError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns the text of a fault for people.
pub fn text_of(fault: &Fault) -> String {
    match fault {
        Fault::Chat(ChatError::Unauthenticated(fault)) => flask_token_fault(*fault).1.to_owned(),
        Fault::Chat(error) => error.to_string(),
        Fault::BadJson {
            field: Some(field),
            detail,
        } => format!("{field}: {detail}"),
        Fault::BadJson {
            field: None,
            detail,
        } => detail.clone(),
        Fault::BadQuery(name) => format!("{name} is not what it should be"),
        Fault::MediaType(wanted) => format!("the body must be {wanted}"),
        Fault::TooLarge(most) => format!("the body has more than {most} bytes"),
        Fault::BadRange(size) => format!("the file has {size} bytes"),
        Fault::BrokenBody => "the body broke off or came too slowly".to_owned(),
        Fault::NoRoute => "Not found".to_owned(),
        Fault::Method(_) => "Method not allowed".to_owned(),
        Fault::Csrf => "the page's token is missing or wrong".to_owned(),
        Fault::ForeignPage => "the form comes from another web site".to_owned(),
        Fault::Upgrade(refused) => refused.to_string(),
    }
}

/// Seconds to wait before a retry, for faults where waiting helps.
pub fn retry_after(fault: &Fault) -> Option<u64> {
    match fault {
        Fault::Chat(ChatError::Limited(wait)) => Some(wait.as_secs() + 1),
        Fault::Chat(ChatError::Busy) => Some(1),
        _ => None,
    }
}
