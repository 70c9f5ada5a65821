//! Encodes events of this dialect.

use std::sync::Arc;

use crate::chat::{Encode, Encoder, Frames, View};
use crate::dialect::kit::{add_bare_event, add_event};
use crate::model::{Departure, Event, Person, RoomId};

use super::wire::{MessageJson, NameJson, PlaceJson};

pub(super) const KOMUNIKATOR: Encoder = Encoder(&Komunikator);

struct Komunikator;

impl Encode for Komunikator {
    fn encode(&self, event: &Event, view: View, frames: &mut Frames) {
        match event {
            Event::PostOutcome(message) => {
                let message = MessageJson::new(message, frames.reader());
                // The original API calls it `new` in its list of events and `new_message` in its text.
                add_event(frames, "new_message", &message);
                add_event(frames, "new", &message);
            }
            Event::Entered { room, person } => place(frames, "user_joined", *room, person),
            Event::Exited { room, person } => place(frames, "user_left", *room, person),
            Event::Presence(presence) => {
                let mut tell = |name: &str, people: &[Arc<Person>]| {
                    people.iter().for_each(|person| named(frames, name, person));
                };
                tell("user_online", &presence.online);
                tell("user_offline", &presence.offline);
            }
            // Clients would apply an event without a room id to the room on display.
            Event::Left { .. } if view == View::Absent => {}
            Event::Left {
                departure: Departure::Closed,
                ..
            } => {}
            Event::Left {
                person, departure, ..
            } => {
                if let Departure::Kicked(_) = departure {
                    named(frames, "user_kicked", person);
                }
                add_bare_event(frames, "user_list_updated");
            }
            Event::Joined { .. } | Event::MemberChanged { .. } => {
                add_bare_event(frames, "user_list_updated");
            }
            Event::RoomListChanged => add_bare_event(frames, "room_list_updated"),
            _ => {}
        }
    }

    fn needs_base(&self) -> bool {
        true
    }
}

fn place(frames: &mut Frames, name: &str, room: RoomId, person: &Person) {
    let place = PlaceJson {
        user_name: &person.username,
        room_id: room.0,
    };
    add_event(frames, name, &place);
}

fn named(frames: &mut Frames, name: &str, person: &Person) {
    let user_name = &person.username;
    add_event(frames, name, &NameJson { user_name });
}
