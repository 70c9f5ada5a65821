//! Encodes events of this dialect. Its sockets subscribe to no room; they receive all direct messages of their account.

use crate::chat::{Encode, Encoder, Frames, View};
use crate::dialect::kit::add_event;
use crate::model::Event;

use super::wire::{MessageJson, ReadJson};

pub(super) const CHAT_APP: Encoder = Encoder(&ChatApp);

struct ChatApp;

impl Encode for ChatApp {
    fn encode(&self, event: &Event, view: View, frames: &mut Frames) {
        match event {
            Event::PostedTo { message, to } => {
                let payload = MessageJson::new(message, to.id, false, frames.reader());
                add_event(frames, "receive_message", &payload);
                // The original API has only this name. It announces a new message, so the sender must not get it.
                if view != View::Own {
                    add_event(frames, "smessage", &payload);
                }
            }
            Event::Read {
                person,
                other: Some(other),
                ..
            } => {
                let payload = ReadJson {
                    sender_id: other.id.0,
                    receiver_id: person.id.0,
                };
                add_event(frames, "read_status_update", &payload);
                add_event(frames, "mark_message_read", &payload);
            }
            _ => {}
        }
    }

    fn hears_absent(&self) -> bool {
        true
    }

    fn needs_base(&self) -> bool {
        true
    }
}
