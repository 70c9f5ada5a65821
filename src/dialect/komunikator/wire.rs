//! JSON types of the protocol.

use std::borrow::Cow;

use serde::Serialize;

use crate::chat::Reader;
use crate::dialect::kit::{Response, StatusCode, json, plain_text, seconds};
use crate::model::{Message, Millis, Person, Room, RoomKind};

#[derive(Serialize)]
struct Said<'a> {
    message: &'a str,
}

/// Success response with a message.
pub(super) fn done(message: &str) -> Response {
    json(StatusCode::OK, &Said { message })
}

#[derive(Serialize)]
pub(super) struct Created {
    pub message: &'static str,
    pub room_id: i64,
}

#[derive(Serialize)]
pub(super) struct TokenJson<'a> {
    pub access_token: &'a str,
}

#[derive(Serialize)]
pub(super) struct RoomJson<'a> {
    room_id: i64,
    room_name: &'a str,
    room_owner: Option<&'a str>,
    create_date: String,
    is_private: bool,
    access_key: Option<&'a str>,
}

impl<'a> RoomJson<'a> {
    pub(super) fn new(room: &'a Room, name: &'a str, owner: Option<&'a Person>) -> Self {
        Self {
            room_id: room.id.0,
            room_name: name,
            room_owner: owner.map(|owner| owner.username.as_str()),
            create_date: date(room.created_at),
            is_private: is_private(room),
            access_key: room.access_key.as_ref().map(|key| key.as_str()),
        }
    }
}

/// One of the caller's rooms.
#[derive(Serialize)]
pub(super) struct OwnRoomJson<'a> {
    pub user_name: &'a str,
    pub room_id: i64,
    pub room_name: &'a str,
    pub room_owner: Option<&'a str>,
    pub is_private: bool,
}

/// A person and a room: a member, or somebody who enters or leaves.
#[derive(Serialize)]
pub(super) struct PlaceJson<'a> {
    pub user_name: &'a str,
    pub room_id: i64,
}

#[derive(Serialize)]
pub(super) struct NameJson<'a> {
    pub user_name: &'a str,
}

/// A message in live events.
#[derive(Serialize)]
pub(super) struct MessageJson<'a> {
    chat_id: i64,
    room_id: i64,
    user_name: &'a str,
    message: Cow<'a, str>,
    create_date: String,
}

impl<'a> MessageJson<'a> {
    pub(super) fn new(message: &'a Message, reader: Reader<'_>) -> Self {
        Self {
            chat_id: message.id.0,
            room_id: message.room_id.0,
            user_name: &message.sender.username,
            message: plain_text(message, reader),
            create_date: date(message.created_at),
        }
    }
}

/// A message in a history.
#[derive(Serialize)]
pub(super) struct PastJson<'a> {
    message_id: i64,
    #[serde(flatten)]
    message: MessageJson<'a>,
}

impl<'a> PastJson<'a> {
    pub(super) fn new(message: &'a Message, reader: Reader<'_>) -> Self {
        Self {
            message_id: message.id.0,
            message: MessageJson::new(message, reader),
        }
    }
}

/// Whether clients see the room as private: direct rooms are, the lobby is not.
pub(super) fn is_private(room: &Room) -> bool {
    matches!(room.kind, RoomKind::Private | RoomKind::Direct)
}

fn date(time: Millis) -> String {
    format!("{}Z", seconds(time))
}
