//! How events become frames: the trait that every dialect implements. Must not know any of them.

use crate::model::Event;

use super::outbox::Frames;

/// Whose copy of an event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// For the person who caused it.
    Own,
    /// For everybody else.
    Other,
    /// For somebody whom it concerns but who does not watch the room in that protocol.
    Absent,
}

/// Says events in one protocol's words.
pub trait Encode: Sync {
    /// Appends the frames that say `event`; none if the protocol has no word for it, or several.
    fn encode(&self, event: &Event, view: View, frames: &mut Frames);

    /// Whether messages of direct rooms and of the lobby also reach connections that do not watch these rooms.
    fn hears_absent(&self) -> bool {
        false
    }

    /// Whether the person who caused an event gets other frames than the rest.
    fn has_views(&self) -> bool {
        false
    }
}

/// An encoder; compared by where it lives.
#[derive(Clone, Copy)]
pub struct Encoder(pub &'static dyn Encode);

impl Encoder {
    /// Where it lives, as a number to look it up by.
    pub(super) fn key(self) -> usize {
        std::ptr::from_ref(self.0).cast::<()>() as usize
    }
}

impl PartialEq for Encoder {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
