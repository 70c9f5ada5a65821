//! Presence and typing. A member with an open connection is online. Presence is sent as one difference each half
//! second, so that crowds do not cause a storm of events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{
    self, Action, Event, MessageId, Millis, Person, RoomId, UserId, may, may_speak,
};

use super::super::connections::Connection;
use super::super::encoder::Encoder;
use super::super::error::allowed;
use super::super::outbox::Priority;
use super::{Attached, ChatError, Online, Reply, RoomActor};

/// In rooms with more members only the number of people online is sent.
const NAMED_MAX: usize = 200;
/// Delay before presence or read cursors are sent again to connections that had no space for a change.
const TELL_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// Minimum interval between two typing events of one person.
pub(super) const TYPING_EVERY: Duration = Duration::from_secs(1);

/// Presence as it was last sent to the subscribers.
#[derive(Default)]
pub(super) struct Presence {
    named: HashMap<UserId, Arc<Person>>,
    count: u32,
}

impl Presence {
    /// Removes a person who is no longer a member; subscribers learn that from `Left`.
    pub(super) fn forget(&mut self, user: UserId) {
        self.named.remove(&user);
    }

    /// Returns the state to which the following differences apply.
    fn told(&self) -> Online {
        Online {
            people: self.named.values().cloned().collect(),
            count: self.count,
        }
    }
}

impl RoomActor {
    /// Subscribes a connection from `position` on: the reply comes first, then the changes it missed, then live events.
    /// Refuses a closed connection, because the task that closed it may have gone through its rooms already.
    pub(super) fn attach(
        &mut self,
        connection: Arc<Connection>,
        encoder: Encoder,
        position: Option<MessageId>,
        reply: Reply<Attached>,
    ) {
        let (person, kind) = (connection.person().clone(), self.room.kind);
        let verdict = may(person.role, self.place(person.id), kind, Action::Read);
        let checked = self.check_proof(connection.is_believed());
        if let Err(error) = checked.and_then(|()| allowed(verdict)) {
            return reply(Err(error));
        }
        // The order matters: a task that closes the outbox after this check goes through the noted rooms after that.
        if !connection.note_room(self.room.id) || connection.outbox().is_closed() {
            return reply(Err(ChatError::Busy));
        }
        let position = position.unwrap_or(self.tail.last());
        let Some(missed) = self.tail.since(position) else {
            let floor = self.tail.floor();
            return reply(Ok(Attached::Behind { floor }));
        };
        if self.watchers.is_empty() {
            // Presence was not updated while there were no subscribers.
            self.stirred.mark_unchanged();
            self.take_stock();
        }
        reply(Ok(Attached::Live {
            online: self.presence.told(),
            cleared_through: self.room.cleared_through,
        }));
        self.watchers.replay(&connection, encoder, &missed);
        self.watchers.add(connection, encoder);
    }

    pub(super) fn detach(&mut self, connection: u64) {
        self.watchers.remove_connection(connection);
    }

    pub(super) fn detach_all(&mut self, dead: Vec<u64>) {
        dead.into_iter()
            .for_each(|connection| self.detach(connection));
    }

    /// Refuses people who may not send messages now.
    pub(super) fn check_may_speak(&self, by: &Person) -> Result<(), ChatError> {
        let place = self.members.get(&by.id).map(|member| &member.place);
        allowed(may_speak(by.role, place, self.room.kind, Millis::now()))
    }

    /// Sends the difference of presence since the last time to the subscribers.
    pub(super) fn look_around(&mut self) {
        let (before, count) = (
            std::mem::take(&mut self.presence.named),
            self.presence.count,
        );
        self.take_stock();
        let now = &self.presence.named;
        let missing = |from: &HashMap<UserId, Arc<Person>>, than: &HashMap<UserId, Arc<Person>>| {
            let gone = from
                .values()
                .filter(|person| !than.contains_key(&person.id));
            gone.cloned().collect::<Vec<_>>()
        };
        let (online, offline) = (missing(now, &before), missing(&before, now));
        if online.is_empty() && offline.is_empty() && self.presence.count == count {
            return;
        }
        let change = Event::Presence(model::Presence {
            room: self.room.id,
            online,
            offline,
            count: self.presence.count,
        });
        let dead = self.watchers.tell_presence(&change);
        self.detach_all(dead);
        if self.watchers.has_missed_presence() {
            self.tell_again_soon();
        }
    }

    /// Schedules another attempt for connections that had no space for a change of presence or a read cursor.
    pub(super) fn tell_again_soon(&mut self) {
        let due = Instant::now() + TELL_AGAIN_AFTER;
        self.tell_again.get_or_insert(due);
    }

    /// If it is due, sends whole presence and read cursors to connections that had no space for a change.
    pub(super) fn tell_again(&mut self, now: Instant) {
        if self.tell_again.is_none_or(|due| due > now) {
            return;
        }
        self.tell_again = None;
        self.tell_missed_reads();
        if self.watchers.has_missed_presence() {
            let whole = self.whole_presence();
            self.watchers.tell_missed_presence(&whole);
        }
        if self.watchers.has_missed_presence() {
            self.tell_again_soon();
        }
    }

    /// Returns a presence event that is right for every subscriber, whatever it received before.
    fn whole_presence(&self) -> Event {
        let named = &self.presence.named;
        let members = self.members.values().map(|member| &member.person);
        let is_offline = |person: &&Arc<Person>| !named.contains_key(&person.id);
        let offline = match self.members.len() > NAMED_MAX {
            true => Vec::new(),
            false => members.filter(is_offline).cloned().collect(),
        };
        Event::Presence(model::Presence {
            room: self.room.id,
            online: named.values().cloned().collect(),
            offline,
            count: self.presence.count,
        })
    }

    /// Returns the members who are online; in large rooms only their number.
    pub(super) fn online(&self) -> Online {
        if self.members.len() > NAMED_MAX {
            let count = self
                .people
                .count_online(|user| self.members.contains_key(&user));
            return Online {
                people: Vec::new(),
                count,
            };
        }
        let people = self
            .people
            .online_among(self.members.values().map(|member| &member.person));
        Online {
            count: u32::try_from(people.len()).unwrap_or(u32::MAX),
            people,
        }
    }

    fn take_stock(&mut self) {
        let Online { people, count } = self.online();
        self.presence = Presence {
            named: people
                .into_iter()
                .map(|person| (person.id, person))
                .collect(),
            count,
        };
    }

    pub(super) fn typing(&mut self, by: Arc<Person>) {
        let now = Instant::now();
        let recent = self
            .typing
            .get(&by.id)
            .is_some_and(|at| now - *at < TYPING_EVERY);
        if recent || self.check_may_speak(&by).is_err() {
            return;
        }
        self.typing.insert(by.id, now);
        let user = by.id;
        let weight = Priority::Newest(slot(self.room.id, user));
        self.tell_but(
            Event::Typing {
                room: self.room.id,
                person: by,
            },
            weight,
            Some(user),
        );
    }
}

/// Returns the key by which a newer typing event replaces one that is still queued.
fn slot(room: RoomId, user: UserId) -> u64 {
    (room.0 as u64).rotate_left(32) ^ user.0 as u64
}
