//! One request, as handlers see it: path, query, headers, body, and who asks.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use percent_encoding::percent_decode_str;

use crate::chat::files::Sender;
use crate::chat::{Caller, ChatError, Credential, TokenFault, Visitor};
use crate::model::{MessageId, PageRequest, UserId};

use super::body::BodyStream;
use super::pace::Paced;
use super::{Fault, HeaderMap, Kit, Method, Response, cors};

/// So many people one list holds.
pub const PEOPLE_MAX: u32 = 1000;

/// A request and what belongs to it.
pub struct Call {
    /// What the server is made of.
    pub kit: Arc<Kit>,
    /// The method; `GET` also for `HEAD`.
    pub method: Method,
    /// The path as it came, without query.
    pub path: String,
    /// The query as it came, without `?`.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// Who holds the other end of the connection; perhaps a proxy.
    pub peer: SocketAddr,
    /// The way to the connection itself, if this is a handshake.
    pub on_upgrade: Option<OnUpgrade>,
    pub(super) params: Vec<String>,
    pub(super) body: Option<BodyStream>,
}

/// What a request proves its sender with.
pub enum Proof<'a> {
    /// A token, wherever it stood.
    Token(Cow<'a, str>),
    /// Our cookie.
    Cookie(&'a str),
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only what is before this id.
    pub before: Option<i64>,
    /// Only what is after this id.
    pub after: Option<i64>,
    /// How many at the most.
    pub limit: u32,
}

impl Call {
    /// The part of the path that stands for the `n`th parameter, decoded.
    pub fn param(&self, n: usize) -> &str {
        self.params.get(n).map_or("", String::as_str)
    }

    /// That part as the id of `what`, such as a room.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it is no positive number: the same as for an id that nothing has.
    pub fn id(&self, n: usize, what: &'static str) -> Result<i64, ChatError> {
        let id = self.param(n).parse().ok().filter(|id| *id > 0);
        id.ok_or(ChatError::NotFound(what))
    }

    /// The first query parameter of that name, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// A query parameter that is a number from `least` to `most`, if it is there.
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

    /// The part of a list of people that the systems we speak for hand out: a thousand by id after `after`.
    ///
    /// # Errors
    /// [`Fault::BadQuery`].
    pub fn people_page(&self) -> Result<(UserId, u32), Fault> {
        let page = self.page(PEOPLE_MAX, PEOPLE_MAX)?;
        Ok((UserId(page.after.unwrap_or(0)), page.limit))
    }

    /// `before`, `after` and `limit` of the query.
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

    /// The part of a history that the systems we speak for hand out: the newest 1000 unless asked otherwise,
    /// none of them deleted.
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

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.headers, name)
    }

    /// Whether there is a body at all.
    pub fn has_body(&self) -> bool {
        self.headers.contains_key("transfer-encoding")
            || self
                .header("content-length")
                .is_some_and(|length| length != "0")
    }

    /// The answer to `OPTIONS` where a protocol has one of its own; `allow` are the methods the path takes.
    pub fn options(&self, allow: &str) -> Response {
        cors::options(&self.kit.origins, &self.headers, allow)
    }

    /// Whether the body says it is of that type, whatever its parameters.
    pub fn is_of_type(&self, wanted: &str) -> bool {
        let essence = self
            .header("content-type")
            .and_then(|value| value.split(';').next());
        essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
    }

    /// Where the request comes from.
    pub fn visitor(&self) -> Visitor {
        let (address, remote) = self.kit.locate(self.peer, &self.headers);
        Visitor {
            address,
            remote,
            user_agent: self.header("user-agent").unwrap_or_default().to_owned(),
        }
    }

    /// Whether that dialect answers this request as openly as its document says: only to the local network, and only
    /// if an operator lets it.
    pub fn is_open(&self, dialect: &str) -> bool {
        self.kit.is_open(dialect) && self.visitor().remote.is_none()
    }

    /// What a request without a token is told where one is due; where only the local network needs none, with the cause.
    pub fn token_fault(&self, open_to_local: bool) -> Fault {
        match self.visitor().remote.filter(|_| open_to_local) {
            Some(remote) => {
                self.kit.chat.warn_remote(&remote);
                TokenFault::Remote(remote.cause).into()
            }
            None => TokenFault::Missing.into(),
        }
    }

    /// Who asks for what the local network is told without a token.
    ///
    /// # Errors
    /// [`Fault::Chat`] with [`TokenFault`], also for requests without a token from elsewhere.
    pub async fn caller_or_local(&self) -> Result<Option<Caller>, Fault> {
        match self.optional_caller().await? {
            None if self.visitor().remote.is_some() => Err(self.token_fault(true)),
            caller => Ok(caller),
        }
    }

    /// Who sends files with this request.
    pub fn sender<'a>(&self, caller: &'a Caller) -> Sender<'a> {
        Sender {
            caller,
            address: self.visitor().address,
        }
    }

    /// Whether the browser came by https.
    pub fn is_https(&self) -> bool {
        self.kit.scheme(self.peer, &self.headers) == "https"
    }

    /// Whether the request comes from a page of the very origin that it is sent to, or from no page at all.
    pub fn is_own_origin(&self) -> bool {
        self.kit.is_same_origin(self.peer, &self.headers)
    }

    /// Logs which origin a form came from and which was expected: behind a proxy, a setting may be wrong.
    pub fn warn_foreign_form(&self) {
        let seen = self.header("origin").unwrap_or_default();
        self.kit.chat.warn_foreign_form(seen, &self.base_url());
    }

    /// Whether somebody followed a link, sent a form or went on from one of our own pages.
    pub fn is_own_navigation(&self) -> bool {
        let accept = self.header("accept").unwrap_or_default();
        self.is_own_origin()
            && self.kit.is_own_referer(self.peer, &self.headers)
            && accept.contains("text/html")
    }

    /// Whether the request comes from a program rather than a browser. Everything that browsers send on their own, for
    /// pictures and scripts of whatever page, has a page, a type that they show, or their name in it.
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

    /// The address of this server as the client knows it, without a slash at its end; empty if nobody can know.
    pub fn base_url(&self) -> String {
        self.kit.base_url(self.peer, &self.headers)
    }

    /// The name of our session cookie.
    pub fn cookie_name(&self) -> String {
        self.kit.cookie_name()
    }

    /// The token of the `Authorization` header.
    ///
    /// # Errors
    /// [`TokenFault::Missing`] if the header is of another kind: it is there, so nothing else is looked at.
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

    /// What the request proves its sender with: the header, on handshakes `?token=`, then the cookie. Only the first
    /// that is there is looked at.
    ///
    /// # Errors
    /// [`TokenFault::Missing`] for an `Authorization` header of another kind.
    pub fn proof(&self, handshake: bool) -> Result<Option<Proof<'_>>, TokenFault> {
        if let Some(token) = self.bearer()? {
            return Ok(Some(Proof::Token(token.into())));
        }
        if let Some(token) = self.query_value("token").filter(|_| handshake) {
            return Ok(Some(Proof::Token(token)));
        }
        // A foreign page makes a browser send our cookie along; it proves nothing then.
        let trusted = self.is_own_origin();
        Ok(self
            .cookie(&self.cookie_name())
            .filter(|_| trusted)
            .map(Proof::Cookie))
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Fault::Chat`] with [`TokenFault`].
    pub async fn caller(&self) -> Result<Caller, Fault> {
        self.optional_caller()
            .await?
            .ok_or(TokenFault::Missing.into())
    }

    /// Who asks, if they say so; a token that is there but bad is refused.
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

    /// The body, which must have come after `whole`, not counting the time in which nobody reads it.
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

/// The value of the cookie of that name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}
