//! Events as this dialect's frames: messages of the lobby, who comes and who goes.

use crate::chat::{Encode, Encoder, Frames, View};
use crate::model::{Event, Millis, Person};
use crate::transport::frame::append_text_frame;

use super::wire::{ChatJson, micros};

/// The encoder of this dialect's chat.
pub(super) const LOBBY: Encoder = Encoder(&Lobby);

struct Lobby;

impl Encode for Lobby {
    fn encode(&self, event: &Event, view: View, frames: &mut Frames) {
        match event {
            Event::Posted(message) => add(frames, &ChatJson::live(message, view == View::Own)),
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

fn moved<'a>(person: &'a Person, mtype: &'static str, content: &'a str) -> ChatJson<'a> {
    ChatJson {
        user_id: &person.username,
        content,
        timestamp: micros(Millis::now()),
        mtype,
        is_mine: false,
    }
}

pub(super) fn add(frames: &mut Frames, frame: &impl serde::Serialize) {
    let json = serde_json::to_vec(frame).unwrap_or_default();
    frames.add(|bytes| append_text_frame(bytes, &json));
}
