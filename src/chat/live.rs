//! Connections: opened, told what is new, ended.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Event, Person, RoomId, RoomOverview};

use super::outbox::Closing;
use super::people::{Connection, People};
use super::room::RoomMsg;
use super::{Bystander, Caller, Chat, ChatError, Encoder, Outbox};

/// So many rooms are told at once: more would be a frame of megabytes, and a long read.
const WELCOME_ROOMS: u32 = 200;

/// What a new connection is told first, or a further part of that.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Some of the caller's rooms, by id.
    pub rooms: Vec<RoomOverview>,
    /// Whether there are more rooms.
    pub more: bool,
    /// How many notifications the person has not read, counted up to 100.
    pub unread_notifications: u32,
    /// Who is there, in rooms that are not large.
    pub online: HashMap<RoomId, Vec<Arc<Person>>>,
    /// How many are there.
    pub online_count: HashMap<RoomId, u32>,
}

impl Chat {
    /// Tells a room that the caller is typing, unless that is said too often.
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

    /// Opens a connection for the caller, which hears what is addressed to them in that dialect; `base` is the address
    /// of this server as the client knows it, for encoders that [need it](super::Encode::needs_base).
    ///
    /// The caller was authenticated some time ago, and whatever ended their session meanwhile did not find this
    /// connection. So the session is read again once the connection is registered: everything that ends sessions or
    /// changes roles first commits, then closes the registered connections. The outbox is closed already when this
    /// returns if the session has ended or the account has another role.
    ///
    /// # Errors
    /// [`ChatError::Limited`] if they have too many, or whatever keeps the store from answering.
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

    /// Why a connection that the caller opens now must be closed, if it must.
    async fn check_session(&self, caller: &Caller) -> Result<Option<Closing>, ChatError> {
        let store = &self.core.store;
        let user = match caller.is_proven() {
            true => store.session(caller.session()).await?.map(|(_, user)| user),
            false => store.user(caller.id()).await?,
        };
        Ok(match user {
            None => Some(Closing::SessionEnded),
            Some(user) if user.role() != caller.role() => Some(Closing::Changed),
            Some(_) => None,
        })
    }

    /// Lets a connection hear, from now on, what is addressed to its person, in that dialect too.
    pub fn speak(&self, connection: &Connection, encoder: Encoder) {
        self.core.people.speak(connection, encoder);
    }

    /// Lets a client that has not said who it is hear what everybody is told, until the answer is dropped.
    pub fn stand_by(&self, encoder: Encoder, outbox: Arc<Outbox>) -> Arc<Bystander> {
        self.core.people.bystanders.add(encoder, outbox)
    }

    /// Says whether somebody sits in front of a connection.
    pub fn set_away(&self, connection: &Connection, away: bool) {
        self.core.people.set_away(connection, away);
    }

    /// Everybody who is connected: all are in the lobby together.
    pub fn everybody_online(&self) -> Vec<Arc<Person>> {
        self.core.people.online()
    }

    /// Who watches a room in one protocol, each once.
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

    /// Who watches the lobby, or another room everybody may see, in one protocol; each once.
    pub async fn watching_anybody(&self, room: RoomId, encoder: Encoder) -> Vec<Arc<Person>> {
        let there = self
            .core
            .registry
            .ask_running(room, |reply| RoomMsg::Watching { encoder, reply })
            .await;
        there.unwrap_or_default()
    }

    /// Tells those who watch a room in one protocol something that concerns only them.
    pub fn announce(&self, room: RoomId, encoder: Encoder, event: Event) {
        self.core
            .registry
            .tell_running(room, RoomMsg::Announce { encoder, event });
    }

    /// Ends a connection: it watches nothing any more when this returns.
    pub async fn disconnect(&self, connection: &Arc<Connection>) {
        self.core.people.disconnect(connection);
        self.unwatch_all(connection).await;
    }

    /// Ends a connection whose socket lives on as somebody else's.
    pub async fn hand_on(&self, connection: &Arc<Connection>) {
        self.core.people.forget(connection);
        self.unwatch_all(connection).await;
    }

    async fn unwatch_all(&self, connection: &Arc<Connection>) {
        for room in connection.end_rooms() {
            self.detach(connection, None, room).await;
        }
    }

    /// Lets a connection hear no more of a room in one protocol.
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

    /// What a new connection is told first, of the caller's rooms after `after`. Its outbox holds back whatever is queued
    /// after the answer was read, until it is [filled](Outbox::fill) with that; what came before is in the answer, and in
    /// the first one takes the place of all that was queued until then.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
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

    /// Lets a connection watch a room from now on, without looking back.
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

/// A registered connection that is forgotten unless it is finished: whoever opens it may go away meanwhile.
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
