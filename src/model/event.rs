//! Events that are sent to connected clients.

use std::sync::Arc;

use super::{Member, Message, MessageId, Notification, Notify, Person, Room, RoomId, UserId};

/// Something that happened, independent of protocol; each dialect encodes it in its own format.
#[derive(Clone, Debug)]
pub enum Event {
    PostOutcome(Arc<Message>),
    /// A new message in a direct room, for connections that do not subscribe to the room.
    PostedTo {
        message: Arc<Message>,
        /// The person of the two who did not write it.
        to: Arc<Person>,
    },
    /// The text or the files of a message changed.
    Edited(Arc<Message>),
    /// A message became a tombstone.
    Deleted(Arc<Message>),
    /// A reaction to a message was added or removed.
    Reacted(Arc<Message>),
    /// A member's read cursor moved.
    Read {
        room: RoomId,
        person: Arc<Person>,
        last_read_id: MessageId,
        /// The other person, in direct rooms.
        other: Option<Arc<Person>>,
        /// Whether anything was unread before, in direct rooms.
        was_unread: bool,
    },
    Typing {
        room: RoomId,
        person: Arc<Person>,
    },
    /// People came online or went offline.
    Presence(Presence),
    Joined {
        room: RoomId,
        member: Member,
    },
    /// A member's role or mute changed.
    MemberChanged {
        room: RoomId,
        member: Member,
    },
    /// A person is no longer a member.
    Left {
        room: RoomId,
        person: Arc<Person>,
        departure: Departure,
    },
    /// A room was created, or became visible to this person.
    RoomCreated(Arc<Room>),
    /// Name, description, access key, kind or owner of a room changed, or its messages were cleared.
    RoomChanged(Arc<Room>),
    RoomDeleted(RoomId),
    RoomListChanged,
    /// A connection subscribed to a room through one protocol.
    Entered {
        room: RoomId,
        person: Arc<Person>,
    },
    /// A connection unsubscribed from a room in one protocol.
    Exited {
        room: RoomId,
        person: Arc<Person>,
    },
    /// A notification for its reader.
    Notified {
        notification: Arc<Notification>,
        /// `false` if it replaces the unread notification of the same direct room.
        new: bool,
    },
    /// A person read notifications. Holds the number of unread ones, counted up to 100.
    NotificationsRead(u32),
    /// A member's notification setting of a room changed.
    NotifyChanged {
        room: RoomId,
        notify: Notify,
    },
    /// Number of messages in a direct room that its reader has not read yet.
    Unread {
        room: RoomId,
        other: Arc<Person>,
        /// Counted up to 100.
        count: u32,
    },
}

impl Event {
    /// Returns the message, if the event is about a new or changed one.
    pub fn message(&self) -> Option<&Arc<Message>> {
        match self {
            Event::PostOutcome(message)
            | Event::Edited(message)
            | Event::Deleted(message)
            | Event::Reacted(message) => Some(message),
            _ => None,
        }
    }

    /// Returns the sender of the message that is new or changed.
    pub fn author(&self) -> Option<UserId> {
        match self {
            Event::PostedTo { message, .. } => Some(message.sender.id),
            _ => self.message().map(|message| message.sender.id),
        }
    }
}

/// Reason why a membership ended.
#[derive(Clone, Debug)]
pub enum Departure {
    /// They left.
    Own,
    /// Holds who kicked them.
    Kicked(Arc<Person>),
    /// Their account was deleted.
    Ended,
    /// They were subscribed without being a member, and the room became private.
    Closed,
}

/// Changes of presence in one room since the last such event.
#[derive(Clone, Debug)]
pub struct Presence {
    pub room: RoomId,
    /// People who came online; empty in rooms of more than 200 members.
    pub online: Vec<Arc<Person>>,
    /// People who went offline; empty in rooms of more than 200 members.
    pub offline: Vec<Arc<Person>>,
    /// Number of people online.
    pub count: u32,
}
