//! Log entries for the end of WebSockets and polling sessions: the opening request, the duration and the cause.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Instant;

use hyper::header::{HeaderMap, HeaderName};

/// Header with the request id. The access log sets it on every request that it passes on, and on the response.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Log record of one connection. Written on drop if the connection became a WebSocket.
#[derive(Debug, Default)]
pub struct Record {
    upgraded: OnceLock<Upgraded>,
    cause: OnceLock<String>,
}

#[derive(Debug)]
struct Upgraded {
    request_id: Box<str>,
    client: IpAddr,
    path: Box<str>,
    since: Instant,
}

impl Record {
    /// Records the request that upgraded the connection to a WebSocket.
    pub fn upgraded(&self, request_id: &str, client: IpAddr, path: &str) {
        let upgraded = Upgraded {
            request_id: request_id.into(),
            client,
            path: path.into(),
            since: Instant::now(),
        };
        let _ = self.upgraded.set(upgraded);
    }

    /// Records the cause of the end. Only the first cause counts.
    pub fn ends(&self, cause: impl FnOnce() -> String) {
        self.cause.get_or_init(cause);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(upgraded) = self.upgraded.get() {
            let cause = self.cause.get().map_or("the connection is gone", |it| it);
            tracing::info!(
                request_id = %upgraded.request_id,
                client = %upgraded.client,
                path = %upgraded.path,
                seconds = seconds_since(upgraded.since),
                cause,
                "WebSocket ended"
            );
        }
    }
}

/// Log record of a polling session: opening time and request.
#[derive(Debug)]
pub struct Opened {
    request_id: Box<str>,
    since: Instant,
}

impl Opened {
    /// Creates a record for a session opened now by the request with these headers.
    pub fn by(headers: &HeaderMap) -> Self {
        let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        Self {
            request_id: id.unwrap_or_default().into(),
            since: Instant::now(),
        }
    }

    /// Logs the end of the session.
    pub fn ended(&self, cause: &str) {
        tracing::info!(
            request_id = %self.request_id,
            seconds = seconds_since(self.since),
            cause,
            "polling session ended"
        );
    }
}

/// Returns the seconds since then, with one decimal.
fn seconds_since(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0
}
