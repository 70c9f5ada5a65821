//! Encodes events of this dialect: lobby messages, arrivals and departures; and notifications, on their own sockets.

use crate::chat::{Encode, Encoder, Frames, View};
use crate::model::{Event, Message, Millis, Person};
use crate::transport::frame::append_text_frame;

use super::wire::{ChatJson, NotificationJson, attached, micros};

/// Encoder of lobby sockets.
pub(super) const LOBBY: Encoder = Encoder(&Lobby);

/// Encoder of notification sockets.
pub(super) const NOTIFICATIONS: Encoder = Encoder(&Notifications);

struct Lobby;
struct Notifications;

impl Encode for Lobby {
    fn encode(&self, event: &Event, view: View, frames: &mut Frames) {
        match event {
            Event::PostOutcome(message) => {
                if !message.content.is_empty() {
                    add(frames, &ChatJson::live(message, view == View::Own));
                }
                uploads(frames, message);
            }
            Event::Entered { person, .. } => {
                add(frames, &moved(person, "connect", "join the chat"))
            }
            Event::Exited { person, .. } => {
                add(frames, &moved(person, "disconnect", "left the chat"))
            }
            _ => {}
        }
    }

    fn has_views(&self) -> bool {
        true
    }
}

impl Encode for Notifications {
    fn encode(&self, event: &Event, _: View, frames: &mut Frames) {
        match event {
            Event::PostOutcome(message) => uploads(frames, message),
            Event::Notified { notification, .. } => {
                add(frames, &NotificationJson::from(&**notification));
            }
            _ => {}
        }
    }
}

/// Announces attachments as plain-text frames, although all other frames are JSON.
fn uploads(frames: &mut Frames, message: &Message) {
    for text in attached(message) {
        frames.add(|bytes| append_text_frame(bytes, text.as_bytes()));
    }
}

fn moved<'a>(person: &'a Person, mtype: &'static str, content: &'a str) -> ChatJson<'a> {
    ChatJson {
        user_id: &person.username,
        content: content.into(),
        timestamp: micros(Millis::now()),
        mtype,
        is_mine: false,
    }
}

pub(super) fn add(frames: &mut Frames, frame: &impl serde::Serialize) {
    let json = serde_json::to_vec(frame).unwrap_or_default();
    frames.add(|bytes| append_text_frame(bytes, &json));
}
