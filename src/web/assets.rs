//! Scripts, styles and pictures, built into the binary. All share one address that changes when any of them does, so
//! browsers may keep them for good.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::dialect::kit::{Call, Fault, Response, StatusCode, empty, set_header};

use super::answer::Answer;

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The files: name, type, content.
type File = (&'static str, &'static str, &'static [u8]);

macro_rules! files {
    ($($name:literal $kind:ident),* $(,)?) => {
        &[$(($name, $kind, include_bytes!(concat!("assets/", $name)))),*]
    };
}

static FILES: &[File] = files![
    "base.css" CSS,
    "list.css" CSS,
    "chat.css" CSS,
    "docs.css" CSS,
    "main.js" JS,
    "actions.js" JS,
    "chat.js" JS,
    "composer.js" JS,
    "dom.js" JS,
    "list.js" JS,
    "outbox.js" JS,
    "page.js" JS,
    "presence.js" JS,
    "rooms.js" JS,
    "timeline.js" JS,
    "wire.js" JS,
    "icon.svg" SVG,
];

/// Where the files are: `/assets/` and the hash of all of them.
pub(super) fn base() -> &'static str {
    static BASE: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for (name, _, content) in FILES {
            hash.update(name);
            hash.update(content);
        }
        let hash = hash.finalize();
        let hex: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("/assets/{hex}")
    });
    &BASE
}

/// The names of all scripts.
pub(super) fn scripts() -> impl Iterator<Item = &'static str> {
    FILES
        .iter()
        .filter(|(_, kind, _)| *kind == JS)
        .map(|(name, ..)| *name)
}

pub(super) async fn serve(call: Call) -> Answer {
    let current = base().strip_prefix("/assets/") == Some(call.param(0));
    let file = FILES.iter().find(|(name, ..)| *name == call.param(1));
    match file.filter(|_| current) {
        Some((_, kind, content)) => Ok(kept(kind, content)),
        None => Err(Fault::NoRoute.into()),
    }
}

/// Browsers ask for this on pages that are not ours to dress, such as JSON.
pub(super) async fn favicon(_: Call) -> Answer {
    let mut response = empty(StatusCode::FOUND);
    set_header(&mut response, "location", &format!("{}/icon.svg", base()));
    Ok(response)
}

fn kept(kind: &str, content: &'static [u8]) -> Response {
    let mut response = Response::new(content.into());
    set_header(&mut response, "content-type", kind);
    set_header(
        &mut response,
        "cache-control",
        "public, max-age=31536000, immutable",
    );
    response
}
