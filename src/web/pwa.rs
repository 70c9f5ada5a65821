//! PWA support: manifest, service worker, and the page shown without a connection. All three are the same for
//! everybody.

use askama::Template;
use serde_json::json;

use crate::dialect::kit::{Call, Response, StatusCode, set_header};

use super::assets;
use super::i18n;
use super::layout::Shell;
use super::respond::{Answer, page};

const WORKER: &str = include_str!("assets/sw.js");

#[derive(Template)]
#[template(path = "offline.html")]
struct OfflinePage {
    shell: Shell,
}

pub(super) async fn manifest(_: Call) -> Answer {
    let manifest = json!({
        "name": "Parlor",
        "short_name": "Parlor",
        "id": "/",
        "start_url": "/conversations",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f5f4",
        "theme_color": "#0f766e",
        "icons": [{
            "src": format!("{}/icon.svg", assets::base()),
            "sizes": "any",
            "type": "image/svg+xml",
        }],
    });
    Ok(file("application/manifest+json", manifest.to_string()))
}

/// Serves the service worker. It changes with every file of the page, so browsers update it by themselves.
pub(super) async fn worker(_: Call) -> Answer {
    let files: Vec<_> = assets::names().collect();
    let head = format!(
        "const BASE = {};\nconst FILES = {};\nconst OFFLINE = \"/offline\";\n",
        json!(assets::base()),
        json!(files),
    );
    Ok(file("text/javascript; charset=utf-8", head + WORKER))
}

/// Serves the offline page in the language of the browser that installs it.
pub(super) async fn offline(call: Call) -> Answer {
    let t = i18n::of();
    let shell = Shell::bare(t, t.no_connection);
    page(StatusCode::OK, &call, &OfflinePage { shell })
}

fn file(kind: &str, content: String) -> Response {
    let mut response = Response::new(content.into());
    set_header(&mut response, "content-type", kind);
    set_header(&mut response, "cache-control", "no-cache");
    response
}
