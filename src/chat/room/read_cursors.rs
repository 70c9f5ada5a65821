//! Read cursors: written at most once a second, answered and sent when they are on disk.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Event, Message, MessageId, Person, Room, RoomKind, UserId};
use crate::store::{Store, UNREAD_MAX};

use super::super::encoder::View;
use super::super::outbox::Priority;
use super::posting::Pending;
use super::{ChatError, Reply, RoomActor};

/// Interval at which cursors are written. In direct rooms they are written at once: the other person waits to see it.
const EVERY: Duration = Duration::from_secs(1);
/// Number of waiting replies at which cursors are written at once.
const REPLIES_MAX: usize = 1024;

/// A person and the newest message that they have read.
pub(super) type Cursor = (Arc<Person>, MessageId);

/// Cursors that are not written yet. Until they are, the member's `last_read_id` is the one on disk.
#[derive(Default)]
pub(super) struct Reads {
    cursors: HashMap<UserId, Cursor>,
    replies: Vec<Reply<()>>,
    written: Option<Instant>,
    due: Option<Instant>,
    /// Cursors for which some connection had no space.
    missed: HashMap<UserId, Cursor>,
    /// In direct rooms: people whose cursor moves past unread messages, until that is sent.
    past_unread: HashSet<UserId>,
}

impl Reads {
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// Counts the unread messages of each of the two people of a direct room.
pub(super) async fn count_unread(
    store: &Store,
    room: &Room,
) -> Result<HashMap<UserId, u32>, ChatError> {
    let mut unread = HashMap::new();
    for person in &room.people {
        unread.insert(person.id, store.unread(room.id, person.id).await?);
    }
    Ok(unread)
}

impl RoomActor {
    pub(super) async fn read(&mut self, by: &Arc<Person>, through: MessageId, reply: Reply<()>) {
        let Some(member) = self.members.get(&by.id) else {
            return reply(Err(ChatError::NotFound("room")));
        };
        // A cursor cannot be ahead of the newest change that was delivered.
        let through = through.min(self.tail.last());
        let so_far = member.place.last_read_id;
        if through <= so_far {
            // The cursor does not move, but clients of other dialects wait for the event all the same.
            self.tell_read(by.clone(), so_far);
            return reply(Ok(()));
        }
        let cursors = &mut self.reads.cursors;
        let cursor = cursors.entry(by.id).or_insert((by.clone(), through));
        cursor.1 = cursor.1.max(through);
        self.reads.replies.push(reply);
        let now = Instant::now();
        let pause_over = self
            .reads
            .written
            .is_none_or(|written| now - written >= EVERY)
            || self.reads.replies.len() >= REPLIES_MAX;
        if self.room.kind == RoomKind::Direct {
            self.note_unread(by.id).await;
            self.flush_reads().await;
            self.recount(by.id).await;
        } else if pause_over {
            self.flush_reads().await;
        } else {
            let next = self.reads.written.unwrap_or(now) + EVERY;
            self.reads.due.get_or_insert(next);
        }
    }

    /// Applies a cursor that is on disk, and sends it.
    pub(super) fn note_read(&mut self, person: Arc<Person>, through: MessageId) {
        let Some(member) = self.members.get_mut(&person.id) else {
            return;
        };
        let cursor = &mut member.place.last_read_id;
        *cursor = through.max(*cursor);
        let so_far = *cursor;
        self.tell_read(person, so_far);
    }

    /// Remembers whether a person of a direct room has unread messages, before their cursor moves.
    async fn note_unread(&mut self, user: UserId) {
        let is_unread = |room: &Self| room.unread.get(&user).is_some_and(|count| *count > 0);
        if !is_unread(self) {
            return;
        }
        // Some may have been deleted since they were counted.
        self.recount(user).await;
        if is_unread(self) {
            self.reads.past_unread.insert(user);
        }
    }

    /// Counts the unread messages of a person of a direct room, by what is on disk.
    async fn recount(&mut self, user: UserId) {
        self.settle_all().await;
        match self.store.unread(self.room.id, user).await {
            Ok(count) => drop(self.unread.insert(user, count)),
            Err(error) => tracing::warn!(%error, "cannot count unread messages"),
        }
    }

    /// Sends the recipients of direct messages their new number of unread messages.
    pub(super) fn tell_unread(&mut self, events: &[Event]) {
        let room = self.room.clone();
        for message in events
            .iter()
            .filter_map(posted)
            .filter(|_| room.kind == RoomKind::Direct)
        {
            let Some(reader) = room.other(message.sender.id) else {
                continue;
            };
            let count = self.unread.entry(reader.id).or_default();
            *count = (*count + 1).min(UNREAD_MAX);
            let event = Event::Unread {
                room: room.id,
                other: message.sender.clone(),
                count: *count,
            };
            self.people.tell(reader.id, &event, Priority::Full);
        }
    }

    /// Sends direct messages and the lobby's events to connections that are not subscribed to the room, in dialects
    /// that want them.
    pub(super) fn tell_absent(&self, events: &[Event]) {
        if events.is_empty() || !self.people.has_absent() {
            return;
        }
        let events: Vec<Event> = match self.room.kind {
            RoomKind::Public | RoomKind::Private => return,
            RoomKind::Lobby => events.to_vec(),
            RoomKind::Direct => events
                .iter()
                .filter_map(posted)
                .filter_map(|message| self.addressed(message))
                .collect(),
        };
        self.people.tell_absent(
            |user| self.members.contains_key(&user),
            &self.watchers.seats(),
            &events,
        );
    }

    fn addressed(&self, message: &Arc<Message>) -> Option<Event> {
        let to = self.room.other(message.sender.id)?.clone();
        Some(Event::PostedTo {
            message: message.clone(),
            to,
        })
    }

    /// Sends a read cursor: to both people in direct rooms, elsewhere only to the reader's own connections.
    pub(super) fn tell_read(&mut self, person: Arc<Person>, last_read_id: MessageId) {
        let (room, reader) = (self.room.id, person.id);
        let other = self
            .room
            .other(reader)
            .filter(|_| self.room.kind == RoomKind::Direct)
            .cloned();
        let was_unread = self.reads.past_unread.remove(&reader);
        let event = Event::Read {
            room,
            person: person.clone(),
            last_read_id,
            other: other.clone(),
            was_unread,
        };
        let weight =
            |own: bool| Priority::Newest((room.0 as u64) << 2 | 1 | u64::from(own) << 1 | 1 << 63);
        let mut told = self.people.tell_as(View::Own, reader, &event, weight(true));
        if let Some(other) = other {
            told &= self
                .people
                .tell_as(View::Other, other.id, &event, weight(false));
        }
        if !told {
            if was_unread {
                self.reads.past_unread.insert(reader);
            }
            self.reads.missed.insert(reader, (person, last_read_id));
            self.tell_again_soon();
        }
    }

    /// Sends the newest cursors again for which some connection had no space.
    pub(super) fn tell_missed_reads(&mut self) {
        for (person, last_read_id) in std::mem::take(&mut self.reads.missed).into_values() {
            self.tell_read(person, last_read_id);
        }
    }

    pub(super) async fn flush_reads(&mut self) {
        self.reads.due = None;
        if self.reads.cursors.is_empty() {
            return;
        }
        self.reads.written = Some(Instant::now());
        let cursors: Vec<Cursor> = self
            .reads
            .cursors
            .drain()
            .map(|(_, cursor)| cursor)
            .collect();
        let rows = cursors
            .iter()
            .map(|(person, through)| (person.id, *through))
            .collect();
        let replies = std::mem::take(&mut self.reads.replies);
        let ticket = self.store.set_reads(self.room.id, rows).await;
        self.pending.push_back(Pending::Reads {
            ticket,
            cursors,
            replies,
        });
    }
}

fn posted(event: &Event) -> Option<&Arc<Message>> {
    match event {
        Event::PostOutcome(message) => Some(message),
        _ => None,
    }
}
