//! Room actor: one task per room holds its members, presence and subscribers, orders its messages and delivers events.
//! Holds the store and the connected people, never the registry, which holds it. Must not know any wire protocol.
//!
//! The actor does not wait for the disk before it takes the next message: writes under way are kept in `pending`, in
//! order, and a message is delivered only when it is durable. Orders are rare and first wait until `pending` is empty.

mod commands;
mod handle;
mod membership;
mod mentions;
mod posting;
mod presence;
mod read_cursors;
mod recent_changes;
mod running;
mod subscribers;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::model::{Event, Member, MemberRole, MessageId, Person, Room, RoomId, UserId};
use crate::store::Store;

use super::ChatError;
use super::connections::People;
use super::encoder::Encoder;
use super::messages::PostOutcome;
use super::outbox::Priority;

pub(super) use commands::Order;
pub(super) use handle::{Attached, RoomHandle, RoomMsg, Speaker, reply};
pub use handle::{Online, Reply};
use mentions::Names;
use posting::Pending;
use presence::Presence;
use read_cursors::Reads;
use recent_changes::Tail;
pub(super) use running::Running;
use subscribers::Subscribers;

/// Events delivered at once before connections get a chance to write.
const EVENTS_AT_ONCE: usize = 128;

struct RoomActor {
    store: Store,
    people: Arc<People>,
    room: Arc<Room>,
    members: HashMap<UserId, Member>,
    names: Names,
    watchers: Subscribers,
    presence: Presence,
    /// Changes when people came or went, so that presence must be computed again.
    stirred: watch::Receiver<u64>,
    /// Writes under way, in the order of delivery.
    pending: std::collections::VecDeque<Pending>,
    tail: Tail,
    reads: Reads,
    /// In direct rooms: unread messages of each of the two people.
    unread: HashMap<UserId, u32>,
    /// Time of the last typing event of each person.
    typing: HashMap<UserId, Instant>,
    /// Messages whose write failed. If one turns out to be stored, it was never delivered.
    unsure: Vec<MessageId>,
    /// When presence or read cursors are sent again to connections that had no space for a change.
    tell_again: Option<Instant>,
    used: Instant,
    /// The actor ends when the room has been unused for this long.
    idle: Duration,
    deleted: bool,
}

/// Runs a room actor. A room has at most one: it ends when it was forgotten with nothing left to do, or when the room
/// was deleted or could not be loaded, and then it refuses all further commands.
async fn run(
    id: RoomId,
    store: Store,
    people: Arc<People>,
    mut inbox: mpsc::Receiver<RoomMsg>,
    (running, idle): (Weak<Running>, Duration),
) {
    let gone = match load(id, store, people, idle).await {
        Ok(mut actor) => {
            actor.work(&mut inbox, &running).await;
            actor.finish().await;
            if !actor.deleted {
                return;
            }
            ChatError::NotFound("room")
        }
        Err(error) => error,
    };
    if let Some(running) = running.upgrade() {
        running.forget(id, &mut inbox);
    }
    while let Some(message) = inbox.recv().await {
        message.refuse(gone.clone());
    }
}

async fn load(
    id: RoomId,
    store: Store,
    people: Arc<People>,
    idle: Duration,
) -> Result<RoomActor, ChatError> {
    let room = store.room(id).await?.ok_or(ChatError::NotFound("room"))?;
    let members = store.members(id, UserId(0), u32::MAX).await?;
    let newest = store.newest_change(id).await?;
    let unread = read_cursors::count_unread(&store, &room).await?;
    Ok(RoomActor {
        room: Arc::new(room),
        members: members
            .into_iter()
            .map(|member| (member.person.id, member))
            .collect(),
        names: Names::default(),
        watchers: Subscribers::default(),
        presence: Presence::default(),
        stirred: people.presence(),
        store,
        people,
        pending: std::collections::VecDeque::new(),
        tail: Tail::new(newest),
        reads: Reads::default(),
        unread,
        typing: HashMap::new(),
        unsure: Vec::new(),
        tell_again: None,
        used: Instant::now(),
        idle,
        deleted: false,
    })
}

impl RoomActor {
    /// Handles commands until the room is deleted, was unused and forgotten, or the chat has ended.
    async fn work(&mut self, inbox: &mut mpsc::Receiver<RoomMsg>, running: &Weak<Running>) {
        let mut messages = Vec::with_capacity(64);
        let mut alarm = std::pin::pin!(sleep_until(Instant::now() + self.idle));
        while !self.deleted {
            if self.due() < alarm.deadline() {
                alarm.as_mut().reset(self.due());
            }
            tokio::select! {
                biased;
                done = posting::front(&mut self.pending) => self.settle(done).await,
                count = inbox.recv_many(&mut messages, 64) => {
                    if count == 0 {
                        return;
                    }
                    for message in messages.drain(..) {
                        self.handle(message).await;
                    }
                }
                Ok(()) = self.stirred.changed(), if !self.watchers.is_empty() => self.look_around(),
                () = alarm.as_mut() => {
                    if self.is_idle() && forgotten(running, self.room.id, inbox) {
                        return;
                    }
                    self.tick().await;
                    alarm.as_mut().reset((Instant::now() + self.idle).min(self.due()));
                }
            }
        }
    }

    async fn handle(&mut self, message: RoomMsg) {
        if self.deleted {
            return message.refuse(ChatError::NotFound("room"));
        }
        self.used = Instant::now();
        match message {
            RoomMsg::Post { by, draft, reply } => self.post(by, draft, reply).await,
            RoomMsg::Change {
                by,
                message,
                author,
                change,
                reply,
            } => {
                let by = self.newest(by);
                self.change(&by, (message, author), change, reply).await;
            }
            RoomMsg::Read { by, through, reply } => {
                self.read(&self.newest(by), through, reply).await;
            }
            RoomMsg::Typing { by } => self.typing(self.newest(by)),
            RoomMsg::Attach {
                connection,
                encoder,
                position,
                reply,
            } => {
                // It has read changes that are on disk but not delivered yet: it must not receive them a second time.
                if position.is_some_and(|position| position > self.tail.last()) {
                    self.settle_all().await;
                }
                self.attach(connection, encoder, position, reply)
            }
            RoomMsg::Detach {
                connection,
                encoder,
                reply,
            } => {
                self.unwatch(connection.id(), encoder);
                reply(Ok(()));
            }
            RoomMsg::Order { by, order, reply } => {
                self.settle_all().await;
                let by = self.newest(by);
                reply(self.order(&by, order).await);
            }
            RoomMsg::Online { reply } => reply(Ok(self.online())),
            RoomMsg::Retire { user, reply } => {
                self.settle_all().await;
                reply(self.retire(user).await);
            }
            RoomMsg::Watching { encoder, reply } => reply(Ok(self.watchers.people(encoder))),
            RoomMsg::Announce { encoder, event } => {
                let dead = self.watchers.announce(encoder, &event);
                self.detach_all(dead);
            }
            RoomMsg::Renamed(person) => self.renamed(&person),
            RoomMsg::Admit(member) => self.admitted(member),
            RoomMsg::Reload => self.reload().await,
        }
    }

    /// Detaches a connection, in one dialect or in all.
    fn unwatch(&mut self, connection: u64, encoder: Option<Encoder>) {
        match encoder {
            Some(encoder) => self.watchers.leave(connection, encoder),
            None => self.detach(connection),
        }
    }

    /// Returns the current state of a person: a connection has the state of the time it was opened.
    fn newest(&self, by: Arc<Person>) -> Arc<Person> {
        match self.members.get(&by.id) {
            Some(member) if member.person.updated_at > by.updated_at => member.person.clone(),
            _ => by,
        }
    }

    /// Refuses people who were admitted by name only (`compat.open`), if this kind of room requires authentication.
    fn check_proof(&self, believed: bool) -> Result<(), ChatError> {
        match believed && self.room.kind.needs_proof() {
            true => Err(ChatError::NotFound("room")),
            false => Ok(()),
        }
    }

    fn place(&self, user: UserId) -> Option<MemberRole> {
        self.members.get(&user).map(|member| member.place.role)
    }

    /// Queues an event with all subscribers, and detaches those that are closed or lagging.
    fn tell(&mut self, event: Event, weight: Priority) {
        self.tell_but(event, weight, None);
    }

    fn tell_but(&mut self, event: Event, weight: Priority, but: Option<UserId>) {
        let dead = self.watchers.deliver(&[event], weight, but);
        self.detach_all(dead);
    }

    /// Returns when the next timed work is due, at the latest after `idle`.
    fn due(&self) -> Instant {
        let rest = Instant::now() + self.idle;
        let due = [self.reads.due(), self.tell_again];
        due.into_iter().flatten().fold(rest, Instant::min)
    }

    fn is_idle(&self) -> bool {
        self.watchers.is_empty()
            && self.pending.is_empty()
            && self.reads.due().is_none()
            && self.tell_again.is_none()
            && self.used.elapsed() >= self.idle
    }

    async fn tick(&mut self) {
        let now = Instant::now();
        self.typing
            .retain(|_, at| now - *at < presence::TYPING_EVERY);
        if self.reads.due().is_some_and(|due| due <= now) {
            self.flush_reads().await;
        }
        self.tell_again(now);
    }

    async fn finish(&mut self) {
        self.flush_reads().await;
        self.settle_all().await;
    }

    /// Waits until all writes under way have finished.
    async fn settle_all(&mut self) {
        while !self.pending.is_empty() {
            let done = posting::front(&mut self.pending).await;
            self.settle(done).await;
        }
    }

    /// Replies to finished writes, and delivers their events together.
    async fn settle(&mut self, first: posting::Done) {
        let mut events = Vec::new();
        let mut next = Some(first);
        while let Some(done) = next {
            events.extend(self.conclude(done));
            next = if events.len() < EVENTS_AT_ONCE {
                posting::front(&mut self.pending).now_or_never()
            } else {
                None
            };
        }
        let dead = self.watchers.send(&events).await;
        self.detach_all(dead);
        self.tell_absent(&events);
        self.tell_unread(&events);
        if events.len() >= EVENTS_AT_ONCE {
            tokio::task::yield_now().await;
        }
    }
}

/// Removes an unused room from the running rooms; also returns `true` if the chat, and with it the list, has ended.
fn forgotten(running: &Weak<Running>, id: RoomId, inbox: &mpsc::Receiver<RoomMsg>) -> bool {
    running
        .upgrade()
        .is_none_or(|running| running.forget_unused(id, inbox))
}
