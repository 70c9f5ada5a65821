//! `/api/docs`: the documentation of the native protocol as a page, and example clients. Independent of the
//! implementation of that protocol.

use std::sync::LazyLock;

use askama::Template;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::dialect::kit::{Call, Fault, Response, StatusCode, api_fault, set_header};

use super::i18n;
use super::layout::Shell;
use super::respond::{self, Answer, Stop, page};

const DOCUMENT: &str = include_str!("../../docs/native.md");

/// Clients that the documentation links to.
const CLIENTS: [(&str, &str); 2] = [
    ("parlor.py", include_str!("../../docs/clients/parlor.py")),
    ("parlor.mjs", include_str!("../../docs/clients/parlor.mjs")),
];

/// Relative links in the document, and the paths where their targets are served.
const PLACES: [(&str, &str); 2] = [
    ("openapi.json", "/api/v1/openapi.json"),
    ("clients/", "/api/docs/clients/"),
];

/// Content security policy: only own styles and icon.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    shell: Shell,
    document: &'static str,
}

pub(super) async fn show(call: Call) -> Answer {
    static RENDERED: LazyLock<String> = LazyLock::new(|| render(DOCUMENT));
    let docs = DocsPage {
        shell: Shell::bare(i18n::of(), "API"),
        document: &RENDERED,
    };
    let mut response = page(StatusCode::OK, &call, &docs)?;
    set_header(&mut response, "content-security-policy", POLICY);
    Ok(response)
}

pub(super) async fn client(call: Call) -> Answer {
    let client = CLIENTS.iter().find(|(name, _)| *name == call.param(0));
    let (_, text) = client.ok_or(Fault::NoRoute)?;
    let mut response = Response::new((*text).into());
    set_header(&mut response, "content-type", "text/plain; charset=utf-8");
    Ok(response)
}

/// Builds the response that replaces a page.
pub(super) fn stopped(stop: &Stop) -> Response {
    match stop {
        Stop::Fault(fault) => api_fault(fault),
        other => respond::stopped(other),
    }
}

/// Renders one of the server's own documents to HTML.
fn render(document: &str) -> String {
    let mut events: Vec<_> = Parser::new_ext(document, Options::ENABLE_TABLES).collect();
    name_headings(&mut events);
    events.iter_mut().for_each(lead_on);
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter().flat_map(widen));
    // An empty table heading is an accessibility error.
    page.replace("<th></th>", "<td></td>")
}

/// Gives every heading an id for links.
fn name_headings(events: &mut [Event<'_>]) {
    let mut begin = None;
    for at in 0..events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { .. }) => begin = Some(at),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(begin) = begin.take() {
                    let name = anchor(&text_of(&events[begin..at]));
                    if let Event::Start(Tag::Heading { id, .. }) = &mut events[begin] {
                        *id = Some(name.into());
                    }
                }
            }
            _ => {}
        }
    }
}

fn text_of(events: &[Event<'_>]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

/// Returns the fragment id of a heading, as most sites that render Markdown form it.
fn anchor(heading: &str) -> String {
    let letters = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    letters
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Rewrites relative links to the paths where their targets are served.
fn lead_on(event: &mut Event<'_>) {
    if let Event::Start(Tag::Link { dest_url, .. }) = event {
        for (beside, here) in PLACES {
            if let Some(rest) = dest_url.strip_prefix(beside) {
                *dest_url = format!("{here}{rest}").into();
                return;
            }
        }
    }
}

/// Wraps tables in an element that scrolls, and headings in a link to themselves.
fn widen(event: Event<'_>) -> Vec<Event<'_>> {
    let raw = |html: &'static str| Event::Html(CowStr::Borrowed(html));
    match event {
        Event::Start(Tag::Table(_)) => vec![raw("<div class=\"wide\">"), event],
        Event::End(TagEnd::Table) => vec![event, raw("</div>")],
        Event::Start(Tag::Heading {
            id: Some(ref id), ..
        }) => {
            let link = Event::Html(format!("<a href=\"#{id}\">").into());
            vec![event, link]
        }
        Event::End(TagEnd::Heading(_)) => vec![raw("</a>"), event],
        _ => vec![event],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heading_anchors_are_made_of_their_words() {
        for (heading, name) in [
            ("Routes", "routes"),
            ("Coming back", "coming-back"),
            ("What `id` is, and why", "what-id-is-and-why"),
        ] {
            let page = render(&format!("## {heading}\n"));
            assert!(
                page.contains(&format!("<h2 id=\"{name}\"><a href=\"#{name}\">")),
                "{page}"
            );
        }
    }
}
