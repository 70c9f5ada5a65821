//! `/api`, which several protocols share: what is said where none of them has a path, and of what concerns all.

use serde::Serialize;

use super::{Fault, Response, Surface, refusal, text_of};

/// A refusal that clients of every protocol below `/api` can read.
#[derive(Serialize)]
struct Refusal<'a> {
    error: &'a str,
    message: &'a str,
    msg: &'a str,
    detail: &'a str,
}

/// No routes, but a voice; stands before those that have routes there.
pub fn api_surface() -> Surface {
    Surface {
        prefix: "/api",
        routes: Vec::new(),
        fault: api_refusal,
    }
}

/// The text of a fault under the keys of every protocol below `/api`.
pub fn api_refusal(fault: &Fault) -> Response {
    let text = text_of(fault);
    let (error, message, msg, detail) = (&*text, &*text, &*text, &*text);
    refusal(
        fault,
        &Refusal {
            error,
            message,
            msg,
            detail,
        },
    )
}

/// Whether a fault is none of one protocol's own, so that [`api_refusal`] spells it.
pub fn is_shared_fault(fault: &Fault) -> bool {
    matches!(
        super::status_of(fault).as_u16(),
        405 | 413 | 415 | 429 | 503
    ) || matches!(fault, Fault::NoRoute)
}
