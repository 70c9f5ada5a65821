//! Scripts, styles and pictures, built into the binary. All share one address that changes when any of them does, so
//! browsers may keep them for good.

use std::io::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
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
    "message.css" CSS,
    "panel.css" CSS,
    "main.js" JS,
    "actions.js" JS,
    "attach.js" JS,
    "attached.js" JS,
    "chat.js" JS,
    "complete.js" JS,
    "composer.js" JS,
    "copy.js" JS,
    "details.js" JS,
    "dom.js" JS,
    "emoji.js" JS,
    "history.js" JS,
    "lightbox.js" JS,
    "list.js" JS,
    "markup.js" JS,
    "menu.js" JS,
    "message.js" JS,
    "notify.js" JS,
    "outbox.js" JS,
    "page.js" JS,
    "pending.js" JS,
    "people.js" JS,
    "presence.js" JS,
    "rooms.js" JS,
    "switcher.js" JS,
    "timeline.js" JS,
    "uploads.js" JS,
    "wire.js" JS,
    "icon.svg" SVG,
];

/// The files, packed once.
static PACKED: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let pack = |(_, _, content): &File| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail.
        let _ = packed.write_all(content);
        packed.finish().unwrap_or_default().into()
    };
    FILES.iter().map(pack).collect()
});

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

/// The names of all files.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, ..)| *name)
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
    let place = FILES.iter().position(|(name, ..)| *name == call.param(1));
    let Some(place) = place.filter(|_| current) else {
        return Err(Fault::NoRoute.into());
    };
    let (_, kind, content) = FILES[place];
    let accepted = call.header("accept-encoding").unwrap_or_default();
    if !takes_gzip(accepted) {
        return Ok(kept(kind, Bytes::from_static(content)));
    }
    let mut response = kept(kind, PACKED[place].clone());
    set_header(&mut response, "content-encoding", "gzip");
    Ok(response)
}

/// Browsers ask for this on pages that are not ours to dress, such as JSON.
pub(super) async fn favicon(_: Call) -> Answer {
    let mut response = empty(StatusCode::FOUND);
    set_header(&mut response, "location", &format!("{}/icon.svg", base()));
    Ok(response)
}

/// Whether a list like `br;q=1.0, gzip` holds gzip.
fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=");
        let refused = weight.parse() == Ok(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn kept(kind: &str, content: Bytes) -> Response {
    let mut response = Response::new(content.into());
    set_header(&mut response, "content-type", kind);
    set_header(&mut response, "vary", "accept-encoding");
    set_header(
        &mut response,
        "cache-control",
        "public, max-age=31536000, immutable",
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_takes_gzip_gets_it() {
        for (accepted, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, br", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(accepted), takes, "{accepted}");
        }
    }
}
