//! Responses and guards of the page handlers: HTML with a content security policy, redirects, error pages.

use askama::Template;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, Fault, Response, StatusCode, empty, retry_after, set_header};
use crate::model::{Invalid, Role};

use super::error_text::explain;
use super::flash::{self, Notice};
use super::i18n;
use super::layout::Shell;

/// Result of a page handler.
pub(super) type Answer = Result<Response, Stop>;

/// Reason why a page is not shown.
pub(super) enum Stop {
    Fault(Fault),
    /// Log-in is required; holds the local path to return to afterwards.
    LogIn(String),
    /// The caller's role does not suffice.
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

/// Renders a page.
pub(super) fn page(status: StatusCode, call: &Call, template: &impl Template) -> Answer {
    Ok(page_of(status, call, template.render()?))
}

/// Builds the response of a page that is already rendered, and clears a flash message that it has shown.
pub(super) fn page_of(status: StatusCode, call: &Call, text: String) -> Response {
    let mut response = html(status, text);
    let policy = policy(call.kit.ws_url.as_deref());
    set_header(&mut response, "content-security-policy", &policy);
    if call.cookie(flash::COOKIE).is_some() {
        say(&mut response, "", 0);
    }
    response
}

/// Redirects to a path of this server with 302, which browsers follow with GET, also after a form.
pub(super) fn found(path: &str) -> Response {
    let mut response = empty(StatusCode::FOUND);
    set_header(&mut response, "location", path);
    response
}

/// Redirects to `path` and shows `notice` there.
pub(super) fn done(path: &str, notice: Notice) -> Response {
    saying(found(path), notice)
}

/// Adds a flash message to a redirect.
pub(super) fn saying(mut response: Response, notice: Notice) -> Response {
    say(&mut response, notice.code(), 60);
    response
}

/// Sets the flash cookie for `seconds`; never put secrets in it.
fn say(response: &mut Response, code: &str, seconds: u32) {
    let cookie = format!(
        "{}={code}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}",
        flash::COOKIE
    );
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().append("set-cookie", cookie);
    }
}

/// Sets a cookie for 400 days, the longest that browsers keep one. An empty value removes the cookie.
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

/// Returns the caller; without a session, redirects to the log-in page and back afterwards.
pub(super) async fn caller(call: &Call) -> Result<Caller, Stop> {
    visitor(call).await?.ok_or_else(|| Stop::LogIn(way(call)))
}

/// Returns the caller if they are an admin, else redirects to the start page.
pub(super) async fn admin(call: &Call) -> Result<Caller, Stop> {
    let me = caller(call).await?;
    match me.role() {
        Role::Admin => Ok(me),
        _ => Err(Stop::NotAllowed),
    }
}

/// Returns the caller, or `None` without a valid session.
pub(super) async fn visitor(call: &Call) -> Result<Option<Caller>, Stop> {
    match call.optional_caller().await {
        Ok(caller) => Ok(caller),
        Err(Fault::Chat(ChatError::Unauthenticated(_))) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// Builds the response that replaces a page.
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

/// Renders an error page.
pub(super) fn fault(fault: &Fault) -> Response {
    let t = i18n::of();
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

/// Whether `path` leads to this server only, so that it is safe to redirect there after log-in.
pub(super) fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(|c: char| c == '\\' || c.is_control())
}

/// Returns the path to come back to after log-in. A form is not sent again, so for other methods than GET it is `/`.
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

/// Content security policy: own files only, no inline script or style, no framing. The WebSocket may be on another
/// host.
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
    fn login_redirects_follow_local_paths_only() {
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
