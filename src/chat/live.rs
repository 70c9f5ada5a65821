//! Connections: opened, told what is new, brought up to date, ended.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::model::{Action, Event, Message, MessageId, Person, RoomId, RoomOverview};

use super::people::Connection;
use super::room::{Attached, Online, Reply, RoomMsg};
use super::{Caller, Chat, ChatError, Encoder, Outbox};

/// So many changes one answer to a returning connection holds.
const PAGE: u32 = 200;
/// Who is further behind loads history instead.
const BEHIND_MAX: u32 = 5000;

/// What a new connection is told first.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The caller's rooms.
    pub rooms: Vec<RoomOverview>,
    /// How many notifications the person has not read, counted up to 100.
    pub unread_notifications: u32,
    /// Who is there, in rooms that are not large.
    pub online: HashMap<RoomId, Vec<Arc<Person>>>,
    /// How many are there.
    pub online_count: HashMap<RoomId, u32>,
}

/// What a returning connection missed.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// Where.
    pub room: RoomId,
    /// Messages that are new or changed, by change id.
    pub messages: Vec<Message>,
    /// Whether more wait; if not, the connection is live from here on.
    pub more: bool,
    /// Everything up to this message was cleared away.
    pub cleared_through: MessageId,
    /// It missed too much: it is live now, and drops what it holds.
    pub reset: bool,
    /// Who is there, once the connection is live: it is told of the differences from then on.
    pub online: Option<Online>,
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
    /// # Errors
    /// [`ChatError::Limited`] if they have too many.
    pub fn connect(
        &self,
        caller: &Caller,
        encoder: Option<Encoder>,
        outbox: Arc<Outbox>,
        base: &str,
    ) -> Result<Arc<Connection>, ChatError> {
        let most = self.core.settings.connections_per_user;
        self.core
            .people
            .connect(caller, encoder, outbox, base, most)
    }

    /// Lets a connection hear, from now on, what is addressed to its person, in that dialect too.
    pub fn speak(&self, connection: &Connection, encoder: Encoder) {
        self.core.people.speak(connection, encoder);
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
        for room in connection.take_rooms() {
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

    /// What a new connection is told first.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn welcome(&self, caller: &Caller) -> Result<Welcome, ChatError> {
        let rooms = self.rooms(caller).await?;
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
            unread_notifications: self.unread_notifications(caller).await?,
            rooms,
            online,
            online_count,
        })
    }

    /// Brings a connection up to date in a room. When nothing more waits, it is live from there on, without a gap:
    /// `reply` is called on the room's task right before the first event.
    pub async fn resume(
        &self,
        caller: &Caller,
        connection: &Arc<Connection>,
        encoder: Encoder,
        room: RoomId,
        after: MessageId,
        reply: Reply<Resumed>,
    ) {
        let mut reply = Some(reply);
        if let Err(error) = self
            .catch_up(caller, connection, encoder, (room, after), &mut reply)
            .await
            && let Some(reply) = reply
        {
            reply(Err(error));
        }
    }

    async fn catch_up(
        &self,
        caller: &Caller,
        connection: &Arc<Connection>,
        encoder: Encoder,
        (room, after): (RoomId, MessageId),
        reply: &mut MaybeReply,
    ) -> Result<(), ChatError> {
        let store = &self.core.store;
        let cleared_through = self
            .room_for(caller, room, Action::Read)
            .await?
            .0
            .cleared_through;
        let reset = store.count_changes(room, after, BEHIND_MAX + 1).await? > BEHIND_MAX;
        let mut resumed = Resumed {
            room,
            messages: Vec::new(),
            more: false,
            cleared_through,
            reset,
            online: None,
        };
        loop {
            if !reset {
                resumed.messages = store.changes(room, after, PAGE).await?;
                resumed.more = resumed.messages.len() as u32 == PAGE;
            }
            if resumed.more {
                reply
                    .take()
                    .into_iter()
                    .for_each(|reply| reply(Ok(resumed.clone())));
                return Ok(());
            }
            let position = resumed
                .messages
                .last()
                .map_or(after, |message| message.change_id);
            let position = (!reset).then_some(position);
            let (attach, attached) = attach_reply(resumed.clone(), reply);
            let connection = connection.clone();
            self.core.registry.tell(
                room,
                RoomMsg::Attach {
                    connection,
                    encoder,
                    position,
                    reply: attach,
                },
            );
            match attached.await.map_err(|_| ChatError::Busy)? {
                None => return Ok(()),
                back => *reply = back,
            }
        }
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

type MaybeReply = Option<Reply<Resumed>>;

/// A reply for the room's task: live, it answers with `resumed` before the first event; behind, it gives `reply` back.
fn attach_reply(
    mut resumed: Resumed,
    reply: &mut MaybeReply,
) -> (Reply<Attached>, oneshot::Receiver<MaybeReply>) {
    let (sender, receiver) = oneshot::channel();
    let mut reply = reply.take();
    let attach = move |attached: Result<Attached, ChatError>| {
        let answer = match attached {
            Ok(Attached::Behind) => None,
            Ok(Attached::Live(online)) => {
                resumed.online = Some(online);
                Some(Ok(resumed))
            }
            Err(error) => Some(Err(error)),
        };
        if let Some(answer) = answer
            && let Some(reply) = reply.take()
        {
            reply(answer);
        }
        let _ = sender.send(reply);
    };
    (Box::new(attach), receiver)
}
