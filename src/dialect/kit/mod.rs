//! What all HTTP dialects and pages need and no protocol owns: requests, routes, faults. Must not know any dialect.

mod address;
mod api;
mod body;
mod call;
mod compress;
mod cors;
mod current;
mod download;
mod fault;
mod multipart;
mod offload;
mod origin;
mod pace;
mod pipeline;
pub mod raw;
mod reply;
mod sockets;
mod table;
mod words;

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};

pub use api::{api_error, api_fault, api_refusal, api_surface};
pub use body::{form_fields, json_body};
pub use call::{Call, PEOPLE_MAX, Page, Proof};
pub use compress::takes_gzip;
pub use cors::Origins;
pub use current::{current_cookie, current_header};
pub use download::send_file;
pub use fault::{Fault, flask_token_fault, retry_after, status_of, text_of};
pub use multipart::{Form, Part, form};
pub use offload::Offload;
pub use origin::Network;
pub use pipeline::{Pipeline, Slot};
pub use reply::{Emit, Reply};
pub(crate) use sockets::events;
pub use sockets::{Doing, EventHandler, EventSurface, Session, Sockets, add_bare_event, add_event};
pub(crate) use table::routes;
pub use table::{Handler, Route, Surface, Table};
pub use warp::http::{HeaderMap, Method, StatusCode};
pub use warp::reply::Response;
pub use words::{absolute, words};

use crate::chat::Chat;
use crate::model::Millis;

/// What every handler is given: the chat, and what an operator decides about HTTP.
pub struct Kit {
    /// The core.
    pub chat: Chat,
    /// What this server is called, and who its neighbours are.
    pub network: Network,
    /// Web sites that may call from a browser.
    pub origins: Origins,
    /// Where pages find the WebSocket, if it is not on their own host: `wss://chat.example`.
    pub ws_url: Option<String>,
    /// Dialects that answer as openly as their documents say.
    pub compat_open: Vec<&'static str>,
    /// Threads for what takes long.
    pub offload: Offload,
}

impl Kit {
    /// Whether an operator lets that dialect answer as openly as its document says: to the local network, see
    /// [`Call::is_open`].
    pub fn is_open(&self, dialect: &str) -> bool {
        self.compat_open.contains(&dialect)
    }

    /// The shortest password that people may choose through that dialect, characters.
    pub fn password_min(&self, dialect: &str) -> u32 {
        match self.is_open(dialect) {
            true => 1,
            false => self.chat.settings().password_min,
        }
    }

    /// The name of our session cookie.
    pub(super) fn cookie_name(&self) -> String {
        format!("parlor_{}", self.chat.instance())
    }
}

/// The shared [`Kit`].
pub type SharedKit = Arc<Kit>;

/// A JSON answer.
///
/// Never fails for our own types: they hold no maps with other keys than text.
pub fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    set_header(&mut response, "content-type", "application/json");
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Sets a header whose value is ours; a value that is no header text is left out.
pub fn set_header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}

/// What handlers answer.
pub type Answer = Result<Response, Fault>;

/// A time in UTC without its zone, as `YYYY-MM-DDTHH:MM:SS`.
pub fn seconds(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A time as RFC 3339 in UTC with milliseconds.
pub fn rfc3339(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A refusal as JSON, with what every protocol's refusals carry in their heads.
pub fn refusal(fault: &Fault, body: &impl serde::Serialize) -> Response {
    let mut response = json(status_of(fault), body);
    if let Some(seconds) = retry_after(fault) {
        set_header(&mut response, "retry-after", &seconds.to_string());
    }
    response
}
