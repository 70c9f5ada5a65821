//! Engine.IO 4: sessions over long-polling and WebSocket, and the move from one to the other. Must
//! know nothing of what the messages say.
//!
//! A session that polls lives in its [`Server`]'s table and is worked by its requests; one on a WebSocket
//! lives in its task. What goes out are WebSocket frames in an [`Outgoing`] queue, taken by whichever
//! transport serves the session at the time.

mod check;
mod connection;
mod cors;
mod heartbeat;
mod http;
mod packet;
mod polling;
mod probe;
mod server;
mod state;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use percent_encoding::percent_decode_str;

pub use cors::Origins;
pub use heartbeat::Rhythm;
pub use http::routes;
pub use server::Server;
pub(super) use server::new_sid;

use super::gate::{Gate, Limits};
use super::outgoing::{Close, Outgoing};

/// How a server of sessions behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// When it pings and gives up.
    pub rhythm: Rhythm,
    /// How long a session may stay unsettled before it is closed; none: for ever.
    pub settle_timeout: Option<Duration>,
    /// Bytes in one message or one POST, once the session is settled.
    pub max_payload: usize,
    /// The same until then.
    pub max_first_payload: usize,
    /// Which web pages may poll.
    pub origins: Origins,
    /// How many polling sessions there may be: they outlive their connections.
    pub sessions: Arc<Gate>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rhythm: Rhythm::default(),
            settle_timeout: Some(Duration::from_secs(5)),
            max_payload: 1_000_000,
            max_first_payload: 64 * 1024,
            origins: Origins::Any,
            sessions: Gate::new(Limits::default()),
        }
    }
}

/// What is known of the request that opened a session.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its query string, undecoded. Tokens travel there: not for logs.
    pub query: String,
    /// Where it came from.
    pub peer: Option<SocketAddr>,
}

impl Handshake {
    /// The first value of a query parameter, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.query, name)
    }
}

fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy())
}

/// The layer above: makes a session for each client.
pub trait Protocol: Send + Sync + 'static {
    /// Where its frames wait.
    type Outgoing: Outgoing;
    /// What hears its messages.
    type Session: Session;

    /// Makes a session, which begins unsettled, and its queue.
    fn open(self: &Arc<Self>, handshake: Handshake) -> (Self::Session, Self::Outgoing);

    /// Frames to send last when a queue was closed.
    fn farewell(close: Close) -> Option<Bytes>;
}

/// One client's session, as the layer above sees it: messages come one after the other.
pub trait Session: Send + 'static {
    /// Takes a message in. It is always run to its end.
    fn message(&mut self, message: Message<'_>) -> impl Future<Output = Reaction> + Send;

    /// The session is over.
    fn closed(self, reason: Reason) -> impl Future<Output = ()> + Send;
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(Bytes),
}

/// What a message has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing.
    Keep,
    /// The client is who it should be: no time limit any more, larger messages.
    Settle,
    /// It is nobody again: the time limit runs anew.
    Unsettle,
    /// It breaks the rules: close the session.
    Close,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client said so.
    Client,
    /// The connection broke, or a poll was given up.
    Gone,
    /// No answer to a ping, or not settled in time.
    Silent,
    /// The client sent what may not be sent.
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
