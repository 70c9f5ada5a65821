//! Upgrade of an HTTP request to a WebSocket: header checks and the 101 response. Reads and writes no frames.

use std::io;

use bytes::Bytes;
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::keep_alive::Timed;
use super::websocket::WebSocket;

/// Reason why a request cannot become a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request is not an upgrade: 426.
    #[error("this address speaks WebSocket only")]
    NotUpgrade,
    /// The version is not 13: 426.
    #[error("only WebSocket version 13 is spoken here")]
    Version,
    /// The key is missing or malformed: 400.
    #[error("the Sec-WebSocket-Key header is missing or wrong")]
    Key,
    /// The connection cannot be upgraded (HTTP/1.0, or the request has a body): 400.
    #[error("this connection cannot be upgraded")]
    Connection,
}

impl Refused {
    /// Returns the HTTP status of the refusal.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Key | Self::Connection => StatusCode::BAD_REQUEST,
        }
    }

    /// Sets the status and headers of the refusal on a response. Body and content type are up to the caller.
    pub fn dress<B>(self, mut response: Response<B>) -> Response<B> {
        *response.status_mut() = self.status();
        if self.status() == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

/// A valid upgrade request. Answer it with [`Upgrade::response`], then call [`Upgrade::open`] in a separate task.
#[derive(Debug)]
pub struct Upgrade {
    accept: HeaderValue,
    on_upgrade: OnUpgrade,
}

impl Upgrade {
    /// Checks the headers of a GET request. `on_upgrade` is the request extension of that type.
    ///
    /// # Errors
    /// If a requirement for an upgrade is missing.
    pub fn check(headers: &HeaderMap, on_upgrade: Option<OnUpgrade>) -> Result<Self, Refused> {
        if !names(headers, &UPGRADE, "websocket") || !names(headers, &CONNECTION, "upgrade") {
            return Err(Refused::NotUpgrade);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") {
            return Err(Refused::Version);
        }
        let accept = headers
            .get(SEC_WEBSOCKET_KEY)
            .filter(|key| key.len() == 24)
            .and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok())
            .ok_or(Refused::Key)?;
        let on_upgrade = on_upgrade.ok_or(Refused::Connection)?;
        Ok(Self { accept, on_upgrade })
    }

    /// Returns the 101 response to the request.
    pub fn response<B: Default>(&self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        response
    }

    /// Waits until the 101 has been sent and takes over the connection. Messages may have up to `max_message` bytes.
    ///
    /// # Errors
    /// If the connection ends first or does not come from the listener of this crate.
    pub async fn open(self, max_message: usize) -> io::Result<WebSocket> {
        let upgraded = self.on_upgrade.await.map_err(io::Error::other)?;
        let parts = upgraded
            .downcast::<TokioIo<Timed>>()
            .map_err(|_| io::Error::other("not a connection of the listener"))?;
        let read_ahead: Bytes = parts.read_buf;
        Ok(WebSocket::new(
            parts.io.into_inner().into_inner(),
            &read_ahead,
            max_message,
        ))
    }
}

/// Whether a comma-separated header contains `token`, ignoring case.
fn names(headers: &HeaderMap, header: &HeaderName, token: &str) -> bool {
    headers
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(changed: &'static str, to: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("upgrade", HeaderValue::from_static("WebSocket"));
        headers.insert(
            "connection",
            HeaderValue::from_static("keep-alive, Upgrade"),
        );
        headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        headers.insert("sec-websocket-key", key);
        headers.remove(changed);
        if let Some(to) = to {
            headers.insert(changed, HeaderValue::from_static(to));
        }
        headers
    }
    fn refusal(changed: &'static str, to: Option<&'static str>) -> Refused {
        Upgrade::check(&headers(changed, to), None).unwrap_err()
    }

    #[test]
    fn missing_headers_are_refused_with_a_reason() {
        assert_eq!(refusal("upgrade", None), Refused::NotUpgrade);
        assert_eq!(refusal("connection", Some("close")), Refused::NotUpgrade);
        assert_eq!(
            refusal("sec-websocket-version", Some("8")),
            Refused::Version
        );
        assert_eq!(refusal("sec-websocket-key", None), Refused::Key);
        assert_eq!(refusal("sec-websocket-key", Some("short")), Refused::Key);
        assert_eq!(refusal("x-nothing", None), Refused::Connection);
    }

    #[test]
    fn a_wrong_version_is_answered_with_the_supported_one() {
        let response = Refused::Version.dress(Response::new(()));
        assert_eq!(response.status(), 426);
        assert_eq!(response.headers()["sec-websocket-version"], "13");
        assert_eq!(Refused::Key.dress(Response::new(())).status(), 400);
    }
}
