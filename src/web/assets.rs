//! Scripts, style sheets and icons, compiled into the binary. All have URLs with one hash of all contents, so browsers
//! may cache them forever.

use std::io::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::dialect::kit::{Call, Fault, Response, StatusCode, empty, set_header, takes_gzip};

use super::bundle::{Module, bundle};
use super::respond::Answer;

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("assets/", $name, ".js")))),*]
    };
}

static MODULES: &[Module] = modules![
    "actions", "attach", "attached", "changes", "chat", "complete", "composer", "copy", "details",
    "dom", "draft", "emoji", "history", "lightbox", "links", "list", "logout", "main", "markup",
    "media", "menu", "message", "notify", "outbox", "page", "pending", "people", "place",
    "presence", "reactors", "rooms", "storage", "switcher", "text", "timeline", "toast", "uploads",
    "urls", "wire",
];

struct File {
    name: &'static str,
    kind: &'static str,
    content: Bytes,
    /// `content`, compressed with gzip.
    packed: Bytes,
}

impl File {
    fn new(name: &'static str, kind: &'static str, content: String) -> Self {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail.
        let _ = packed.write_all(content.as_bytes());
        Self {
            name,
            kind,
            content: content.into(),
            packed: packed.finish().unwrap_or_default().into(),
        }
    }
}

/// The served files, concatenated and compressed once. They are few, because on a slow connection each one costs a
/// round trip.
static FILES: LazyLock<[File; 5]> = LazyLock::new(|| {
    let base = include_str!("assets/base.css");
    let app = [
        base,
        include_str!("assets/list.css"),
        include_str!("assets/panel.css"),
        include_str!("assets/chat.css"),
        include_str!("assets/message.css"),
        include_str!("assets/media.css"),
    ];
    let docs = [base, include_str!("assets/docs.css")];
    let icon = include_str!("assets/icon.svg");
    [
        File::new("base.css", CSS, base.to_owned()),
        File::new("app.css", CSS, app.concat()),
        File::new("docs.css", CSS, docs.concat()),
        File::new("main.js", JS, bundle(MODULES, "main")),
        File::new("icon.svg", SVG, icon.to_owned()),
    ]
});

/// Returns the base path of the files: `/assets/` and the hash of all of them.
pub(super) fn base() -> &'static str {
    static BASE: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for file in FILES.iter() {
            hash.update(file.name);
            hash.update(&file.content);
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

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|file| file.name)
}

pub(super) async fn serve(call: Call) -> Answer {
    let current = base().strip_prefix("/assets/") == Some(call.param(0));
    let file = FILES.iter().find(|file| file.name == call.param(1));
    let Some(file) = file.filter(|_| current) else {
        return Err(Fault::NoRoute.into());
    };
    if !takes_gzip(&call.headers) {
        return Ok(kept(file.kind, file.content.clone()));
    }
    let mut response = kept(file.kind, file.packed.clone());
    set_header(&mut response, "content-encoding", "gzip");
    Ok(response)
}

/// Redirects to the icon. Browsers request `/favicon.ico` for responses that cannot name an icon, such as JSON.
pub(super) async fn favicon(_: Call) -> Answer {
    let mut response = empty(StatusCode::FOUND);
    set_header(&mut response, "location", &format!("{}/icon.svg", base()));
    Ok(response)
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
    fn the_script_contains_every_module_and_its_imports() {
        let script = bundle(MODULES, "main");
        for (name, _) in MODULES {
            assert!(script.contains(&format!("const m_{name} = ")), "{name}");
        }
        for line in script.lines() {
            assert!(!line.starts_with("import "), "{line}");
            assert!(!line.starts_with("export "), "{line}");
            if let Some((_, name)) = line.split_once("} = m_") {
                let name = name.trim_end_matches(';');
                assert!(MODULES.iter().any(|(known, _)| *known == name), "{name}");
            }
        }
    }
}
