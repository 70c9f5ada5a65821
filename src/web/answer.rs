//! What handlers of pages answer: HTML under a strict policy, ways to elsewhere, and pages that say what is wrong.

use askama::Template;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, Fault, Response, StatusCode, empty, retry_after, set_header};
use crate::model::{Invalid, Role};

use super::explain::explain;
use super::notice::{self, Notice};
use super::shell::Shell;
use super::texts;

/// What a handler answers.
pub(super) type Answer = Result<Response, Stop>;

/// Why a page is not shown.
pub(super) enum Stop {
    /// Something is wrong.
    Fault(Fault),
    /// Nobody is logged in; afterwards the way leads to this local path.
    LogIn(String),
    /// It is for people with another role.
    NotAllowed,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ChatError> for Stop {
    fn from(error: ChatError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Invalid> for Stop {
    fn from(invalid: Invalid) -> Self {
        Self::Fault(invalid.into())
    }
}

impl From<askama::Error> for Stop {
    fn from(error: askama::Error) -> Self {
        ChatError::internal(error).into()
    }
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage {
    shell: Shell,
    text: String,
}

/// A page of that status.
pub(super) fn page(status: StatusCode, call: &Call, template: &impl Template) -> Answer {
    Ok(page_of(status, call, template.render()?))
}

/// The same, when its HTML is there already.
pub(super) fn page_of(status: StatusCode, call: &Call, text: String) -> Response {
    let mut response = html(status, text);
    let policy = policy(call.kit.ws_url.as_deref());
    set_header(&mut response, "content-security-policy", &policy);
    if call.cookie(notice::COOKIE).is_some() {
        say(&mut response, "", 0);
    }
    response
}

/// Leads elsewhere on this server; after a form too.
pub(super) fn found(path: &str) -> Response {
    let mut response = empty(StatusCode::FOUND);
    set_header(&mut response, "location", path);
    response
}

/// Leads elsewhere, where is said what was done.
pub(super) fn done(path: &str, notice: Notice) -> Response {
    saying(found(path), notice)
}

/// Has something said on the page to which an answer leads.
pub(super) fn saying(mut response: Response, notice: Notice) -> Response {
    say(&mut response, notice.code(), 60);
    response
}

/// Has something said on the next page, for some seconds; nothing secret.
fn say(response: &mut Response, code: &str, seconds: u32) {
    let cookie = format!(
        "{}={code}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}",
        notice::COOKIE
    );
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().append("set-cookie", cookie);
    }
}

/// Gives a browser a cookie for as long as it keeps one, or takes it away if the value is empty.
pub(super) fn with_cookie(
    call: &Call,
    mut response: Response,
    name: &str,
    value: &str,
) -> Response {
    const LONGEST: u32 = 400 * 24 * 3600;
    let age = if value.is_empty() { 0 } else { LONGEST };
    let secure = if call.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={age}{secure}");
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().append("set-cookie", cookie);
    }
    response
}

/// Who asks; who is not logged in is asked to, and then led back.
pub(super) async fn caller(call: &Call) -> Result<Caller, Stop> {
    visitor(call).await?.ok_or_else(|| Stop::LogIn(way(call)))
}

/// The admin who asks; others are led away.
pub(super) async fn admin(call: &Call) -> Result<Caller, Stop> {
    let me = caller(call).await?;
    match me.role() {
        Role::Admin => Ok(me),
        _ => Err(Stop::NotAllowed),
    }
}

/// Who asks, if they are logged in.
pub(super) async fn visitor(call: &Call) -> Result<Option<Caller>, Stop> {
    match call.optional_caller().await {
        Ok(caller) => Ok(caller),
        Err(Fault::Chat(ChatError::Unauthenticated(_))) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// The answer in place of a page.
pub(super) fn stopped(stop: &Stop) -> Response {
    match stop {
        Stop::Fault(fault) => self::fault(fault),
        Stop::NotAllowed => done("/", Notice::NotAllowed),
        Stop::LogIn(way) if way == "/" => found("/auth/login"),
        Stop::LogIn(way) => {
            let next: String = form_urlencoded::byte_serialize(way.as_bytes()).collect();
            found(&format!("/auth/login?next={next}"))
        }
    }
}

/// A page that says what is wrong.
pub(super) fn fault(fault: &Fault) -> Response {
    let t = texts::of();
    let said = explain(t, fault);
    let page = FaultPage {
        shell: Shell::bare(t, said.title),
        text: said.text,
    };
    let mut response = match page.render() {
        Ok(text) => html(said.status, text),
        Err(_) => empty(said.status),
    };
    set_header(&mut response, "content-security-policy", &policy(None));
    if let Some(seconds) = retry_after(fault) {
        set_header(&mut response, "retry-after", &seconds.to_string());
    }
    response
}

/// Whether a path leads to this server and nowhere else, so that it may be followed after a login.
pub(super) fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(|c: char| c == '\\' || c.is_control())
}

/// The page somebody wanted; a form they sent is not sent again.
fn way(call: &Call) -> String {
    if call.method != "GET" {
        return "/".to_owned();
    }
    match call.query.as_str() {
        "" => call.path.clone(),
        query => format!("{}?{query}", call.path),
    }
}

fn html(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    set_header(&mut response, "content-type", "text/html; charset=utf-8");
    response
}

/// Nothing but our own files, no inline script or style, in nobody's frame; the WebSocket may be elsewhere.
fn policy(ws_url: Option<&str>) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; manifest-src 'self'; \
         connect-src 'self' {}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ws_url.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_paths_are_followed_after_a_login() {
        for path in ["/", "/chat/1?a=b", "/a//b"] {
            assert!(is_local(path), "{path}");
        }
        for path in [
            "",
            "chat",
            "//evil",
            "/\\evil",
            "https://evil",
            "/\t/evil",
            "\\evil",
        ] {
            assert!(!is_local(path), "{path}");
        }
    }
}
