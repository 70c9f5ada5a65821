//! Subscribers of a room. An event is encoded once per dialect and view, and all subscribers share the bytes.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Event, Person, UserId};

use super::super::connections::Connection;
use super::super::encoder::{Encoder, View};
use super::super::outbox::{EncodedFrames, Frames, Offered, Priority};

/// Connections written to before other tasks get a turn.
const SENDS_AT_ONCE: usize = 64;

/// Subscribers of the same dialect and, if it matters to the dialect, the same base URL of this server.
struct Group {
    encoder: Encoder,
    base: Arc<str>,
    seats: Vec<Arc<Connection>>,
    /// Connections that had no space for a change of presence.
    missed: HashSet<u64>,
    /// Index of each connection in `seats`, to find one without a scan.
    places: HashMap<u64, usize>,
}

/// All subscribers of a room; a connection in two dialects has two seats.
#[derive(Default)]
pub(super) struct Subscribers {
    groups: Vec<Group>,
}

impl Subscribers {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Subscribes a connection in a dialect; `false` if it is subscribed already.
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

    /// Unsubscribes the connections for which `leaves` is true. Returns them, once per seat.
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

    /// Unsubscribes a connection in all dialects.
    pub(super) fn remove_connection(&mut self, connection: u64) {
        self.remove_from(connection, |_| true);
    }

    /// Unsubscribes a connection in one dialect.
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

    /// Returns the people whose connections are subscribed.
    pub(super) fn users(&self) -> HashSet<UserId> {
        self.groups
            .iter()
            .flat_map(|group| &group.seats)
            .map(|seat| seat.user())
            .collect()
    }

    /// Queues events with all subscribers except the person `but`. Returns the connections that are closed or lagging.
    pub(super) fn deliver(
        &self,
        events: &[Event],
        weight: Priority,
        but: Option<UserId>,
    ) -> Vec<u64> {
        self.addressed(events)
            .filter(|(seat, _)| Some(seat.user()) != but)
            .filter_map(|(seat, frames)| (!seat.outbox().push(frames, weight)).then_some(seat.id()))
            .collect()
    }

    /// Queues a change of presence with all subscribers and records those without space for it. Returns closed
    /// connections.
    pub(super) fn tell_presence(&mut self, change: &Event) -> Vec<u64> {
        let mut dead = Vec::new();
        for group in &mut self.groups {
            let Some(frames) = group.seal(std::slice::from_ref(change), |_| View::Other) else {
                continue;
            };
            for seat in &group.seats {
                match seat.outbox().offer(frames.clone(), Priority::Light) {
                    Offered::Queued => {}
                    Offered::Refused => drop(group.missed.insert(seat.id())),
                    Offered::Closed => dead.push(seat.id()),
                }
            }
        }
        dead
    }

    /// Whether a connection had no space for a change of presence.
    pub(super) fn has_missed_presence(&self) -> bool {
        self.groups.iter().any(|group| !group.missed.is_empty())
    }

    /// Queues the whole presence with connections that had no space for a change of it.
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
                if seat.outbox().offer(frames.clone(), Priority::Light) == Offered::Refused {
                    group.missed.insert(seat.id());
                }
            }
        }
    }

    /// Sends events to all subscribers, past their queues where those are empty. Returns the connections that are
    /// closed or lagging.
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

    /// Returns each subscriber with its frames for the events.
    fn addressed<'a>(
        &'a self,
        events: &'a [Event],
    ) -> impl Iterator<Item = (&'a Arc<Connection>, EncodedFrames)> {
        let groups = self.groups.iter().filter(|_| !events.is_empty());
        groups.flat_map(move |group| {
            let shared = group.seal(events, |_| View::Other);
            group.seats.iter().filter_map(move |seat| {
                let frames = group.view_of(seat, events).or_else(|| shared.clone());
                Some((seat, frames?))
            })
        })
    }

    /// Returns the people subscribed in one dialect, each once.
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

    /// Queues an event with the subscribers of one dialect. Returns the connections that are closed or lagging.
    pub(super) fn announce(&self, encoder: Encoder, event: &Event) -> Vec<u64> {
        let mut dead = Vec::new();
        for group in self.groups.iter().filter(|group| group.encoder == encoder) {
            let Some(frames) = group.seal(std::slice::from_ref(event), |_| View::Other) else {
                continue;
            };
            for seat in &group.seats {
                if !seat.outbox().push(frames.clone(), Priority::Full) {
                    dead.push(seat.id());
                }
            }
        }
        dead
    }

    /// Returns the connections and dialects that are subscribed.
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
            connection.outbox().push(frames, Priority::Full);
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

    fn seal(&self, events: &[Event], view: impl Fn(&Event) -> View) -> Option<EncodedFrames> {
        seal(self.encoder, Frames::at(&self.base), events, view)
    }

    /// Encodes a separate copy for a person who caused one of the events, in dialects with views, and for everybody if
    /// it contains URLs that are valid for one person.
    fn view_of(&self, seat: &Connection, events: &[Event]) -> Option<EncodedFrames> {
        let has_views = self.encoder.0.has_views();
        let own = |event: &Event| has_views && event.author() == Some(seat.user());
        let personal = |event: &Event| {
            self.encoder.0.needs_base()
                && matches!(event, Event::PostOutcome(message) if !message.files.is_empty())
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
) -> Option<EncodedFrames> {
    for event in events {
        encoder.0.encode(event, view(event), &mut frames);
    }
    (!frames.is_empty()).then(|| frames.seal())
}
