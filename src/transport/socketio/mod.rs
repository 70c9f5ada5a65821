//! Socket.IO 5 over Engine.IO: namespaces, events, acknowledgements, attachments. Independent of the meaning of events.
//!
//! The layer above implements [`Handler`] and [`Socket`], and mounts [`routes`]. It sends frames made by [`event`] and
//! similar functions, once for all recipients.

mod acks;
mod encode;
mod packet;
mod reconstructor;
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
use super::send_queue::Outgoing;
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

/// The layer above Socket.IO.
pub trait Handler: Send + Sync + 'static {
    /// Send queue of a connection.
    type Outgoing: Outgoing;
    /// A client in a namespace.
    type Socket: Socket;

    /// All namespaces. Clients use `/` by default.
    const NAMESPACES: &'static [&'static str] = &["/"];

    /// Makes the queue of a new, unauthenticated connection.
    fn outgoing(&self) -> Self::Outgoing;

    /// Accepts or refuses a client in a namespace. Nothing may be sent to it yet.
    fn connect(
        &self,
        connect: Connect<'_, Self::Outgoing>,
    ) -> impl Future<Output = Result<Self::Socket, Refusal>> + Send;
}

/// A client in a namespace. Its events are handled one at a time.
pub trait Socket: Send + 'static {
    /// Called when the client has been told that it is connected. From now on, packets may be sent to it.
    fn connected(&mut self) -> impl Future<Output = ()> + Send;

    /// Handles an event. The next one is read when this completes. Always runs to completion.
    fn event(&mut self, event: Event<'_>) -> impl Future<Output = ()> + Send;

    /// Called when the client has left or its connection is lost.
    fn disconnected(self, reason: Reason) -> impl Future<Output = ()> + Send;
}

/// A request of a client to connect to a namespace.
#[derive(Debug)]
pub struct Connect<'a, O> {
    /// The request that opened its connection.
    pub handshake: &'a Handshake,
    /// Authentication payload of the CONNECT packet: a JSON object.
    pub auth: Option<&'a RawValue>,
    /// Handle for sending to the client.
    pub client: Client<O>,
}

/// Message of the `connect_error` for a refused client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub Cow<'static, str>);

#[derive(Debug)]
pub struct Event<'a> {
    pub name: Cow<'a, str>,
    /// JSON values.
    pub args: &'a [&'a RawValue],
    /// Binary attachments, referenced by placeholders in the values.
    pub attachments: &'a [Bytes],
    /// Set if the client asks for an acknowledgement, which is sent with [`Client::ack`] or [`Client::answer`].
    pub ack: Option<AckId>,
}

/// Id of an event that waits for its acknowledgement.
#[derive(Debug, PartialEq, Eq)]
pub struct AckId(u64);

/// Handle for sending to a client in a namespace. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client<O> {
    outgoing: O,
    namespace: &'static str,
    sid: Arc<str>,
    acks: Acks,
}

impl<O: Outgoing> Client<O> {
    pub fn outgoing(&self) -> &O {
        &self.outgoing
    }

    pub fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// Returns the client's id in the namespace.
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

    /// Sends an event that asks for an acknowledgement. The receiver fails when the client leaves and has no timeout.
    /// Returns `None` if too many acknowledgements are pending.
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

    /// Acknowledges an event. `answer` adds the values.
    pub fn ack(&self, id: &AckId, answer: impl FnOnce(Values) -> Values) {
        self.outgoing.push(answer(self.answer(id)).frame());
    }

    /// Builds the acknowledgement of an event.
    pub fn answer(&self, id: &AckId) -> Values {
        ack(self.namespace, id.0)
    }
}
