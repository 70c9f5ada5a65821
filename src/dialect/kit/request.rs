//! A request as handlers see it: path, query, headers, body and caller.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use percent_encoding::percent_decode_str;

use crate::chat::files::Sender;
use crate::chat::{Caller, ChatError, ClientInfo, Credential, TokenFault};
use crate::model::{MessageId, PageRequest, UserId};

use super::slow_client::{BodyStream, Paced};
use super::{Fault, HeaderMap, Kit, Method, Response, cors};

/// Maximum number of people in one list.
pub const PEOPLE_MAX: u32 = 1000;

/// A request with the server's shared state.
pub struct Call {
    pub kit: Arc<Kit>,
    /// `GET` also for `HEAD`.
    pub method: Method,
    /// Raw path without query.
    pub path: String,
    /// Raw query without `?`.
    pub query: String,
    pub headers: HeaderMap,
    /// Peer of the connection, possibly a proxy.
    pub peer: SocketAddr,
    /// Handle to the connection itself, for WebSocket handshakes.
    pub on_upgrade: Option<OnUpgrade>,
    pub(super) params: Vec<String>,
    pub(super) body: Option<BodyStream>,
}

/// Credential of a request.
pub enum Proof<'a> {
    /// A token from a header or from the query.
    Token(Cow<'a, str>),
    /// The value of the session cookie.
    Cookie(&'a str),
}

/// Requested part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only items before this id.
    pub before: Option<i64>,
    /// Only items after this id.
    pub after: Option<i64>,
    pub limit: u32,
}

impl Call {
    /// Returns the `n`th path parameter, decoded.
    pub fn param(&self, n: usize) -> &str {
        self.params.get(n).map_or("", String::as_str)
    }

    /// Returns the `n`th path parameter as the id of `what`, such as a room.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it is not a positive number, as for an id that does not exist.
    pub fn id(&self, n: usize, what: &'static str) -> Result<i64, ChatError> {
        let id = self.param(n).parse().ok().filter(|id| *id > 0);
        id.ok_or(ChatError::NotFound(what))
    }

    /// Returns the first query parameter of that name, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Returns a query parameter that must be a number from `least` to `most`, or `None` if it is absent.
    ///
    /// # Errors
    /// [`Fault::BadQuery`].
    pub fn query_number(
        &self,
        name: &'static str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, Fault> {
        let Some(text) = self.query_value(name) else {
            return Ok(None);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or(Fault::BadQuery(name))
    }

    /// Parses the page of a list of people for the dialects: [`PEOPLE_MAX`] by id unless the query says otherwise.
    ///
    /// # Errors
    /// [`Fault::BadQuery`].
    pub fn people_page(&self) -> Result<(UserId, u32), Fault> {
        let page = self.page(PEOPLE_MAX, PEOPLE_MAX)?;
        Ok((UserId(page.after.unwrap_or(0)), page.limit))
    }

    /// Parses `before`, `after` and `limit` of the query.
    ///
    /// # Errors
    /// [`Fault::BadQuery`].
    pub fn page(&self, default: u32, most: u32) -> Result<Page, Fault> {
        let limit = self.query_number("limit", 1, most.into())?;
        Ok(Page {
            before: self.query_number("before", 0, i64::MAX)?,
            after: self.query_number("after", 0, i64::MAX)?,
            limit: limit
                .and_then(|limit| u32::try_from(limit).ok())
                .unwrap_or(default),
        })
    }

    /// Parses the page of a history for the dialects: the newest 1000 messages unless the query says otherwise, without
    /// deleted ones.
    ///
    /// # Errors
    /// [`Fault::BadQuery`].
    pub fn history_page(&self) -> Result<PageRequest, Fault> {
        let Page { before, limit, .. } = self.page(1000, 1000)?;
        Ok(PageRequest {
            before: before.map(MessageId),
            after: None,
            limit,
            tombstones: false,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.headers, name)
    }

    /// Whether the request has a body.
    pub fn has_body(&self) -> bool {
        self.headers.contains_key("transfer-encoding")
            || self
                .header("content-length")
                .is_some_and(|length| length != "0")
    }

    /// Responds to `OPTIONS` for dialects that handle it themselves; `allow` lists the methods of the path.
    pub fn options(&self, allow: &str) -> Response {
        cors::options(&self.kit.origins, &self.headers, allow)
    }

    /// Whether the body has the media type `wanted`, whatever its parameters.
    pub fn is_of_type(&self, wanted: &str) -> bool {
        let essence = self
            .header("content-type")
            .and_then(|value| value.split(';').next());
        essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
    }

    /// Returns address and user agent of the client.
    pub fn visitor(&self) -> ClientInfo {
        let (address, remote) = self.kit.locate(self.peer, &self.headers);
        ClientInfo {
            address,
            remote,
            user_agent: self.header("user-agent").unwrap_or_default().to_owned(),
        }
    }

    /// Whether the dialect answers this request without a token: only to the local network, and only if `compat.open`
    /// names the dialect.
    pub fn is_open(&self, dialect: &str) -> bool {
        self.kit.is_open(dialect) && self.visitor().remote.is_none()
    }

    /// Returns the error for a request without a token. If a token is required only from outside the local network, it
    /// holds the cause for which the request does not count as local.
    pub fn token_fault(&self, open_to_local: bool) -> Fault {
        match self.visitor().remote.filter(|_| open_to_local) {
            Some(remote) => {
                self.kit.chat.warn_remote(&remote);
                TokenFault::Remote(remote.cause).into()
            }
            None => TokenFault::Missing.into(),
        }
    }

    /// Returns the caller, or `None` for a request from the local network without a token.
    ///
    /// # Errors
    /// [`Fault::Chat`] with [`TokenFault`], also for requests without a token from outside the local network.
    pub async fn caller_or_local(&self) -> Result<Option<Caller>, Fault> {
        match self.optional_caller().await? {
            None if self.visitor().remote.is_some() => Err(self.token_fault(true)),
            caller => Ok(caller),
        }
    }

    pub fn sender<'a>(&self, caller: &'a Caller) -> Sender<'a> {
        Sender {
            caller,
            address: self.visitor().address,
        }
    }

    /// Whether the client's browser uses https.
    pub fn is_https(&self) -> bool {
        self.kit.scheme(self.peer, &self.headers) == "https"
    }

    /// Whether the request comes from a page of this server's origin, or from no page at all.
    pub fn is_own_origin(&self) -> bool {
        self.kit.is_same_origin(self.peer, &self.headers)
    }

    /// Logs the origin of a refused form and the expected one: behind a proxy, a setting may be wrong.
    pub fn warn_foreign_form(&self) {
        let seen = self.header("origin").unwrap_or_default();
        self.kit.chat.warn_foreign_form(seen, &self.base_url());
    }

    /// Whether the request is a navigation from a page of this server, such as a link or a form.
    pub fn is_own_navigation(&self) -> bool {
        let accept = self.header("accept").unwrap_or_default();
        self.is_own_origin()
            && self.kit.is_own_referer(self.peer, &self.headers)
            && accept.contains("text/html")
    }

    /// Whether a program rather than a browser sent the request. Every request that browsers send on their own, such as
    /// for images and scripts of any page, has an origin, a referrer, a media type that browsers display, or a
    /// browser's user agent.
    pub fn is_from_program(&self) -> bool {
        let accept = self.header("accept").unwrap_or_default();
        let is_browsers = |kind: &str| accept.contains(kind);
        let agent = self.header("user-agent").unwrap_or_default();
        self.headers.contains_key("authorization")
            || !(self.headers.contains_key("origin")
                || self.headers.contains_key("referer")
                || ["text/html", "image/", "text/css", "audio/", "video/"]
                    .into_iter()
                    .any(is_browsers)
                || agent.starts_with("Mozilla/"))
    }

    /// Returns the base URL of this server as the client knows it, without a trailing slash. Empty if it is unknown.
    pub fn base_url(&self) -> String {
        self.kit.base_url(self.peer, &self.headers)
    }

    pub fn cookie_name(&self) -> String {
        self.kit.cookie_name()
    }

    /// Returns the token of the `Authorization` header.
    ///
    /// # Errors
    /// [`TokenFault::Missing`] if the header has another scheme: other credentials are ignored then.
    pub fn bearer(&self) -> Result<Option<&str>, TokenFault> {
        let Some(value) = self.headers.get("authorization") else {
            return Ok(None);
        };
        let (kind, token) = value
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .ok_or(TokenFault::Missing)?;
        if kind.eq_ignore_ascii_case("bearer") {
            Ok(Some(token.trim()))
        } else {
            Err(TokenFault::Missing)
        }
    }

    /// Returns the credential of the request: the `Authorization` header, on handshakes `?token=`, then the cookie.
    /// Only the first one present counts.
    ///
    /// # Errors
    /// [`TokenFault::Missing`] for an `Authorization` header with another scheme.
    pub fn proof(&self, handshake: bool) -> Result<Option<Proof<'_>>, TokenFault> {
        if let Some(token) = self.bearer()? {
            return Ok(Some(Proof::Token(token.into())));
        }
        if let Some(token) = self.query_value("token").filter(|_| handshake) {
            return Ok(Some(Proof::Token(token)));
        }
        // Browsers send the cookie along with requests of foreign pages; it proves nothing then.
        let trusted = self.is_own_origin();
        Ok(self
            .cookie(&self.cookie_name())
            .filter(|_| trusted)
            .map(Proof::Cookie))
    }

    /// Authenticates the request.
    ///
    /// # Errors
    /// [`Fault::Chat`] with [`TokenFault`].
    pub async fn caller(&self) -> Result<Caller, Fault> {
        self.optional_caller()
            .await?
            .ok_or(TokenFault::Missing.into())
    }

    /// Authenticates the request, or returns `None` if it has no credential. An invalid token is refused.
    ///
    /// # Errors
    /// [`Fault::Chat`] with [`TokenFault`].
    pub async fn optional_caller(&self) -> Result<Option<Caller>, Fault> {
        let Some(proof) = self.proof(false)? else {
            return Ok(None);
        };
        let chat = &self.kit.chat;
        let caller = match &proof {
            Proof::Cookie(value) => chat.authenticate(Credential::Cookie(value)).await?,
            Proof::Token(token) => chat.authenticate(Credential::Token(token)).await?,
        };
        Ok(Some(caller.at(self.visitor().address)))
    }

    /// Takes the body, which must arrive within `whole`, not counting time in which it is not read.
    pub(super) fn take_body(&mut self, whole: Duration) -> Paced {
        let body = self.body.take();
        let body = body.unwrap_or_else(|| Box::pin(futures_util::stream::empty()));
        Paced::new(body, whole)
    }

    pub(super) fn segments(&self) -> Vec<String> {
        let parts = self.path.split('/').filter(|part| !part.is_empty());
        parts
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect()
    }
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}
