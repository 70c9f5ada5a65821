//! Who is connected: all that is addressed to a person rather than a room. Must not know rooms.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::model::{Event, Person, RoomId, SessionId, UserId};

use super::bystanders::Bystanders;
use super::chosen::Chosen;
use super::encode::{Encoder, View};
use super::outbox::{Closing, Frames, Offered, Outbox, Weight};
use super::{Caller, ChatError};

/// How often changes of presence are told.
const PRESENCE_EVERY: Duration = Duration::from_millis(500);

/// One open socket of somebody.
pub struct Connection {
    id: u64,
    person: Arc<Person>,
    session: SessionId,
    outbox: Arc<Outbox>,
    base: Arc<str>,
    /// It is open, but nobody sits in front of it: it does not count as presence.
    away: AtomicBool,
    /// The dialects it speaks; a socket can be in two.
    encoders: Mutex<Vec<Encoder>>,
    /// The rooms it watches, for leaving them at its end; none any more after that.
    rooms: Mutex<Option<Vec<RoomId>>>,
    chosen: Chosen,
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

    /// The direct rooms to whose messages it listens, if not to all.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Returns whether they have no session and were admitted by name only (`compat.open`).
    pub(super) fn is_believed(&self) -> bool {
        self.session == SessionId::NONE
    }

    /// What waits to be written to it.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// The address of this server as it knows it, where that encoder needs one.
    pub(super) fn base_for(&self, encoder: Encoder) -> Arc<str> {
        match encoder.0.needs_base() {
            true => self.base.clone(),
            false => Arc::default(),
        }
    }

    fn speak(&self, encoder: Encoder) -> bool {
        let mut encoders = lock(&self.encoders);
        let new = !encoders.contains(&encoder);
        if new {
            encoders.push(encoder);
        }
        new
    }

    fn count_absent(&self) -> usize {
        lock(&self.encoders)
            .iter()
            .filter(|encoder| encoder.0.hears_absent())
            .count()
    }

    /// Notes that it watches a room; `false` if it has ended and must not.
    pub(super) fn note_room(&self, room: RoomId) -> bool {
        let mut rooms = lock(&self.rooms);
        let Some(rooms) = &mut *rooms else {
            return false;
        };
        if !rooms.contains(&room) {
            rooms.push(room);
        }
        true
    }

    /// The rooms it watches, at its end: no room is noted any more.
    pub(super) fn end_rooms(&self) -> Vec<RoomId> {
        lock(&self.rooms).take().unwrap_or_default()
    }

    fn tell(&self, event: &Event, view: View, weight: Weight) -> bool {
        self.tell_by(|_| true, event, view, weight)
    }

    /// Answers `false` if it had no room for light frames.
    fn tell_by(
        &self,
        which: impl Fn(Encoder) -> bool,
        event: &Event,
        view: View,
        weight: Weight,
    ) -> bool {
        let mut told = true;
        for encoder in lock(&self.encoders)
            .iter()
            .filter(|encoder| which(**encoder))
        {
            let mut frames = Frames::at(&self.base_for(*encoder)).only_for(self.user());
            encoder.0.encode(event, view, &mut frames);
            if !frames.is_empty() {
                told &= self.outbox.offer(frames.seal(), weight) != Offered::Refused;
            }
        }
        told
    }
}

/// Everybody's connections.
#[derive(Default)]
pub struct People {
    next: AtomicU64,
    /// Somebody came or went since it was last told.
    stirred: Notify,
    /// Counts up when it is time to look who is there.
    presence: watch::Sender<u64>,
    /// How many encoders of open connections hear of rooms they do not watch.
    absent: AtomicUsize,
    /// The server goes down.
    draining: AtomicBool,
    connections: Mutex<HashMap<UserId, Vec<Arc<Connection>>>>,
    pub(super) bystanders: Bystanders,
}

impl People {
    /// Counts up when people came or went, at most every half second.
    pub fn presence(&self) -> watch::Receiver<u64> {
        self.presence.subscribe()
    }

    /// Waits until somebody comes or goes, and half a second more, and tells those who want to know.
    pub async fn pace_presence(&self) {
        self.stirred.notified().await;
        tokio::time::sleep(PRESENCE_EVERY).await;
        self.presence.send_modify(|count| *count += 1);
    }

    /// Those of `members` who are there.
    pub fn online_among<'a>(
        &self,
        members: impl Iterator<Item = &'a Arc<Person>>,
    ) -> Vec<Arc<Person>> {
        let all = lock(&self.connections);
        members
            .filter(|person| all.get(&person.id).is_some_and(|theirs| is_present(theirs)))
            .cloned()
            .collect()
    }

    /// How many people are there of whom `which` is true.
    pub fn count_online(&self, which: impl Fn(UserId) -> bool) -> u32 {
        let all = lock(&self.connections);
        let there = all
            .iter()
            .filter(|(user, theirs)| which(**user) && is_present(theirs));
        u32::try_from(there.count()).unwrap_or(u32::MAX)
    }

    /// Everybody who is there.
    pub fn online(&self) -> Vec<Arc<Person>> {
        let all = lock(&self.connections);
        let there = all.values().filter(|theirs| is_present(theirs));
        there
            .filter_map(|theirs| theirs.first())
            .map(|connection| connection.person.clone())
            .collect()
    }

    /// Says whether somebody sits in front of a connection.
    pub fn set_away(&self, connection: &Connection, away: bool) {
        if connection.away.swap(away, Ordering::Relaxed) != away {
            self.stirred.notify_one();
        }
    }

    /// Opens a connection for somebody.
    ///
    /// # Errors
    /// [`ChatError::Limited`] if they have too many.
    pub fn connect(
        &self,
        caller: &Caller,
        encoder: Option<Encoder>,
        outbox: Arc<Outbox>,
        base: &str,
        most: Option<NonZeroU32>,
    ) -> Result<Arc<Connection>, ChatError> {
        let connection = Arc::new(Connection {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            person: caller.person().clone(),
            session: caller.session(),
            outbox,
            base: base.into(),
            away: AtomicBool::new(false),
            encoders: Mutex::new(encoder.into_iter().collect()),
            rooms: Mutex::new(Some(Vec::new())),
            chosen: Chosen::default(),
        });
        let mut all = lock(&self.connections);
        let mine = all.entry(caller.id()).or_default();
        if most.is_some_and(|most| mine.len() >= most.get() as usize) {
            return Err(ChatError::Limited(Duration::from_secs(1)));
        }
        self.absent
            .fetch_add(connection.count_absent(), Ordering::Relaxed);
        // Their other connections may all be away.
        if !is_present(mine) {
            self.stirred.notify_one();
        }
        mine.push(connection.clone());
        if self.draining.load(Ordering::Relaxed) {
            connection.outbox.close(Closing::Restarting);
        }
        Ok(connection)
    }

    /// Lets a connection hear, from now on, what is addressed to its person, in that dialect too.
    pub fn speak(&self, connection: &Connection, encoder: Encoder) {
        if connection.speak(encoder) && encoder.0.hears_absent() {
            self.absent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends a connection and forgets it.
    pub fn disconnect(&self, connection: &Connection) {
        connection.outbox.close(Closing::Gone);
        self.forget(connection);
    }

    /// Forgets a connection, whose socket may live on.
    pub fn forget(&self, connection: &Connection) {
        let mut all = lock(&self.connections);
        if let Some(mine) = all.get_mut(&connection.user()) {
            let (before, was_present) = (mine.len(), is_present(mine));
            mine.retain(|other| other.id != connection.id);
            if mine.len() < before {
                self.absent
                    .fetch_sub(connection.count_absent(), Ordering::Relaxed);
            }
            if was_present && !is_present(mine) {
                self.stirred.notify_one();
            }
            if mine.is_empty() {
                all.remove(&connection.user());
            }
        }
    }

    /// Tells somebody, on all their connections.
    pub fn tell(&self, user: UserId, event: &Event, weight: Weight) {
        self.tell_as(View::Own, user, event, weight);
    }

    /// Tells somebody what they have or have not caused themself; `false` if a connection had no room for light frames.
    pub fn tell_as(&self, view: View, user: UserId, event: &Event, weight: Weight) -> bool {
        let mut all = true;
        for connection in self.of(user) {
            all &= connection.tell(event, view, weight);
        }
        all
    }

    /// Tells somebody what happened to them in a room: `seats`, the connections and encoders that watched it, get
    /// [`View::Own`], all others [`View::Absent`].
    pub fn tell_seated(&self, user: UserId, seats: &HashSet<(u64, TypeId)>, event: &Event) {
        for connection in self.of(user) {
            let seated = |encoder: Encoder| seats.contains(&(connection.id, encoder.key()));
            connection.tell_by(seated, event, View::Own, Weight::Full);
            let elsewhere = |encoder: Encoder| !seated(encoder);
            connection.tell_by(elsewhere, event, View::Absent, Weight::Full);
        }
    }

    /// Tells everybody, also those who have not said who they are.
    pub fn tell_everybody(&self, event: &Event) {
        self.tell_where(|_| true, event);
        self.bystanders.tell(event);
    }

    /// Tells everybody of whom `which` is true.
    pub fn tell_where(&self, which: impl Fn(UserId) -> bool, event: &Event) {
        for connection in self.of_all(which) {
            connection.tell(event, View::Other, Weight::Full);
        }
    }

    /// Tells people of whom `which` is true, on connections that want to hear of rooms they do not watch; `seats` are
    /// the connections and encoders that do.
    pub fn tell_absent(
        &self,
        which: impl Fn(UserId) -> bool,
        seats: &HashSet<(u64, TypeId)>,
        events: &[Event],
    ) {
        for connection in self.of_all(which) {
            let hears = |encoder: Encoder| {
                encoder.0.hears_absent() && !seats.contains(&(connection.id, encoder.key()))
            };
            // Most watch, or speak a dialect that does not want it.
            if !lock(&connection.encoders).iter().copied().any(hears) {
                continue;
            }
            for event in events {
                let own = event.author() == Some(connection.user());
                let view = if own { View::Own } else { View::Absent };
                let wants = |encoder: Encoder| {
                    hears(encoder) && (own || connection.chosen.lets_in(encoder, event))
                };
                connection.tell_by(wants, event, view, Weight::Full);
            }
        }
    }

    /// Whether anybody wants to hear of rooms they do not watch.
    pub fn has_absent(&self) -> bool {
        self.absent.load(Ordering::Relaxed) > 0
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

    /// Closes all connections because the server goes down, and those that are still being opened.
    pub fn drain(&self) {
        let all = lock(&self.connections);
        self.draining.store(true, Ordering::Relaxed);
        for connection in all.values().flatten() {
            connection.outbox.close(Closing::Restarting);
        }
        self.bystanders.close(Closing::Restarting);
    }

    /// Everybody's open connections: whose, and by which session.
    pub fn open(&self) -> Vec<(Arc<Person>, SessionId)> {
        let all = lock(&self.connections);
        all.values()
            .flatten()
            .map(|connection| (connection.person.clone(), connection.session))
            .collect()
    }

    fn of_all(&self, which: impl Fn(UserId) -> bool) -> Vec<Arc<Connection>> {
        let all = lock(&self.connections);
        let chosen = all.iter().filter(|(user, _)| which(**user));
        chosen.flat_map(|(_, theirs)| theirs).cloned().collect()
    }

    fn of(&self, user: UserId) -> Vec<Arc<Connection>> {
        lock(&self.connections)
            .get(&user)
            .cloned()
            .unwrap_or_default()
    }
}

fn is_present(connections: &[Arc<Connection>]) -> bool {
    connections
        .iter()
        .any(|connection| !connection.away.load(Ordering::Relaxed))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
