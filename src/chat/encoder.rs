//! Encoding of events as frames: the trait that every dialect implements. Must not know any of them.

use std::any::TypeId;

use crate::model::Event;

use super::outbox::Frames;

/// Recipient of a copy of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The person who caused it, or whom it concerns and who is subscribed to the room.
    Own,
    Other,
    /// A person whom it concerns but who is not subscribed to the room in that dialect.
    Absent,
}

/// Encoder of events for one dialect.
pub trait Encode: Sync + 'static {
    /// Appends the frames of `event`: none if the dialect does not know it, or several.
    fn encode(&self, event: &Event, view: View, frames: &mut Frames);

    /// Whether messages of direct rooms and of the lobby also reach connections that are not subscribed to these rooms.
    fn hears_absent(&self) -> bool {
        false
    }

    /// Whether frames contain absolute URLs of this server, for clients whose page comes from another origin. If so,
    /// [`Frames::reader`] holds the base URL, and connections that know the server by different names get different
    /// frames. URLs of files are valid for one person, so messages with files are encoded for each person.
    fn needs_base(&self) -> bool {
        false
    }

    /// Returns the key by which encoders are compared.
    fn identity(&self) -> TypeId {
        TypeId::of::<Self>()
    }

    /// Whether the person who caused an event gets different frames from the others.
    fn has_views(&self) -> bool {
        false
    }
}

/// An encoder. Two are equal if they are of the same type.
#[derive(Clone, Copy)]
pub struct Encoder(pub &'static dyn Encode);

impl Encoder {
    /// Returns the key for comparison. Not the address: encoders are zero-sized, and zero-sized values may share one.
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
