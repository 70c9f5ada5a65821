//! Encodes events of this protocol.

use std::sync::Arc;

use serde::Serialize;

use crate::chat::{Encode, Encoder, Frames, View};
use crate::model::{Departure, Event, Person, Presence};
use crate::transport::frame::append_text_frame;

use super::notifications::NotificationJson;
use super::wire::{MemberJson, MessageJson, PersonJson, RoomJson};

pub(super) const NATIVE: Encoder = Encoder(&Native);

struct Native;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum EventJson<'a> {
    Message {
        message: MessageJson<'a>,
    },
    Edited {
        message: MessageJson<'a>,
    },
    Deleted {
        message: MessageJson<'a>,
    },
    Reaction {
        message: MessageJson<'a>,
    },
    Notification {
        notification: NotificationJson<'a>,
        new: bool,
    },
    NotificationsRead {
        unread: u32,
    },
    NotifyChanged {
        room: i64,
        notify: &'static str,
    },
    Read {
        room: i64,
        user_id: i64,
        last_read_id: i64,
    },
    Typing {
        room: i64,
        user: PersonJson<'a>,
    },
    Presence {
        room: i64,
        online: Vec<PersonJson<'a>>,
        offline: Vec<PersonJson<'a>>,
        count: u32,
    },
    Joined {
        room: i64,
        member: MemberJson<'a>,
    },
    MemberChanged {
        room: i64,
        member: MemberJson<'a>,
    },
    Left {
        room: i64,
        user: PersonJson<'a>,
        by: Option<PersonJson<'a>>,
        reason: &'static str,
    },
    RoomCreated {
        room: RoomJson<'a>,
    },
    RoomChanged {
        room: RoomJson<'a>,
    },
    RoomDeleted {
        room: i64,
    },
}

impl Encode for Native {
    fn encode(&self, event: &Event, _: View, frames: &mut Frames) {
        if let Some(event) = EventJson::of(event) {
            add(frames, &event);
        }
    }
}

/// Appends a text frame of JSON.
pub(super) fn add(frames: &mut Frames, value: &impl Serialize) {
    let json = serde_json::to_vec(value).unwrap_or_default();
    frames.add(|bytes| append_text_frame(bytes, &json));
}

impl<'a> EventJson<'a> {
    /// Returns `None` for events that only other protocols send.
    fn of(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::PostOutcome(_) | Event::Edited(_) | Event::Deleted(_) | Event::Reacted(_) => {
                return Self::of_message(event);
            }
            Event::Notified { .. } | Event::NotificationsRead(_) | Event::NotifyChanged { .. } => {
                return Self::of_notification(event);
            }
            Event::Read {
                room,
                person,
                last_read_id,
                ..
            } => Self::Read {
                room: room.0,
                user_id: person.id.0,
                last_read_id: last_read_id.0,
            },
            Event::Typing { room, person } => Self::Typing {
                room: room.0,
                user: (&**person).into(),
            },
            Event::Presence(presence) => presence_json(presence),
            Event::Joined { room, member } => Self::Joined {
                room: room.0,
                member: member.into(),
            },
            Event::MemberChanged { room, member } => Self::MemberChanged {
                room: room.0,
                member: member.into(),
            },
            Event::Left {
                room,
                person,
                departure,
            } => {
                let (reason, by) = describe(departure);
                Self::Left {
                    room: room.0,
                    user: (&**person).into(),
                    by,
                    reason,
                }
            }
            Event::RoomCreated(room) => Self::RoomCreated {
                room: RoomJson::without_key(room),
            },
            Event::RoomChanged(room) => Self::RoomChanged {
                room: RoomJson::without_key(room),
            },
            Event::RoomDeleted(room) => Self::RoomDeleted { room: room.0 },
            Event::RoomListChanged
            | Event::PostedTo { .. }
            | Event::Entered { .. }
            | Event::Exited { .. }
            | Event::Unread { .. } => return None,
        })
    }

    fn of_message(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::PostOutcome(message) => Self::Message {
                message: (&**message).into(),
            },
            Event::Edited(message) => Self::Edited {
                message: (&**message).into(),
            },
            Event::Deleted(message) => Self::Deleted {
                message: (&**message).into(),
            },
            Event::Reacted(message) => Self::Reaction {
                message: (&**message).into(),
            },
            _ => return None,
        })
    }

    fn of_notification(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::Notified { notification, new } => Self::Notification {
                notification: (&**notification).into(),
                new: *new,
            },
            Event::NotificationsRead(unread) => Self::NotificationsRead { unread: *unread },
            Event::NotifyChanged { room, notify } => Self::NotifyChanged {
                room: room.0,
                notify: notify.as_str(),
            },
            _ => return None,
        })
    }
}

fn presence_json(presence: &Presence) -> EventJson<'_> {
    EventJson::Presence {
        room: presence.room.0,
        online: people(&presence.online),
        offline: people(&presence.offline),
        count: presence.count,
    }
}

fn describe(departure: &Departure) -> (&'static str, Option<PersonJson<'_>>) {
    match departure {
        Departure::Own => ("left", None),
        Departure::Kicked(by) => ("kicked", Some((&**by).into())),
        Departure::Ended => ("ended", None),
        Departure::Closed => ("closed", None),
    }
}

pub(super) fn people(people: &[Arc<Person>]) -> Vec<PersonJson<'_>> {
    people.iter().map(|person| (&**person).into()).collect()
}
