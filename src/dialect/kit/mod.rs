//! HTTP foundation of all dialects and of the web pages: requests, routes, faults. Independent of any dialect.

mod body;
mod compress;
mod cors;
mod current;
mod error;
mod file_response;
mod multipart;
mod offload;
mod origin;
mod pipeline;
mod plain_text;
mod reply;
mod request;
mod router;
mod shared_errors;
mod slow_client;
mod socketio_session;
mod url;
pub mod websocket_session;

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};

pub use body::{form_fields, json_body};
pub use compress::takes_gzip;
pub use cors::Origins;
pub use current::{current_cookie, current_header};
pub use error::{Fault, flask_token_fault, retry_after, status_of, text_of};
pub use file_response::send_file;
pub use multipart::{Form, Part, form};
pub use offload::Offload;
pub use origin::Network;
pub use pipeline::{Pipeline, Slot};
pub use plain_text::{absolute, plain_text};
pub use reply::{Emit, Reply};
pub use request::{Call, PEOPLE_MAX, Page, Proof};
pub(crate) use router::routes;
pub use router::{Handler, Route, Surface, Table};
pub use shared_errors::{api_error, api_fault, api_refusal, api_surface};
pub(crate) use socketio_session::events;
pub use socketio_session::{
    Doing, EventHandler, EventSurface, Session, Sockets, add_bare_event, add_event,
};
pub use warp::http::{HeaderMap, Method, StatusCode};
pub use warp::reply::Response;

use crate::chat::Chat;
use crate::model::Millis;

/// State shared by all handlers: the core and the operator's HTTP settings.
pub struct Kit {
    pub chat: Chat,
    /// Names of this server, and its trusted proxies and origins.
    pub network: Network,
    /// Origins that may send requests from a browser (CORS).
    pub origins: Origins,
    /// URL of the WebSocket if it is on another host than the pages: `wss://chat.example`.
    pub ws_url: Option<String>,
    /// Dialects that need no token from the local network (`compat.open`).
    pub compat_open: Vec<&'static str>,
    /// Threads for long-running work.
    pub offload: Offload,
}

impl Kit {
    /// Whether the operator has opened that dialect to the local network, see [`Call::is_open`].
    pub fn is_open(&self, dialect: &str) -> bool {
        self.compat_open.contains(&dialect)
    }

    /// Returns the minimum length of passwords in that dialect, in characters.
    pub fn password_min(&self, dialect: &str) -> u32 {
        match self.is_open(dialect) {
            true => 1,
            false => self.chat.settings().password_min,
        }
    }

    pub(super) fn cookie_name(&self) -> String {
        format!("parlor_{}", self.chat.instance())
    }
}

pub type SharedKit = Arc<Kit>;

/// Returns a JSON response.
///
/// Serialization never fails for this server's types: all their maps have string keys.
pub fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    set_header(&mut response, "content-type", "application/json");
    response
}

/// Returns a response without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Sets a header. A value that is not valid in a header is left out.
pub fn set_header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}

/// Result of a handler.
pub type Answer = Result<Response, Fault>;

/// Formats a time in UTC without its zone, as `YYYY-MM-DDTHH:MM:SS`.
pub fn seconds(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Formats a time as RFC 3339 in UTC with milliseconds.
pub fn rfc3339(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Returns a JSON error response with the fault's status and `Retry-After`.
pub fn refusal(fault: &Fault, body: &impl serde::Serialize) -> Response {
    let mut response = json(status_of(fault), body);
    if let Some(seconds) = retry_after(fault) {
        set_header(&mut response, "retry-after", &seconds.to_string());
    }
    response
}
