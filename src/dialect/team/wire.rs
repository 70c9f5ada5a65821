//! JSON types of the protocol. Ids are uuids, times are `YYYY-MM-DD HH:MM:SS`.

use std::borrow::Cow;

use serde::Serialize;
use uuid::Uuid;

use crate::chat::Reader;
use crate::dialect::kit::{plain_text, seconds};
use crate::model::{Message, Millis, Room, RoomOverview, UserId};

pub(super) fn time(time: Millis) -> String {
    seconds(time).replace('T', " ")
}

/// Returns the name of a room for `me`. A direct room has the other person's name.
pub(super) fn name(room: &Room, me: UserId) -> &str {
    room.other(me)
        .map_or(&room.name, |other| &other.display_name)
}

/// Returns the description, or `None` if it is empty.
fn description(room: &Room) -> Option<&str> {
    Some(room.description.as_str()).filter(|text| !text.is_empty())
}

/// One of a user's conversations.
#[derive(Serialize)]
pub(super) struct MembershipJson<'a> {
    conversation_id: Uuid,
    created_at: String,
    description: Option<&'a str>,
    id: Uuid,
    joined_at: String,
    name: &'a str,
    owner_id: Option<Uuid>,
    role: &'static str,
    updated_at: String,
    user_id: Uuid,
}

impl<'a> MembershipJson<'a> {
    pub(super) fn new(overview: &'a RoomOverview, user: Uuid, owner_id: Option<Uuid>) -> Self {
        let room = &overview.room;
        Self {
            conversation_id: room.uuid,
            created_at: time(room.created_at),
            description: description(room),
            id: room.uuid,
            joined_at: time(overview.place.joined_at),
            name: name(room, overview.me),
            owner_id,
            role: overview.place.role.as_str(),
            updated_at: time(room.updated_at),
            user_id: user,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ConversationJson<'a> {
    created_at: String,
    description: Option<&'a str>,
    id: Uuid,
    name: &'a str,
    owner_id: Option<Uuid>,
    updated_at: String,
}

impl<'a> ConversationJson<'a> {
    pub(super) fn new(room: &'a Room, me: UserId, owner_id: Option<Uuid>) -> Self {
        Self {
            created_at: time(room.created_at),
            description: description(room),
            id: room.uuid,
            name: name(room, me),
            owner_id,
            updated_at: time(room.updated_at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct MessageJson<'a> {
    content: Cow<'a, str>,
    conversation_id: Uuid,
    id: Uuid,
    sender_id: Uuid,
    sent_from_client: String,
    sent_from_server: String,
}

impl<'a> MessageJson<'a> {
    pub(super) fn new(message: &'a Message, reader: Reader<'_>) -> Self {
        Self {
            content: plain_text(message, reader),
            conversation_id: message.room_uuid,
            id: message.uuid,
            sender_id: message.sender.uuid,
            sent_from_client: time(message.sent_at.unwrap_or(message.created_at)),
            sent_from_server: time(message.created_at),
        }
    }
}
