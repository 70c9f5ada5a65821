//! How events become frames: the trait that every dialect implements. Must not know any of them.

use std::any::TypeId;

use crate::model::Event;

use super::outbox::Frames;

/// Whose copy of an event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// For the person who caused it, or whom it concerns and who watches the room.
    Own,
    /// For everybody else.
    Other,
    /// For somebody whom it concerns but who does not watch the room in that protocol.
    Absent,
}

/// Says events in one protocol's words.
pub trait Encode: Sync + 'static {
    /// Appends the frames that say `event`; none if the protocol has no word for it, or several.
    fn encode(&self, event: &Event, view: View, frames: &mut Frames);

    /// Whether messages of direct rooms and of the lobby also reach connections that do not watch these rooms.
    fn hears_absent(&self) -> bool {
        false
    }

    /// Whether frames hold addresses of this server, whole, for readers whose page comes from elsewhere: then
    /// [`Frames::reader`] has the server's, and who knows the server under different names gets different frames. Files'
    /// addresses are good for one person, so that messages with files are encoded for each.
    fn needs_base(&self) -> bool {
        false
    }

    /// What tells encoders apart.
    fn identity(&self) -> TypeId {
        TypeId::of::<Self>()
    }

    /// Whether the person who caused an event gets other frames than the rest.
    fn has_views(&self) -> bool {
        false
    }
}

/// An encoder; two are the same if they are of the same type.
#[derive(Clone, Copy)]
pub struct Encoder(pub &'static dyn Encode);

impl Encoder {
    /// What tells it from others. Not its address: encoders hold nothing, and things of no size may share one.
    pub(super) fn key(self) -> TypeId {
        self.0.identity()
    }
}

impl PartialEq for Encoder {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;
    struct Other;

    impl Encode for One {
        fn encode(&self, _: &Event, _: View, _: &mut Frames) {}
    }

    impl Encode for Other {
        fn encode(&self, _: &Event, _: View, _: &mut Frames) {}
    }

    #[test]
    fn zero_sized_encoders_are_distinguished() {
        assert!(Encoder(&One) == Encoder(&One));
        assert!(Encoder(&One) != Encoder(&Other));
    }
}
