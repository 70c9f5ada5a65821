//! `/api`, which several protocols share: how all of them spell refusals there.

use serde::Serialize;

use super::{Fault, Response, StatusCode, Surface, json, refusal, text_of};

/// A text under the key of every protocol below `/api`.
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

/// No routes, but a voice; stands before those that have routes there.
pub fn api_surface() -> Surface {
    Surface {
        prefix: "/api",
        routes: Vec::new(),
        fault: api_fault,
    }
}

/// The refusal of a fault, in the words of no protocol.
pub fn api_fault(fault: &Fault) -> Response {
    api_refusal(fault, &text_of(fault))
}

/// The refusal of a fault, in a protocol's words.
pub fn api_refusal(fault: &Fault, text: &str) -> Response {
    refusal(fault, &Refusal::new(text))
}

/// A refusal for which a protocol's document has a status and a text of its own.
pub fn api_error(status: StatusCode, text: &str) -> Response {
    json(status, &Refusal::new(text))
}
