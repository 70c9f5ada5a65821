//! Engine.IO 4: sessions over long-polling and WebSocket, and the upgrade from one to the other. Independent of the
//! content of messages.
//!
//! A polling session is in the table of its [`Server`] and is driven by its requests; a session on a WebSocket is
//! driven by its task. Outgoing WebSocket frames wait in an [`Outgoing`] queue, which the current transport of the
//! session drains.

mod connection;
mod cors;
mod heartbeat;
mod http;
mod packet;
mod polling;
mod request_query;
mod server;
mod state;
mod upgrade;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use percent_encoding::percent_decode_str;

pub use cors::Origins;
pub use heartbeat::PingConfig;
pub use http::routes;
pub use server::Server;
pub(super) use server::new_sid;

use super::connection_limit::{Gate, Limits};
use super::send_queue::{Close, Outgoing};

/// Configuration of an Engine.IO server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Ping interval and timeout.
    pub rhythm: PingConfig,
    /// Time in which a session must authenticate before it is closed; `None` means no limit.
    pub settle_timeout: Option<Duration>,
    /// Maximum bytes in one message or POST of an authenticated session.
    pub max_payload: usize,
    /// Maximum bytes in one message or POST before authentication.
    pub max_first_payload: usize,
    /// Web pages that may poll.
    pub origins: Origins,
    /// Limits the number of polling sessions, which outlive their connections.
    pub sessions: Arc<Gate>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rhythm: PingConfig::default(),
            settle_timeout: Some(Duration::from_secs(5)),
            max_payload: 1_000_000,
            max_first_payload: 64 * 1024,
            origins: Origins::Any,
            sessions: Gate::new(Limits::default()),
        }
    }
}

/// The request that opened a session.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub headers: HeaderMap,
    /// Undecoded query string. Must not be logged: it may contain tokens.
    pub query: String,
    /// Address of the peer.
    pub peer: Option<SocketAddr>,
}

impl Handshake {
    /// Returns the first value of a query parameter, percent-decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.query, name)
    }
}

fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy())
}

/// The protocol above Engine.IO: makes a session for each client.
pub trait Protocol: Send + Sync + 'static {
    /// Send queue of a session.
    type Outgoing: Outgoing;
    /// Receiver of a session's messages.
    type Session: Session;

    /// Makes a session, which starts unauthenticated, and its queue.
    fn open(self: &Arc<Self>, handshake: Handshake) -> (Self::Session, Self::Outgoing);

    /// Returns the frames to send last after a queue was closed.
    fn farewell(close: Close) -> Option<Bytes>;
}

/// A client's session in the protocol above. Messages are handled one at a time.
pub trait Session: Send + 'static {
    /// Handles a message. Always runs to completion.
    fn message(&mut self, message: Message<'_>) -> impl Future<Output = Reaction> + Send;

    /// Called when the session has ended.
    fn closed(self, reason: Reason) -> impl Future<Output = ()> + Send;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    Text(&'a str),
    Binary(Bytes),
}

/// Effect of a message on the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    Keep,
    /// The client is authenticated: no time limit any more, and larger messages.
    Settle,
    /// The client is no longer authenticated: the time limit starts again.
    Unsettle,
    /// The message violates the protocol: close the session.
    Close,
}

/// Reason why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client closed it.
    Client,
    /// The connection broke, or the client aborted a poll.
    Gone,
    /// Ping timeout, or not authenticated in time.
    Silent,
    /// The client violated the protocol.
    Invalid,
    /// The queue was closed.
    Server,
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::Client => "closed by the client",
            Self::Gone => "the connection is gone",
            Self::Silent => "no sign of life",
            Self::Invalid => "protocol error",
            Self::Server => "closed by the server",
        }
    }
}
