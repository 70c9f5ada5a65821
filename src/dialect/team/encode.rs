//! Encodes events of this dialect, which has frames for messages only.

use crate::chat::{Encode, Encoder, Frames, View};
use crate::model::Event;
use crate::transport::frame::append_text_frame;

use super::frames::chat_json;

pub(super) const TEAM: Encoder = Encoder(&Team);

struct Team;

impl Encode for Team {
    fn encode(&self, event: &Event, _: View, frames: &mut Frames) {
        if let Event::PostOutcome(message) = event {
            let json = chat_json(message, frames.reader());
            frames.add(|bytes| append_text_frame(bytes, &json));
        }
    }

    fn needs_base(&self) -> bool {
        true
    }
}
