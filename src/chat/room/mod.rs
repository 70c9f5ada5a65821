//! One room, one task: it holds members, presence and watchers, gives messages their order and tells everybody.
//! Holds the store and the connected people, never the registry that holds it; must not know any wire.
//!
//! The task never waits for the disk to take the next message: what is being written waits in `pending`, in order, and
//! nobody is told of a message before it is durable. Orders, which are rare, first let `pending` run empty.

mod calls;
mod handle;
mod orders;
mod posting;
mod presence;
mod reads;
mod tail;
mod watchers;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::model::{Event, Member, MemberRole, MessageId, Room, RoomId, UserId};
use crate::store::Store;

use super::ChatError;
use super::messages::Posted;
use super::outbox::Weight;
use super::people::People;

use calls::Names;
pub(super) use handle::{Attached, RoomHandle, RoomMsg, reply};
pub use handle::{Online, Reply};
pub(super) use orders::Order;
use posting::Pending;
use presence::Presence;
use reads::Reads;
use tail::Tail;
use watchers::Watchers;

/// A room without watchers and work rests after this time.
const IDLE: Duration = Duration::from_secs(60);
/// So many events are told before connections get a chance to write.
const EVENTS_AT_ONCE: usize = 128;

struct RoomActor {
    store: Store,
    people: Arc<People>,
    room: Arc<Room>,
    members: HashMap<UserId, Member>,
    names: Names,
    watchers: Watchers,
    presence: Presence,
    /// Tells when to look who is there.
    stirred: watch::Receiver<u64>,
    /// What is being written, in the order in which it will be told.
    pending: std::collections::VecDeque<Pending>,
    tail: Tail,
    reads: Reads,
    /// Direct rooms: how much each of the two has not read.
    unread: HashMap<UserId, u32>,
    /// When each typist was last passed on.
    typing: HashMap<UserId, Instant>,
    /// Messages whose writing failed: should one turn out to be there, nobody was told of it.
    unsure: Vec<MessageId>,
    /// When those who had no room for a change of presence or a read mark are told again.
    tell_again: Option<Instant>,
    used: Instant,
    deleted: bool,
}

async fn run(id: RoomId, store: Store, people: Arc<People>, mut inbox: mpsc::Receiver<RoomMsg>) {
    match load(id, store, people).await {
        Ok(mut actor) => {
            actor.work(&mut inbox).await;
            inbox.close();
            // What came in the last moment is still answered.
            while let Some(message) = inbox.recv().await {
                actor.handle(message).await;
            }
            actor.finish().await;
        }
        Err(error) => {
            inbox.close();
            while let Some(message) = inbox.recv().await {
                message.refuse(error.clone());
            }
        }
    }
}

async fn load(id: RoomId, store: Store, people: Arc<People>) -> Result<RoomActor, ChatError> {
    let room = store.room(id).await?.ok_or(ChatError::NotFound("room"))?;
    let members = store.members(id, UserId(0), u32::MAX).await?;
    let newest = store.newest_change(id).await?;
    let unread = reads::count_unread(&store, &room).await?;
    Ok(RoomActor {
        room: Arc::new(room),
        members: members
            .into_iter()
            .map(|member| (member.person.id, member))
            .collect(),
        names: Names::default(),
        watchers: Watchers::default(),
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
        deleted: false,
    })
}

impl RoomActor {
    /// Works until the room is deleted or nobody needs it.
    async fn work(&mut self, inbox: &mut mpsc::Receiver<RoomMsg>) {
        let mut messages = Vec::with_capacity(64);
        let mut alarm = std::pin::pin!(sleep_until(Instant::now() + IDLE));
        while !self.deleted {
            if self.due() < alarm.deadline() {
                alarm.as_mut().reset(self.due());
            }
            tokio::select! {
                biased;
                done = posting::front(&mut self.pending) => self.settle(done).await,
                _ = inbox.recv_many(&mut messages, 64) => {
                    for message in messages.drain(..) {
                        self.handle(message).await;
                    }
                }
                Ok(()) = self.stirred.changed(), if !self.watchers.is_empty() => self.look_around(),
                () = alarm.as_mut() => {
                    if self.is_idle() {
                        return;
                    }
                    self.tick().await;
                    alarm.as_mut().reset((Instant::now() + IDLE).min(self.due()));
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
            RoomMsg::Post { by, draft, reply } => self.post(&by, draft, reply).await,
            RoomMsg::Change {
                by,
                message,
                author,
                change,
                reply,
            } => self.change(&by, (message, author), change, reply).await,
            RoomMsg::Read { by, through, reply } => self.read(&by, through, reply).await,
            RoomMsg::Typing { by } => self.typing(by),
            RoomMsg::Attach {
                connection,
                encoder,
                position,
                reply,
            } => {
                // It has read what is on disk and not told yet: that must not reach it a second time.
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
                match encoder {
                    Some(encoder) => self.watchers.leave(connection.id(), encoder),
                    None => self.detach(&connection),
                }
                reply(Ok(()));
            }
            RoomMsg::Order { by, order, reply } => {
                self.settle_all().await;
                reply(self.order(&by, order).await);
            }
            RoomMsg::Online { reply } => reply(Ok(self.online())),
            RoomMsg::Retire { user, reply } => {
                self.settle_all().await;
                reply(self.retire(user).await);
            }
            RoomMsg::Watching { encoder, reply } => reply(Ok(self.watchers.people(encoder))),
            RoomMsg::Announce { encoder, event } => self.watchers.announce(encoder, &event),
            RoomMsg::Renamed(person) => self.renamed(person),
            RoomMsg::Admit(member) => self.admitted(member),
            RoomMsg::Reload => self.reload().await,
        }
    }

    fn place(&self, user: UserId) -> Option<MemberRole> {
        self.members.get(&user).map(|member| member.place.role)
    }

    /// Tells everybody who watches, and lets those go who do not keep up.
    fn tell(&mut self, event: Event, weight: Weight) {
        self.tell_but(event, weight, None);
    }

    fn tell_but(&mut self, event: Event, weight: Weight, but: Option<UserId>) {
        for dead in self.watchers.deliver(&[event], weight, but) {
            self.detach(&dead);
        }
    }

    /// When the next thing is to be done that nobody asks for.
    fn due(&self) -> Instant {
        let idle = self.used + IDLE;
        let rest = idle.max(Instant::now() + IDLE);
        let due = [self.reads.due(), self.tell_again];
        due.into_iter().flatten().fold(rest, Instant::min)
    }

    fn is_idle(&self) -> bool {
        self.watchers.is_empty()
            && self.pending.is_empty()
            && self.reads.due().is_none()
            && self.tell_again.is_none()
            && self.used.elapsed() >= IDLE
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

    /// Lets everything that is being written come to its end.
    async fn settle_all(&mut self) {
        while !self.pending.is_empty() {
            let done = posting::front(&mut self.pending).await;
            self.settle(done).await;
        }
    }

    /// Answers what has been written, and tells everybody of all that is done by now in one go.
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
        for dead in self.watchers.send(&events).await {
            self.detach(&dead);
        }
        self.tell_absent(&events);
        self.tell_unread(&events);
        if events.len() >= EVENTS_AT_ONCE {
            tokio::task::yield_now().await;
        }
    }
}
