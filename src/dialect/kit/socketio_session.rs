//! Socket.IO sessions: authenticates clients and dispatches their events to dialects. Independent of any dialect.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use warp::http::Extensions;

use crate::chat::{
    Bystander, Caller, Cause, ChatError, CloseReason, Connection, Credential, Encoder, Frames,
    Outbox, Priority, Remote, TokenFault,
};
use crate::transport::send_queue::{Close, Outgoing};
use crate::transport::socketio::{
    Client, Connect, Event, Handler, Handshake, Reason, Refusal, Socket, event,
};
use crate::transport::websocket::Line;

use super::request::cookie;
use super::{Emit, Pipeline, Reply, SharedKit};

/// Asynchronous work that borrows its session.
pub type Doing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
/// Handler of an event. The value is the event's first argument, or null.
pub type EventHandler = for<'a> fn(&'a mut Session, Value) -> Doing<'a>;

pub struct EventSurface {
    /// Name of the dialect, as in tokens and in `compat.open`.
    pub dialect: &'static str,
    pub encoder: Encoder,
    /// Greets every client that connects, whatever dialect it will use.
    pub greet: Option<fn(&Session)>,
    pub events: Vec<(&'static str, EventHandler)>,
    /// Names of events that only [post](Session::post) a message: they begin before previous events have ended.
    pub posts: &'static [&'static str],
    /// Whether clients of the local network may connect without a token if the operator has opened the dialect.
    pub may_be_open: bool,
}

/// Builds the list of a dialect's events.
macro_rules! events {
    ($($name:literal => $handler:path),* $(,)?) => {
        vec![$(($name, (|session, value| Box::pin($handler(session, value))) as $crate::dialect::kit::EventHandler)),*]
    };
}
pub(crate) use events;

/// Socket.IO session of one client, as event handlers see it.
pub struct Session {
    pub kit: SharedKit,
    /// The caller. `None` until a client without a token has identified itself.
    pub caller: Option<Caller>,
    /// Whether the client authenticated when it connected.
    pub proven: bool,
    /// Whether the client is on the local network, where dialects may be open.
    local: bool,
    /// The core's connection. `None` until the caller is known.
    pub connection: Option<Arc<Connection>>,
    /// Subscriptions to public events until the caller is known.
    bystanders: Vec<Arc<Bystander>>,
    /// State of dialects, by type.
    pub state: Extensions,
    /// Events that have begun and not ended.
    pub(super) pipeline: Pipeline,
    /// Response handle of the event that is being handled.
    pub(super) reply: Option<Reply>,
    pub(super) client: Client<Queue>,
    /// Base URL of this server as the client knows it.
    base: String,
    surfaces: Arc<[EventSurface]>,
}

impl Session {
    /// Returns the base URL of this server as the client knows it.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sets the caller of a session without a token and opens a connection. The connection of the previous caller ends
    /// after the events before this one.
    ///
    /// # Errors
    /// [`ChatError::Limited`] if the caller has too many connections.
    pub async fn become_caller(&mut self, caller: Caller) -> Result<(), ChatError> {
        self.pipeline.newest_is_alone().await;
        self.caller = None;
        if let Some(before) = self.connection.take() {
            self.kit.chat.hand_on(&before).await;
        }
        let connection = self
            .kit
            .chat
            .connect(&caller, None, self.client.outgoing().0.clone(), &self.base)
            .await?;
        self.connection = Some(connection);
        self.caller = Some(caller);
        Ok(())
    }

    fn speak(&mut self, surface: &EventSurface) {
        if let Some(connection) = &self.connection {
            self.kit.chat.speak(connection, surface.encoder);
            self.bystanders.clear();
        }
    }

    /// Subscribes an unidentified client to public events, in the dialects that are open to it.
    fn stand_by(&mut self) {
        let surfaces = self.surfaces.iter();
        let open = surfaces.filter(|surface| self.may_be_unproven(surface));
        let (chat, outbox) = (&self.kit.chat, &self.client.outgoing().0);
        let listen = |surface: &EventSurface| chat.stand_by(surface.encoder, outbox.clone());
        self.bystanders = open.map(listen).collect();
    }

    fn may_be_unproven(&self, surface: &EventSurface) -> bool {
        self.local && surface.may_be_open && self.kit.is_open(surface.dialect)
    }
}

/// Accepts Socket.IO clients for all dialects.
pub struct Sockets {
    kit: SharedKit,
    surfaces: Arc<[EventSurface]>,
}

impl Sockets {
    pub fn new(kit: SharedKit, surfaces: Vec<EventSurface>) -> Self {
        Self {
            kit,
            surfaces: surfaces.into(),
        }
    }

    /// Whether any dialect accepts clients of the local network without a token.
    fn is_open(&self) -> bool {
        self.surfaces
            .iter()
            .any(|surface| surface.may_be_open && self.kit.is_open(surface.dialect))
    }

    /// Returns the reason why a client does not count as local, if it does not.
    fn remote(&self, handshake: &Handshake) -> Option<Remote> {
        let unknown = || {
            let (cause, seen) = (Cause::Address, String::new());
            Some(Remote { cause, seen })
        };
        handshake
            .peer
            .map_or_else(unknown, |peer| self.kit.locate(peer, &handshake.headers).1)
    }

    /// Authenticates a client: by the token of the CONNECT packet, of the header or of the query, or by the cookie.
    /// Only the first one present counts.
    async fn authenticate(
        &self,
        handshake: &Handshake,
        auth: Option<&str>,
    ) -> Result<Option<Caller>, ChatError> {
        #[derive(Deserialize)]
        struct Auth {
            token: Option<String>,
        }
        let chat = &self.kit.chat;
        let given = auth
            .and_then(|auth| serde_json::from_str::<Auth>(auth).ok())
            .and_then(|auth| auth.token);
        if let Some(token) = given.filter(|token| !token.is_empty()) {
            return chat.authenticate(Credential::Token(&token)).await.map(Some);
        }
        if let Some(header) = handshake.headers.get("authorization") {
            let token = header
                .to_str()
                .ok()
                .and_then(|text| text.split_once(' '))
                .ok_or(TokenFault::Missing)?
                .1;
            return chat
                .authenticate(Credential::Token(token.trim()))
                .await
                .map(Some);
        }
        if let Some(token) = handshake
            .query_value("token")
            .filter(|token| !token.is_empty())
        {
            return chat.authenticate(Credential::Token(&token)).await.map(Some);
        }
        match cookie(&handshake.headers, &self.kit.cookie_name()) {
            Some(value) if self.is_own(handshake) => {
                chat.authenticate(Credential::Cookie(value)).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    fn base_url(&self, handshake: &Handshake) -> String {
        handshake.peer.map_or_else(String::new, |peer| {
            self.kit.base_url(peer, &handshake.headers)
        })
    }

    fn is_own(&self, handshake: &Handshake) -> bool {
        handshake
            .peer
            .is_some_and(|peer| self.kit.is_same_origin(peer, &handshake.headers))
    }
}

impl Handler for Sockets {
    type Outgoing = Queue;
    type Socket = Session;

    fn outgoing(&self) -> Queue {
        Queue::default()
    }

    async fn connect(&self, connect: Connect<'_, Queue>) -> Result<Session, Refusal> {
        let auth = connect.auth.map(serde_json::value::RawValue::get);
        let refuse = |error: ChatError| Refusal(Cow::Owned(error.to_string()));
        let caller = self
            .authenticate(connect.handshake, auth)
            .await
            .map_err(refuse)?;
        let remote = self.remote(connect.handshake);
        if caller.is_none() {
            match &remote {
                Some(remote) if self.is_open() => {
                    self.kit.chat.warn_remote(remote);
                    return Err(refuse(TokenFault::Remote(remote.cause).into()));
                }
                None if self.is_open() => {}
                _ => return Err(refuse(TokenFault::Missing.into())),
            }
        }
        let outbox = connect.client.outgoing().0.clone();
        let mut session = Session {
            kit: self.kit.clone(),
            caller: None,
            proven: caller.is_some(),
            local: remote.is_none(),
            connection: None,
            bystanders: Vec::new(),
            state: Extensions::new(),
            pipeline: Pipeline::new(outbox),
            reply: None,
            client: connect.client,
            base: self.base_url(connect.handshake),
            surfaces: self.surfaces.clone(),
        };
        if let Some(caller) = caller {
            session.become_caller(caller).await.map_err(refuse)?;
        }
        Ok(session)
    }
}

impl Socket for Session {
    async fn connected(&mut self) {
        let surfaces = self.surfaces.clone();
        surfaces
            .iter()
            .filter_map(|surface| surface.greet)
            .for_each(|greet| greet(self));
        // Only now, because no event may precede the greeting.
        for surface in surfaces.iter() {
            if self.caller.as_ref().map(Caller::dialect) == Some(surface.dialect) {
                self.speak(surface);
            }
        }
        if self.connection.is_none() {
            self.stand_by();
        }
    }

    async fn event(&mut self, event: Event<'_>) {
        let slot = self.pipeline.begin();
        let surfaces = self.surfaces.clone();
        let found = surfaces.iter().find_map(|surface| {
            let (name, run) = surface
                .events
                .iter()
                .find(|(name, _)| *name == event.name)?;
            Some((surface, run, surface.posts.contains(name)))
        });
        let may_overlap = found.is_none_or(|(_, _, posts)| posts);
        // Events received after the session has ended are dropped.
        if self.client.outgoing().is_closed() || !(may_overlap || slot.alone().await) {
            return;
        }
        self.reply = Some(Reply::new(slot, self.client.clone(), event.ack));
        let value = event
            .args
            .first()
            .and_then(|value| serde_json::from_str(value.get()).ok())
            .unwrap_or(Value::Null);
        match found {
            // Sessions without a token may only use the dialects that are open to them.
            Some((surface, run, _)) if self.proven || self.may_be_unproven(surface) => {
                self.speak(surface);
                run(self, value).await;
                self.speak(surface);
            }
            _ => self.emit(
                "error",
                &Unknown {
                    message: "Unknown event",
                    error: "Unknown event",
                    code: 0,
                },
            ),
        }
        self.reply = None;
        self.pipeline.room().await;
    }

    async fn disconnected(self, _: Reason) {
        if let Some(connection) = &self.connection {
            connection.outbox().close(CloseReason::Gone);
            self.pipeline.ended().await;
            self.kit.chat.disconnect(connection).await;
        }
    }
}

#[derive(Serialize)]
struct Unknown {
    message: &'static str,
    error: &'static str,
    code: u8,
}

/// Appends an event with one value to `frames`.
pub fn add_event<T: Serialize + ?Sized>(frames: &mut Frames, name: &str, value: &T) {
    frames.add(|bytes| event(name).arg(value).append_to(bytes));
}

/// Appends an event without a value to `frames`.
pub fn add_bare_event(frames: &mut Frames, name: &str) {
    frames.add(|bytes| event(name).append_to(bytes));
}

/// Adapts a connection's outbox to the transport.
#[derive(Clone, Default)]
pub struct Queue(Arc<Outbox>);

impl Outgoing for Queue {
    fn poll_take(&self, context: &mut Context<'_>, frames: &mut Vec<Bytes>) -> Poll<Option<Close>> {
        self.0
            .poll_take(context, frames)
            .map(|closing| closing.map(close))
    }

    fn push(&self, frames: Bytes) {
        let mut one = Frames::default();
        one.add(|bytes| bytes.extend_from_slice(&frames));
        self.0.push(one.seal(), Priority::Full);
    }

    fn set_line(&self, line: Weak<Line>) {
        self.0.set_line(line);
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

fn close(closing: CloseReason) -> Close {
    let (code, reason, retry) = match closing {
        CloseReason::SessionEnded => (4001, "the session ended", false),
        CloseReason::Lagging => (4002, "too slow", true),
        CloseReason::Restarting => (1012, "the server restarts", true),
        CloseReason::Changed => (1012, "come back", true),
        CloseReason::Gone => (1000, "", false),
    };
    Close {
        code,
        reason,
        retry,
    }
}
