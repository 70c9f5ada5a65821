//! Who watches a room, and how an event reaches all of them: encoded once per dialect and view, then only shared.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Event, Person, UserId};

use super::super::encode::{Encoder, View};
use super::super::outbox::{Frames, Offered, Sealed, Weight};
use super::super::people::Connection;

/// So many connections are written to at a time; then others have their turn.
const SENDS_AT_ONCE: usize = 64;

/// Connections that watch in the same dialect and, where that matters to it, know this server by the same address.
struct Group {
    encoder: Encoder,
    base: Arc<str>,
    seats: Vec<Arc<Connection>>,
    /// Connections that had no room for a change of presence.
    missed: HashSet<u64>,
    /// Where in `seats` a connection is, so that one is found without looking at all.
    places: HashMap<u64, usize>,
}

/// All who watch a room; a connection in two dialects has two seats.
#[derive(Default)]
pub(super) struct Watchers {
    groups: Vec<Group>,
}

impl Watchers {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Seats a connection; `false` if it has that seat already.
    pub(super) fn add(&mut self, connection: Arc<Connection>, encoder: Encoder) -> bool {
        let base = connection.base_for(encoder);
        let place = self
            .groups
            .iter()
            .position(|group| group.encoder == encoder && group.base == base)
            .unwrap_or_else(|| {
                self.groups.push(Group {
                    encoder,
                    base,
                    seats: Vec::new(),
                    missed: HashSet::new(),
                    places: HashMap::new(),
                });
                self.groups.len() - 1
            });
        self.groups[place].add(connection)
    }

    /// Takes away the seats of those connections of which `leaves` is true.
    pub(super) fn remove(&mut self, leaves: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        let mut gone = Vec::new();
        for group in &mut self.groups {
            let leaving = group.seats.iter().filter(|seat| leaves(seat));
            let leaving: Vec<_> = leaving.cloned().collect();
            leaving.iter().for_each(|seat| group.remove(seat.id()));
            gone.extend(leaving);
        }
        self.drop_empty();
        gone
    }

    /// Takes away all seats of a connection.
    pub(super) fn remove_connection(&mut self, connection: u64) {
        self.remove_from(connection, |_| true);
    }

    /// Takes away the seat a connection has in one dialect.
    pub(super) fn leave(&mut self, connection: u64, encoder: Encoder) {
        self.remove_from(connection, |group| group.encoder == encoder);
    }

    fn remove_from(&mut self, connection: u64, which: impl Fn(&Group) -> bool) {
        let groups = self.groups.iter_mut();
        groups
            .filter(|group| which(group))
            .for_each(|group| group.remove(connection));
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        self.groups.retain(|group| !group.seats.is_empty());
    }

    /// Whose connections watch.
    pub(super) fn users(&self) -> HashSet<UserId> {
        self.groups
            .iter()
            .flat_map(|group| &group.seats)
            .map(|seat| seat.user())
            .collect()
    }

    /// Queues events with everybody but one person; answers which connections have ended or did not keep up.
    pub(super) fn deliver(
        &self,
        events: &[Event],
        weight: Weight,
        but: Option<UserId>,
    ) -> Vec<u64> {
        self.addressed(events)
            .filter(|(seat, _)| Some(seat.user()) != but)
            .filter_map(|(seat, frames)| (!seat.outbox().push(frames, weight)).then_some(seat.id()))
            .collect()
    }

    /// Queues a change of presence with everybody; answers which connections have ended. Who has no room for it is remembered.
    pub(super) fn tell_presence(&mut self, change: &Event) -> Vec<u64> {
        let mut dead = Vec::new();
        for group in &mut self.groups {
            let Some(frames) = group.seal(std::slice::from_ref(change), |_| View::Other) else {
                continue;
            };
            for seat in &group.seats {
                match seat.outbox().offer(frames.clone(), Weight::Light) {
                    Offered::Queued => {}
                    Offered::Refused => drop(group.missed.insert(seat.id())),
                    Offered::Closed => dead.push(seat.id()),
                }
            }
        }
        dead
    }

    /// Whether somebody had no room for a change of presence.
    pub(super) fn has_missed_presence(&self) -> bool {
        self.groups.iter().any(|group| !group.missed.is_empty())
    }

    /// Queues the whole presence with those who had no room for a change of it.
    pub(super) fn tell_missed_presence(&mut self, whole: &Event) {
        for group in &mut self.groups {
            let missed = std::mem::take(&mut group.missed);
            if missed.is_empty() {
                continue;
            }
            let Some(frames) = group.seal(std::slice::from_ref(whole), |_| View::Other) else {
                continue;
            };
            for seat in group
                .seats
                .iter()
                .filter(|seat| missed.contains(&seat.id()))
            {
                if seat.outbox().offer(frames.clone(), Weight::Light) == Offered::Refused {
                    group.missed.insert(seat.id());
                }
            }
        }
    }

    /// Sends events to everybody, past the queues where nothing waits in them; answers which connections have ended or did
    /// not keep up.
    pub(super) async fn send(&self, events: &[Event]) -> Vec<u64> {
        let mut dead = Vec::new();
        for (number, (seat, frames)) in self.addressed(events).enumerate() {
            if number % SENDS_AT_ONCE == SENDS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            if !seat.outbox().send(frames) {
                dead.push(seat.id());
            }
        }
        dead
    }

    /// What everybody gets of events.
    fn addressed<'a>(
        &'a self,
        events: &'a [Event],
    ) -> impl Iterator<Item = (&'a Arc<Connection>, Sealed)> {
        let groups = self.groups.iter().filter(|_| !events.is_empty());
        groups.flat_map(move |group| {
            let shared = group.seal(events, |_| View::Other);
            group.seats.iter().filter_map(move |seat| {
                let frames = group.view_of(seat, events).or_else(|| shared.clone());
                Some((seat, frames?))
            })
        })
    }

    /// Who watches in one dialect, each once.
    pub(super) fn people(&self, encoder: Encoder) -> Vec<Arc<Person>> {
        let seats = self
            .groups
            .iter()
            .filter(|group| group.encoder == encoder)
            .flat_map(|group| &group.seats);
        let mut people: Vec<_> = seats.map(|seat| seat.person().clone()).collect();
        people.sort_by_key(|person| person.id);
        people.dedup_by_key(|person| person.id);
        people
    }

    /// Queues an event with those who watch in one dialect; answers which connections have ended or did not keep up.
    pub(super) fn announce(&self, encoder: Encoder, event: &Event) -> Vec<u64> {
        let mut dead = Vec::new();
        for group in self.groups.iter().filter(|group| group.encoder == encoder) {
            let Some(frames) = group.seal(std::slice::from_ref(event), |_| View::Other) else {
                continue;
            };
            for seat in &group.seats {
                if !seat.outbox().push(frames.clone(), Weight::Full) {
                    dead.push(seat.id());
                }
            }
        }
        dead
    }

    /// Who watches in which dialect.
    pub(super) fn seats(&self) -> HashSet<(u64, TypeId)> {
        let seats = |group: &'_ Group| {
            group
                .seats
                .iter()
                .map(|seat| (seat.id(), group.encoder.key()))
                .collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(seats).collect()
    }

    /// Queues events with one connection only.
    pub(super) fn replay(&self, connection: &Connection, encoder: Encoder, events: &[Event]) {
        let view = |event: &Event| {
            if event.author() == Some(connection.user()) {
                View::Own
            } else {
                View::Other
            }
        };
        let frames = Frames::at(&connection.base_for(encoder)).only_for(connection.user());
        if let Some(frames) = seal(encoder, frames, events, view) {
            connection.outbox().push(frames, Weight::Full);
        }
    }
}

impl Group {
    fn add(&mut self, connection: Arc<Connection>) -> bool {
        let id = connection.id();
        if self.places.contains_key(&id) {
            return false;
        }
        self.places.insert(id, self.seats.len());
        self.seats.push(connection);
        true
    }

    fn remove(&mut self, connection: u64) {
        let Some(place) = self.places.remove(&connection) else {
            return;
        };
        self.seats.swap_remove(place);
        self.missed.remove(&connection);
        if let Some(moved) = self.seats.get(place) {
            self.places.insert(moved.id(), place);
        }
    }

    fn seal(&self, events: &[Event], view: impl Fn(&Event) -> View) -> Option<Sealed> {
        seal(self.encoder, Frames::at(&self.base), events, view)
    }

    /// A copy of its own for somebody who caused one of the events, in dialects where that matters, and for everybody of
    /// addresses that are good for one person.
    fn view_of(&self, seat: &Connection, events: &[Event]) -> Option<Sealed> {
        let has_views = self.encoder.0.has_views();
        let own = |event: &Event| has_views && event.author() == Some(seat.user());
        let personal = |event: &Event| {
            self.encoder.0.needs_base()
                && matches!(event, Event::Posted(message) if !message.files.is_empty())
        };
        if !events.iter().any(|event| own(event) || personal(event)) {
            return None;
        }
        let frames = Frames::at(&self.base).only_for(seat.user());
        seal(self.encoder, frames, events, |event| {
            if own(event) { View::Own } else { View::Other }
        })
    }
}

fn seal(
    encoder: Encoder,
    mut frames: Frames,
    events: &[Event],
    view: impl Fn(&Event) -> View,
) -> Option<Sealed> {
    for event in events {
        encoder.0.encode(event, view(event), &mut frames);
    }
    (!frames.is_empty()).then(|| frames.seal())
}
