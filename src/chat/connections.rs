//! Registry of open connections; delivers events that are addressed to people rather than to a room. Must not know
//! rooms.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::model::{Event, Person, RoomId, SessionId, UserId};

use super::encoder::{Encoder, View};
use super::outbox::{CloseReason, Frames, Offered, Outbox, Priority};
use super::selected_rooms::Chosen;
use super::unidentified::Bystanders;
use super::{Caller, ChatError};

/// Interval at which changes of presence are sent.
const PRESENCE_EVERY: Duration = Duration::from_millis(500);

/// An open connection of an account.
pub struct Connection {
    id: u64,
    person: Arc<Person>,
    session: SessionId,
    outbox: Arc<Outbox>,
    base: Arc<str>,
    /// The connection is open but its person is away, so it does not count for presence.
    away: AtomicBool,
    /// Dialects in use; one socket can use two.
    encoders: Mutex<Vec<Encoder>>,
    /// Rooms to which the connection subscribes, in order to leave them at its end; `None` after that.
    rooms: Mutex<Option<Vec<RoomId>>>,
    chosen: Chosen,
}

impl Connection {
    /// Returns the connection's id, unique within the process.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn user(&self) -> UserId {
        self.person.id
    }

    /// Returns the person as of when the connection was opened.
    pub fn person(&self) -> &Arc<Person> {
        &self.person
    }

    /// Returns the direct rooms that the client has opened; messages of other direct rooms are not sent then.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Returns whether they have no session and were admitted by name only (`compat.open`).
    pub(super) fn is_believed(&self) -> bool {
        self.session == SessionId::NONE
    }

    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Returns the URL of this server as the client knows it, or an empty string if the encoder needs none.
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

    /// Records a subscription to a room; `false` if the connection has ended and must not subscribe.
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

    /// Ends the connection: returns the rooms to which it subscribes and refuses further ones.
    pub(super) fn end_rooms(&self) -> Vec<RoomId> {
        lock(&self.rooms).take().unwrap_or_default()
    }

    fn tell(&self, event: &Event, view: View, weight: Priority) -> bool {
        self.tell_by(|_| true, event, view, weight)
    }

    /// Returns `false` if the outbox refused light frames.
    fn tell_by(
        &self,
        which: impl Fn(Encoder) -> bool,
        event: &Event,
        view: View,
        weight: Priority,
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

/// The open connections of all accounts.
#[derive(Default)]
pub struct People {
    next: AtomicU64,
    /// Notified when a person's presence may have changed.
    stirred: Notify,
    /// Incremented when rooms should recompute presence.
    presence: watch::Sender<u64>,
    /// Number of encoders on open connections that receive events of rooms without a subscription.
    absent: AtomicUsize,
    /// The server is stopping.
    draining: AtomicBool,
    connections: Mutex<HashMap<UserId, Vec<Arc<Connection>>>>,
    pub(super) bystanders: Bystanders,
}

impl People {
    /// Subscribes to changes of presence: the number rises at most every half second.
    pub fn presence(&self) -> watch::Receiver<u64> {
        self.presence.subscribe()
    }

    /// Waits for a change of presence and half a second more, then notifies the receivers of [`People::presence`].
    pub async fn pace_presence(&self) {
        self.stirred.notified().await;
        tokio::time::sleep(PRESENCE_EVERY).await;
        self.presence.send_modify(|count| *count += 1);
    }

    /// Returns the `members` who are online.
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

    /// Counts the people online that `which` selects.
    pub fn count_online(&self, which: impl Fn(UserId) -> bool) -> u32 {
        let all = lock(&self.connections);
        let there = all
            .iter()
            .filter(|(user, theirs)| which(**user) && is_present(theirs));
        u32::try_from(there.count()).unwrap_or(u32::MAX)
    }

    /// Returns all people online.
    pub fn online(&self) -> Vec<Arc<Person>> {
        let all = lock(&self.connections);
        let there = all.values().filter(|theirs| is_present(theirs));
        there
            .filter_map(|theirs| theirs.first())
            .map(|connection| connection.person.clone())
            .collect()
    }

    /// Sets whether the person at a connection is away.
    pub fn set_away(&self, connection: &Connection, away: bool) {
        if connection.away.swap(away, Ordering::Relaxed) != away {
            self.stirred.notify_one();
        }
    }

    /// Registers a connection for the caller.
    ///
    /// # Errors
    /// [`ChatError::Limited`] if the caller has too many.
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
        // The account's other connections may all be away.
        if !is_present(mine) {
            self.stirred.notify_one();
        }
        mine.push(connection.clone());
        if self.draining.load(Ordering::Relaxed) {
            connection.outbox.close(CloseReason::Restarting);
        }
        Ok(connection)
    }

    /// Adds a dialect in which a connection receives events for its person.
    pub fn speak(&self, connection: &Connection, encoder: Encoder) {
        if connection.speak(encoder) && encoder.0.hears_absent() {
            self.absent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Closes a connection and removes it.
    pub fn disconnect(&self, connection: &Connection) {
        connection.outbox.close(CloseReason::Gone);
        self.forget(connection);
    }

    /// Removes a connection; its socket may stay open.
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

    /// Sends an event to all connections of a person.
    pub fn tell(&self, user: UserId, event: &Event, weight: Priority) {
        self.tell_as(View::Own, user, event, weight);
    }

    /// Sends an event to all connections of a person, encoded for `view`; `false` if one of them refused light frames.
    pub fn tell_as(&self, view: View, user: UserId, event: &Event, weight: Priority) -> bool {
        let mut all = true;
        for connection in self.of(user) {
            all &= connection.tell(event, view, weight);
        }
        all
    }

    /// Sends an event about a person in a room to that person. `seats`, the connections and encoders that were
    /// subscribed to the room, get [`View::Own`], all others [`View::Absent`].
    pub fn tell_seated(&self, user: UserId, seats: &HashSet<(u64, TypeId)>, event: &Event) {
        for connection in self.of(user) {
            let seated = |encoder: Encoder| seats.contains(&(connection.id, encoder.key()));
            connection.tell_by(seated, event, View::Own, Priority::Full);
            let elsewhere = |encoder: Encoder| !seated(encoder);
            connection.tell_by(elsewhere, event, View::Absent, Priority::Full);
        }
    }

    /// Sends an event to everybody, including clients that are not logged in.
    pub fn tell_everybody(&self, event: &Event) {
        self.tell_where(|_| true, event);
        self.bystanders.tell(event);
    }

    /// Sends an event to all people that `which` selects.
    pub fn tell_where(&self, which: impl Fn(UserId) -> bool, event: &Event) {
        for connection in self.of_all(which) {
            connection.tell(event, View::Other, Priority::Full);
        }
    }

    /// Sends events of a room to people that `which` selects, on connections that receive them without a subscription.
    /// `seats` are the connections and encoders that are subscribed, which are skipped.
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
            // Most connections are subscribed, or use a dialect that does not need these events.
            if !lock(&connection.encoders).iter().copied().any(hears) {
                continue;
            }
            for event in events {
                let own = event.author() == Some(connection.user());
                let view = if own { View::Own } else { View::Absent };
                let wants = |encoder: Encoder| {
                    hears(encoder) && (own || connection.chosen.lets_in(encoder, event))
                };
                connection.tell_by(wants, event, view, Priority::Full);
            }
        }
    }

    /// Whether any connection receives events of rooms without a subscription.
    pub fn has_absent(&self) -> bool {
        self.absent.load(Ordering::Relaxed) > 0
    }

    /// Closes the connections of a person whose session `which` selects.
    pub fn close(&self, user: UserId, why: CloseReason, which: impl Fn(SessionId) -> bool) {
        for connection in self
            .of(user)
            .iter()
            .filter(|connection| which(connection.session))
        {
            connection.outbox.close(why);
        }
    }

    /// Closes all connections, and those that are opened from now on, because the server is stopping.
    pub fn drain(&self) {
        let all = lock(&self.connections);
        self.draining.store(true, Ordering::Relaxed);
        for connection in all.values().flatten() {
            connection.outbox.close(CloseReason::Restarting);
        }
        self.bystanders.close(CloseReason::Restarting);
    }

    /// Returns the person and session of every open connection.
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
