//! Connections: opening, the welcome, presence and closing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Event, Person, RoomId, RoomOverview};

use super::connections::{Connection, People};
use super::outbox::CloseReason;
use super::room::RoomMsg;
use super::{Bystander, Caller, Chat, ChatError, Encoder, Outbox};

/// Number of rooms in one welcome: more would be a frame of megabytes, and a long read.
const WELCOME_ROOMS: u32 = 200;

/// First data for a new connection, or a further page of it.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Some of the caller's rooms, by id.
    pub rooms: Vec<RoomOverview>,
    /// Whether there are more rooms.
    pub more: bool,
    /// Number of unread notifications, counted up to 100.
    pub unread_notifications: u32,
    /// People online, by room; empty for large rooms.
    pub online: HashMap<RoomId, Vec<Arc<Person>>>,
    /// Number of people online, by room.
    pub online_count: HashMap<RoomId, u32>,
}

impl Chat {
    /// Sends a typing event of the caller to the room. Does nothing beyond the rate limit.
    pub fn typing(&self, caller: &Caller, room: RoomId) {
        if !self.count_signal(caller) {
            return;
        }
        self.core.registry.tell_running(
            room,
            RoomMsg::Typing {
                by: caller.person().clone(),
            },
        );
    }

    /// Opens a connection for the caller, which receives events for them in that dialect. `base` is the URL of this
    /// server as the client knows it, for encoders that [need it](super::Encode::needs_base).
    ///
    /// The caller was authenticated some time ago, and if the session ended meanwhile, its connections were closed
    /// before this one was registered. So the session is read again after registration: everything that ends sessions
    /// or changes roles commits first and closes the registered connections then. If the session has ended or the role
    /// has changed, the outbox is closed already when this returns.
    ///
    /// # Errors
    /// [`ChatError::Limited`] if the caller has too many connections; if the store fails.
    pub async fn connect(
        &self,
        caller: &Caller,
        encoder: Option<Encoder>,
        outbox: Arc<Outbox>,
        base: &str,
    ) -> Result<Arc<Connection>, ChatError> {
        let people = &self.core.people;
        let most = self.core.settings.connections_per_user;
        let opening = Opening {
            people,
            connection: people.connect(caller, encoder, outbox, base, most)?,
            finished: false,
        };
        let closing = self.check_session(caller).await?;
        let connection = opening.finish();
        if let Some(why) = closing {
            connection.outbox().close(why);
        }
        Ok(connection)
    }

    /// Returns the reason why a connection that the caller opens now must be closed, if any.
    async fn check_session(&self, caller: &Caller) -> Result<Option<CloseReason>, ChatError> {
        let store = &self.core.store;
        let user = match caller.is_proven() {
            true => store.session(caller.session()).await?.map(|(_, user)| user),
            false => store.user(caller.id()).await?,
        };
        Ok(match user {
            None => Some(CloseReason::SessionEnded),
            Some(user) if user.role() != caller.role() => Some(CloseReason::Changed),
            Some(_) => None,
        })
    }

    /// Adds a dialect in which a connection receives events for its person.
    pub fn speak(&self, connection: &Connection, encoder: Encoder) {
        self.core.people.speak(connection, encoder);
    }

    /// Lets a client that is not logged in receive the events for everybody, until the returned handle is dropped.
    pub fn stand_by(&self, encoder: Encoder, outbox: Arc<Outbox>) -> Arc<Bystander> {
        self.core.people.bystanders.add(encoder, outbox)
    }

    /// Sets whether the person at a connection is away.
    pub fn set_away(&self, connection: &Connection, away: bool) {
        self.core.people.set_away(connection, away);
    }

    /// Returns the people online: all of them are members of the lobby.
    pub fn everybody_online(&self) -> Vec<Arc<Person>> {
        self.core.people.online()
    }

    /// Returns the people who subscribe to a room with that encoder, without duplicates.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller may not see the room.
    pub async fn watching(
        &self,
        caller: &Caller,
        room: RoomId,
        encoder: Encoder,
    ) -> Result<Vec<Arc<Person>>, ChatError> {
        self.room(caller, room).await?;
        Ok(self.watching_anybody(room, encoder).await)
    }

    /// The same for the lobby and for rooms that everybody may see.
    pub async fn watching_anybody(&self, room: RoomId, encoder: Encoder) -> Vec<Arc<Person>> {
        let there = self
            .core
            .registry
            .ask_running(room, |reply| RoomMsg::Watching { encoder, reply })
            .await;
        there.unwrap_or_default()
    }

    /// Sends an event to the room's subscribers with that encoder only.
    pub fn announce(&self, room: RoomId, encoder: Encoder, event: Event) {
        self.core
            .registry
            .tell_running(room, RoomMsg::Announce { encoder, event });
    }

    /// Closes a connection. All its subscriptions have ended when this returns.
    pub async fn disconnect(&self, connection: &Arc<Connection>) {
        self.core.people.disconnect(connection);
        self.unwatch_all(connection).await;
    }

    /// Ends a connection but keeps its socket open, for another person.
    pub async fn hand_on(&self, connection: &Arc<Connection>) {
        self.core.people.forget(connection);
        self.unwatch_all(connection).await;
    }

    async fn unwatch_all(&self, connection: &Arc<Connection>) {
        for room in connection.end_rooms() {
            self.detach(connection, None, room).await;
        }
    }

    /// Ends a connection's subscription to a room with one encoder.
    pub async fn unwatch(&self, connection: &Arc<Connection>, encoder: Encoder, room: RoomId) {
        self.detach(connection, Some(encoder), room).await;
    }

    async fn detach(&self, connection: &Arc<Connection>, encoder: Option<Encoder>, room: RoomId) {
        let connection = connection.clone();
        let detach = |reply| RoomMsg::Detach {
            connection,
            encoder,
            reply,
        };
        self.core.registry.ask_running(room, detach).await;
    }

    /// Returns the first data for a new connection: the caller's rooms after `after`. From the read on, the outbox
    /// holds back all frames until it is [filled](Outbox::fill) with the answer. Everything before the read is in the
    /// answer; the first page (`after` is 0) therefore replaces all frames that were held back until then.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn welcome(
        &self,
        caller: &Caller,
        connection: &Connection,
        after: RoomId,
    ) -> Result<Welcome, ChatError> {
        let outbox = connection.outbox().clone();
        let begun = move || match after {
            RoomId(0) => outbox.forget_held(),
            _ => outbox.hold(),
        };
        let page = (after, WELCOME_ROOMS + 1);
        let store = self.store_for(caller);
        let (mut rooms, unread_notifications) =
            store.overviews_page(caller.id(), page, begun).await?;
        let more = rooms.len() > WELCOME_ROOMS as usize;
        rooms.truncate(WELCOME_ROOMS as usize);
        let (mut online, mut online_count) = (HashMap::new(), HashMap::new());
        for overview in &rooms {
            let id = overview.room.id;
            let Some(there) = self
                .core
                .registry
                .ask_running(id, |reply| RoomMsg::Online { reply })
                .await
            else {
                continue;
            };
            online.insert(id, there.people);
            online_count.insert(id, there.count);
        }
        Ok(Welcome {
            rooms,
            more,
            unread_notifications,
            online,
            online_count,
        })
    }

    /// Subscribes a connection to a room from now on, without missed changes.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller may not read the room.
    pub async fn watch(
        &self,
        connection: &Arc<Connection>,
        encoder: Encoder,
        room: RoomId,
    ) -> Result<(), ChatError> {
        let connection = connection.clone();
        let attach = |reply| RoomMsg::Attach {
            connection,
            encoder,
            position: None,
            reply,
        };
        self.core.registry.ask(room, attach).await.map(drop)
    }
}

/// A registered connection that is removed again unless opening it is finished, because the future may be dropped.
struct Opening<'a> {
    people: &'a People,
    connection: Arc<Connection>,
    finished: bool,
}

impl Opening<'_> {
    fn finish(mut self) -> Arc<Connection> {
        self.finished = true;
        self.connection.clone()
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.people.forget(&self.connection);
        }
    }
}
