//! Error responses below `/api`, a prefix that several dialects share.

use serde::Serialize;

use super::{Fault, Response, StatusCode, Surface, json, refusal, text_of};

/// Error text under the key of every protocol below `/api`.
#[derive(Serialize)]
struct Refusal<'a> {
    error: &'a str,
    message: &'a str,
    msg: &'a str,
    detail: &'a str,
}

impl<'a> Refusal<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            error: text,
            message: text,
            msg: text,
            detail: text,
        }
    }
}

/// Returns a surface without routes that answers errors below `/api`. It precedes the surfaces with routes there.
pub fn api_surface() -> Surface {
    Surface {
        prefix: "/api",
        routes: Vec::new(),
        fault: api_fault,
    }
}

/// Returns an error response with the generic text of the fault.
pub fn api_fault(fault: &Fault) -> Response {
    api_refusal(fault, &text_of(fault))
}

/// Returns an error response with a dialect's own text.
pub fn api_refusal(fault: &Fault, text: &str) -> Response {
    refusal(fault, &Refusal::new(text))
}

/// Returns an error response with a status and a text that the original API prescribes.
pub fn api_error(status: StatusCode, text: &str) -> Response {
    json(status, &Refusal::new(text))
}
