//! Who is there and who is typing: told as one difference each half second, so that crowds make no storm.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{self, Action, Event, MessageId, Person, RoomId, UserId, may};

use super::super::encode::Encoder;
use super::super::error::allowed;
use super::super::outbox::Weight;
use super::super::people::Connection;
use super::{Attached, Online, Reply, RoomActor};

/// In rooms of more members only the number of people online is told.
const NAMED_MAX: usize = 200;
/// How often differences are told.
const EVERY: Duration = Duration::from_millis(500);
/// How often one person's typing is passed on.
pub(super) const TYPING_EVERY: Duration = Duration::from_secs(1);

/// How many connections of each person watch, and what has not been told yet.
#[derive(Default)]
pub(super) struct Presence {
    here: HashMap<UserId, (Arc<Person>, usize)>,
    /// People whose state may differ from what was told; `true`: they were told to be online.
    touched: HashMap<UserId, (Arc<Person>, bool)>,
    due: Option<Instant>,
}

impl Presence {
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn came(&mut self, person: &Arc<Person>) {
        let (_, count) = self
            .here
            .entry(person.id)
            .or_insert_with(|| (person.clone(), 0));
        *count += 1;
        if *count == 1 {
            self.touch(person, false);
        }
    }

    pub(super) fn went(&mut self, person: &Arc<Person>) {
        let Some((_, count)) = self.here.get_mut(&person.id) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.here.remove(&person.id);
            self.touch(person, true);
        }
    }

    fn touch(&mut self, person: &Arc<Person>, was_online: bool) {
        self.touched
            .entry(person.id)
            .or_insert_with(|| (person.clone(), was_online));
        self.due.get_or_insert_with(|| Instant::now() + EVERY);
    }

    /// What is to be told now. Who came and went in between is not mentioned.
    pub(super) fn take(&mut self, room: RoomId, members: usize) -> model::Presence {
        self.due = None;
        let (mut online, mut offline) = (Vec::new(), Vec::new());
        for (user, (person, was_online)) in self.touched.drain() {
            match (was_online, self.here.contains_key(&user)) {
                (false, true) => online.push(person),
                (true, false) => offline.push(person),
                _ => {}
            }
        }
        if members > NAMED_MAX {
            (online, offline) = (Vec::new(), Vec::new());
        }
        model::Presence {
            room,
            online,
            offline,
            count: self.count(),
        }
    }

    pub(super) fn online(&self, members: usize) -> Online {
        let people = if members > NAMED_MAX {
            Vec::new()
        } else {
            self.here
                .values()
                .map(|(person, _)| person.clone())
                .collect()
        };
        Online {
            people,
            count: self.count(),
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.here.len()).unwrap_or(u32::MAX)
    }
}

impl RoomActor {
    /// Lets a connection watch from `position` on: what it missed since then follows the reply, then all that happens.
    pub(super) fn attach(
        &mut self,
        connection: Arc<Connection>,
        encoder: Encoder,
        position: Option<MessageId>,
        reply: Reply<Attached>,
    ) {
        let person = connection.person().clone();
        if let Err(error) = allowed(may(
            person.role,
            self.place(person.id),
            self.room.kind,
            Action::Read,
        )) {
            return reply(Err(error));
        }
        let position = position.unwrap_or(self.tail.last());
        let Some(missed) = self.tail.since(position) else {
            return reply(Ok(Attached::Behind));
        };
        reply(Ok(Attached::Live));
        connection.note_room(self.room.id);
        self.watchers.replay(&connection, encoder, &missed);
        if self.watchers.add(connection, encoder) {
            self.presence.came(&person);
        }
    }

    pub(super) fn detach(&mut self, connection: &Connection) {
        self.detach_where(|seat| seat.id() == connection.id());
    }

    pub(super) fn detach_where(
        &mut self,
        leaves: impl Fn(&Connection) -> bool,
    ) -> Vec<Arc<Connection>> {
        let gone = self.watchers.remove(leaves);
        for seat in &gone {
            self.presence.went(seat.person());
        }
        gone
    }

    pub(super) fn typing(&mut self, by: Arc<Person>) {
        let now = Instant::now();
        let recent = self
            .typing
            .get(&by.id)
            .is_some_and(|at| now - *at < TYPING_EVERY);
        if recent
            || allowed(may(
                by.role,
                self.place(by.id),
                self.room.kind,
                Action::Send,
            ))
            .is_err()
        {
            return;
        }
        self.typing.insert(by.id, now);
        let user = by.id;
        let weight = Weight::Newest(slot(self.room.id, user));
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

/// A number for what one person does in one room again and again.
fn slot(room: RoomId, user: UserId) -> u64 {
    (room.0 as u64).rotate_left(32) ^ user.0 as u64
}
