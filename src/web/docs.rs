//! `/api/docs`: the document of the protocol that programs use, as a page, and the clients that go with it. Must not know
//! how that protocol is served.

use std::sync::LazyLock;

use askama::Template;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::dialect::kit::{Call, Fault, Response, StatusCode, api_fault, set_header};

use super::answer::{self, Answer, Stop, page};
use super::shell::Shell;
use super::texts;

const DOCUMENT: &str = include_str!("../../docs/native.md");

/// Clients that the document points to.
const CLIENTS: [(&str, &str); 2] = [
    ("parlor.py", include_str!("../../docs/clients/parlor.py")),
    ("parlor.mjs", include_str!("../../docs/clients/parlor.mjs")),
];

/// Where that is which stands beside the document.
const PLACES: [(&str, &str); 2] = [
    ("openapi.json", "/api/v1/openapi.json"),
    ("clients/", "/api/docs/clients/"),
];

/// Nothing but our styles and icon.
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
        shell: Shell::bare(texts::of(), "API"),
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

/// The answer in place of a page.
pub(super) fn stopped(stop: &Stop) -> Response {
    match stop {
        Stop::Fault(fault) => api_fault(fault),
        other => answer::stopped(other),
    }
}

/// HTML of a document of ours.
fn render(document: &str) -> String {
    let mut events: Vec<_> = Parser::new_ext(document, Options::ENABLE_TABLES).collect();
    name_headings(&mut events);
    events.iter_mut().for_each(lead_on);
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter().flat_map(widen));
    // A heading without words is none.
    page.replace("<th></th>", "<td></td>")
}

/// Gives every heading the name by which it is linked, and a link to itself.
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

/// What a heading is called in addresses, as most sites that show such documents do.
fn anchor(heading: &str) -> String {
    let letters = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    letters
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Lets links to what stands beside the document lead to where it is here.
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

/// Tables get a frame of their own to scroll in.
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
    fn a_heading_is_called_by_its_words() {
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
