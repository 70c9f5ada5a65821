//! Who is connected: all that is addressed to a person rather than a room. Must not know rooms.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Event, Person, RoomId, SessionId, UserId};

use super::encode::{Encoder, View};
use super::outbox::{Closing, Frames, Outbox, Weight};
use super::{Caller, ChatError};

/// One open socket of somebody.
pub struct Connection {
    id: u64,
    person: Arc<Person>,
    session: SessionId,
    outbox: Outbox,
    /// The dialects it speaks; a socket can be in two.
    encoders: Mutex<Vec<Encoder>>,
    /// The rooms it watches, for leaving them at its end.
    rooms: Mutex<Vec<RoomId>>,
}

impl Connection {
    /// Its number, unique while the process lives.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whose it is.
    pub fn user(&self) -> UserId {
        self.person.id
    }

    /// Whose it is, as they were when it was opened.
    pub fn person(&self) -> &Arc<Person> {
        &self.person
    }

    /// What waits to be written to it.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Lets it hear, from now on, what is addressed to its person, in that dialect too.
    pub fn speak(&self, encoder: Encoder) {
        let mut encoders = lock(&self.encoders);
        if !encoders.contains(&encoder) {
            encoders.push(encoder);
        }
    }

    pub(super) fn note_room(&self, room: RoomId) {
        let mut rooms = lock(&self.rooms);
        if !rooms.contains(&room) {
            rooms.push(room);
        }
    }

    pub(super) fn take_rooms(&self) -> Vec<RoomId> {
        std::mem::take(&mut lock(&self.rooms))
    }

    fn tell(&self, event: &Event, view: View, weight: Weight) {
        for encoder in lock(&self.encoders).iter() {
            let mut frames = Frames::default();
            encoder.0.encode(event, view, &mut frames);
            if !frames.is_empty() {
                self.outbox.push(frames.seal(), weight);
            }
        }
    }
}

/// Everybody's connections.
#[derive(Default)]
pub struct People {
    next: AtomicU64,
    connections: Mutex<HashMap<UserId, Vec<Arc<Connection>>>>,
}

impl People {
    /// Opens a connection for somebody.
    ///
    /// # Errors
    /// [`ChatError::Limited`] if they have too many.
    pub fn connect(
        &self,
        caller: &Caller,
        encoder: Encoder,
        most: Option<NonZeroU32>,
    ) -> Result<Arc<Connection>, ChatError> {
        let connection = Arc::new(Connection {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            person: caller.person().clone(),
            session: caller.session(),
            outbox: Outbox::default(),
            encoders: Mutex::new(vec![encoder]),
            rooms: Mutex::default(),
        });
        let mut all = lock(&self.connections);
        let mine = all.entry(caller.id()).or_default();
        if most.is_some_and(|most| mine.len() >= most.get() as usize) {
            return Err(ChatError::Limited(std::time::Duration::from_secs(1)));
        }
        mine.push(connection.clone());
        Ok(connection)
    }

    /// Forgets a connection.
    pub fn disconnect(&self, connection: &Connection) {
        connection.outbox.close(Closing::Gone);
        let mut all = lock(&self.connections);
        if let Some(mine) = all.get_mut(&connection.user()) {
            mine.retain(|other| other.id != connection.id);
            if mine.is_empty() {
                all.remove(&connection.user());
            }
        }
    }

    /// Tells somebody, on all their connections.
    pub fn tell(&self, user: UserId, event: &Event, weight: Weight) {
        for connection in self.of(user) {
            connection.tell(event, View::Own, weight);
        }
    }

    /// Tells everybody of whom `which` is true.
    pub fn tell_where(&self, which: impl Fn(UserId) -> bool, event: &Event) {
        let chosen: Vec<_> = {
            let all = lock(&self.connections);
            all.iter()
                .filter(|(user, _)| which(**user))
                .flat_map(|(_, theirs)| theirs)
                .cloned()
                .collect()
        };
        for connection in chosen {
            connection.tell(event, View::Other, Weight::Full);
        }
    }

    /// Closes those connections of somebody whose session is one of `which`.
    pub fn close(&self, user: UserId, why: Closing, which: impl Fn(SessionId) -> bool) {
        for connection in self
            .of(user)
            .iter()
            .filter(|connection| which(connection.session))
        {
            connection.outbox.close(why);
        }
    }

    /// Closes all connections.
    pub fn close_all(&self, why: Closing) {
        for connection in lock(&self.connections).values().flatten() {
            connection.outbox.close(why);
        }
    }

    /// Everybody's open connections: whose, and by which session.
    pub fn open(&self) -> Vec<(Arc<Person>, SessionId)> {
        let all = lock(&self.connections);
        all.values()
            .flatten()
            .map(|connection| (connection.person.clone(), connection.session))
            .collect()
    }

    fn of(&self, user: UserId) -> Vec<Arc<Connection>> {
        lock(&self.connections)
            .get(&user)
            .cloned()
            .unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
