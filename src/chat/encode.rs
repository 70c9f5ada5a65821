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
}

/// Says events in one protocol's words.
pub trait Encode: Sync {
    /// Appends the frames that say `event`; none if the protocol has no word for it, or several.
    fn encode(&self, event: &Event, view: View, frames: &mut Frames);

    /// Whether the person who caused an event gets other frames than the rest.
    fn has_views(&self) -> bool {
        false
    }
}

/// An encoder; compared by where it lives.
#[derive(Clone, Copy)]
pub struct Encoder(pub &'static dyn Encode);

impl PartialEq for Encoder {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self.0, other.0)
    }
}
