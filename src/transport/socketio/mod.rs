//! Socket.IO 5 over Engine.IO: namespaces, events, answers, attachments. Must know nothing of what
//! the events mean.
//!
//! The layer above implements [`Handler`] and [`Socket`], and mounts [`routes`]. What it sends are
//! frames that [`event`] and its like make, once for all who get them.

mod acks;
mod encode;
mod packet;
mod partial;
mod session;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::engineio;
use super::outgoing::Outgoing;
use acks::Acks;

pub use super::engineio::{Config, Handshake, Origins, Reason};
pub use acks::Answer;
pub use encode::{Values, ack, event, event_in};
pub use session::Connections;

/// Serves Socket.IO at `/<path>/` (clients expect `/socket.io/`). Needs a tokio runtime.
pub fn routes<H: Handler>(
    handler: Arc<H>,
    config: Config,
    path: &'static str,
) -> BoxedFilter<(Response,)> {
    let server = engineio::Server::new(Arc::new(Connections::new(handler)), config);
    engineio::routes(server, path)
}

/// What the layer above does with clients.
pub trait Handler: Send + Sync + 'static {
    /// Where a connection's frames wait.
    type Outgoing: Outgoing;
    /// A client in a namespace.
    type Socket: Socket;

    /// The namespaces there are; clients use `/` unless told otherwise.
    const NAMESPACES: &'static [&'static str] = &["/"];

    /// Makes the queue of a new connection, of which nothing is known yet.
    fn outgoing(&self) -> Self::Outgoing;

    /// Lets a client into a namespace, or not. Nothing may be sent to it yet.
    fn connect(
        &self,
        connect: Connect<'_, Self::Outgoing>,
    ) -> impl Future<Output = Result<Self::Socket, Refusal>> + Send;
}

/// A client in a namespace; its events are handed over one after the other.
pub trait Socket: Send + 'static {
    /// The client has been told that it is in: now it may be sent something.
    fn connected(&mut self) -> impl Future<Output = ()> + Send;

    /// Takes an event in. The next one is read when this is over. It is always run to its end.
    fn event(&mut self, event: Event<'_>) -> impl Future<Output = ()> + Send;

    /// The client has left, or is lost.
    fn disconnected(self, reason: Reason) -> impl Future<Output = ()> + Send;
}

/// A client that asks to be let in.
#[derive(Debug)]
pub struct Connect<'a, O> {
    /// The request that opened its connection.
    pub handshake: &'a Handshake,
    /// What it says for itself: a JSON object.
    pub auth: Option<&'a RawValue>,
    /// How to reach it.
    pub client: Client<O>,
}

/// Why a client is not let in, as its `connect_error` will say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub Cow<'static, str>);

/// An event from a client.
#[derive(Debug)]
pub struct Event<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its values, as JSON.
    pub args: &'a [&'a RawValue],
    /// What their placeholders name.
    pub attachments: &'a [Bytes],
    /// To be answered with [`Client::ack`] or [`Client::answer`], if the client asks for an answer.
    pub ack: Option<AckId>,
}

/// The number of an event that waits for its answer.
#[derive(Debug, PartialEq, Eq)]
pub struct AckId(u64);

/// A way to a client in a namespace; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client<O> {
    outgoing: O,
    namespace: &'static str,
    sid: Arc<str>,
    acks: Acks,
}

impl<O: Outgoing> Client<O> {
    /// Its queue.
    pub fn outgoing(&self) -> &O {
        &self.outgoing
    }

    /// The namespace it is in.
    pub fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// The name the client knows itself by.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Builds an event in the client's namespace.
    pub fn event(&self, name: &str) -> Values {
        event_in(self.namespace, None, name)
    }

    /// Sends an event with one value.
    pub fn emit<T: Serialize + ?Sized>(&self, name: &str, value: &T) {
        self.outgoing.push(self.event(name).arg(value).frame());
    }

    /// Sends an event that asks for an answer. The receiver fails when the client leaves; for how
    /// long to wait is the caller's business. None if the client owes too many answers already.
    pub fn ask<T: Serialize + ?Sized>(
        &self,
        name: &str,
        value: &T,
    ) -> Option<oneshot::Receiver<Answer>> {
        let (id, answer) = self.acks.expect()?;
        let event = event_in(self.namespace, Some(id), name);
        self.outgoing.push(event.arg(value).frame());
        Some(answer)
    }

    /// Answers an event: `answer` adds the values.
    pub fn ack(&self, id: &AckId, answer: impl FnOnce(Values) -> Values) {
        self.outgoing.push(answer(self.answer(id)).frame());
    }

    /// Builds the answer to an event.
    pub fn answer(&self, id: &AckId) -> Values {
        ack(self.namespace, id.0)
    }
}
