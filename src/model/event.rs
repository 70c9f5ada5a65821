//! Everything a connection can be told.

use std::sync::Arc;

use super::{Member, Message, MessageId, Notification, Notify, Person, Room, RoomId, UserId};

/// Something that happened, in the core's own words; each dialect says it in its own.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message is new.
    Posted(Arc<Message>),
    /// A message is new in a direct room, for those who do not watch it.
    PostedTo {
        /// The message.
        message: Arc<Message>,
        /// Who of the two did not write it.
        to: Arc<Person>,
    },
    /// A message has another text.
    Edited(Arc<Message>),
    /// A message is a tombstone now.
    Deleted(Arc<Message>),
    /// A message has another reaction, or one less.
    Reacted(Arc<Message>),
    /// Somebody has read a room up to a message.
    Read {
        /// Where.
        room: RoomId,
        /// Who.
        person: Arc<Person>,
        /// Up to where.
        last_read_id: MessageId,
        /// In direct rooms: the other person.
        other: Option<Arc<Person>>,
        /// In direct rooms: whether something was unread before.
        was_unread: bool,
    },
    /// Somebody is typing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        person: Arc<Person>,
    },
    /// People came online or went offline.
    Presence(Presence),
    /// Somebody is a member now.
    Joined {
        /// Where.
        room: RoomId,
        /// Who, in which role.
        member: Member,
    },
    /// A member's role or mute changed.
    MemberChanged {
        /// Where.
        room: RoomId,
        /// Who, and what they are now.
        member: Member,
    },
    /// Somebody is no longer a member.
    Left {
        /// Where.
        room: RoomId,
        /// Who.
        person: Arc<Person>,
        /// How it came about.
        departure: Departure,
    },
    /// A room is there that was not there for this person.
    RoomCreated(Arc<Room>),
    /// A room has another name, description, key, kind or owner, or was cleared.
    RoomChanged(Arc<Room>),
    /// A room is gone.
    RoomDeleted(RoomId),
    /// The list of rooms is another now.
    RoomListChanged,
    /// Somebody began to watch a room, in one protocol.
    Entered {
        /// Where.
        room: RoomId,
        /// Who.
        person: Arc<Person>,
    },
    /// Somebody stopped watching a room, in one protocol.
    Exited {
        /// Where.
        room: RoomId,
        /// Who.
        person: Arc<Person>,
    },
    /// Somebody is told something beside their rooms.
    Notified {
        /// What.
        notification: Arc<Notification>,
        /// `false` if it takes the place of the unread one of the same direct room.
        new: bool,
    },
    /// Somebody has read some of their notifications; so many are left, counted up to 100.
    NotificationsRead(u32),
    /// Somebody wants to be told of other things in a room.
    NotifyChanged {
        /// Where.
        room: RoomId,
        /// Of what.
        notify: Notify,
    },
    /// The number of messages in a direct room that its reader has not read yet.
    Unread {
        /// Where.
        room: RoomId,
        /// The other person.
        other: Arc<Person>,
        /// How many, counted up to 100.
        count: u32,
    },
}

impl Event {
    /// The message that is new or changed.
    pub fn message(&self) -> Option<&Arc<Message>> {
        match self {
            Event::Posted(message)
            | Event::Edited(message)
            | Event::Deleted(message)
            | Event::Reacted(message) => Some(message),
            _ => None,
        }
    }

    /// Who wrote the message that is new or changed.
    pub fn author(&self) -> Option<UserId> {
        match self {
            Event::PostedTo { message, .. } => Some(message.sender.id),
            _ => self.message().map(|message| message.sender.id),
        }
    }
}

/// How somebody came to be no longer a member.
#[derive(Clone, Debug)]
pub enum Departure {
    /// They left.
    Own,
    /// Somebody sent them out.
    Kicked(Arc<Person>),
    /// Their account ended.
    Ended,
    /// They only watched, and the room became private.
    Closed,
}

/// Who came and went in one room since the last such event.
#[derive(Clone, Debug)]
pub struct Presence {
    /// Where.
    pub room: RoomId,
    /// Who is online now and was not; empty in rooms of more than 200 members.
    pub online: Vec<Arc<Person>>,
    /// Who was online and is not; empty in rooms of more than 200 members.
    pub offline: Vec<Arc<Person>>,
    /// How many people are online.
    pub count: u32,
}
