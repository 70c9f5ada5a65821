//! Encodes events of this dialect. Its sockets subscribe to the lobby only; direct messages go to the account.

use serde::Serialize;

use crate::chat::{Encode, Encoder, Frames, View};
use crate::dialect::kit::add_event;
use crate::model::{Event, Message, Person, RoomId, cut};

use super::wire::{NameJson, PrivateJson, PublicJson, shown_name, time};

pub(super) const REALTIME: Encoder = Encoder(&Realtime);

/// Length of the preview for clients that have not joined the public chat, in characters.
const PREVIEW: usize = 50;

struct Realtime;

/// A person joined or left the public chat. The last two keys are for sockets that also use the komunikator protocol.
#[derive(Serialize)]
pub(super) struct PassageJson {
    username: String,
    user: NameJson,
    message: String,
    user_name: String,
    room_id: i64,
}

impl PassageJson {
    pub(super) fn new(person: &Person, did: &str) -> Self {
        let name = shown_name(person);
        Self {
            username: name.to_owned(),
            user: person.into(),
            message: format!("{name} {did} the chat"),
            user_name: name.to_owned(),
            room_id: RoomId::LOBBY.0,
        }
    }
}

#[derive(Serialize)]
struct NoticeJson<'a> {
    sender_id: i64,
    sender_username: &'a str,
    content: &'a str,
    timestamp: String,
}

#[derive(Serialize)]
struct ReceiptJson<'a> {
    chat_id: i64,
    reader_id: i64,
    reader_username: &'a str,
}

#[derive(Serialize)]
struct UnreadJson<'a> {
    chat_id: i64,
    unread_count: u32,
    other_user_id: i64,
    other_username: &'a str,
}

impl Encode for Realtime {
    fn encode(&self, event: &Event, view: View, frames: &mut Frames) {
        match event {
            Event::PostOutcome(message) if message.room_id == RoomId::LOBBY => match view {
                View::Other => posted(frames, message),
                View::Absent => notice(frames, message),
                // The sender's own message, on a socket that has not joined the public chat.
                View::Own => {}
            },
            Event::PostedTo { message, .. } => posted_to(frames, message),
            Event::Read {
                room,
                person,
                other: Some(_),
                was_unread: true,
                ..
            } if view == View::Other => {
                let receipt = ReceiptJson {
                    chat_id: room.0,
                    reader_id: person.id.0,
                    reader_username: shown_name(person),
                };
                add_event(frames, "message_read_receipt", &receipt);
            }
            Event::Unread { room, other, count } => {
                let unread = UnreadJson {
                    chat_id: room.0,
                    unread_count: *count,
                    other_user_id: other.id.0,
                    other_username: shown_name(other),
                };
                add_event(frames, "unread_count_update", &unread);
            }
            Event::Entered { person, .. } => {
                add_event(frames, "user_joined", &PassageJson::new(person, "joined"));
            }
            Event::Exited { person, .. } => {
                add_event(frames, "user_left", &PassageJson::new(person, "left"));
            }
            _ => {}
        }
    }

    fn hears_absent(&self) -> bool {
        true
    }

    fn needs_base(&self) -> bool {
        true
    }
}

fn posted(frames: &mut Frames, message: &Message) {
    let name = match message.files.is_empty() {
        true => "new_public_message",
        false => "new_public_file_message",
    };
    let json = PublicJson::new(message, frames.reader());
    add_event(frames, name, &json);
}

fn posted_to(frames: &mut Frames, message: &Message) {
    let name = match message.files.is_empty() {
        true => "new_private_message",
        false => "new_private_file_message",
    };
    let json = PrivateJson::new(message, frames.reader());
    add_event(frames, name, &json);
}

fn notice(frames: &mut Frames, message: &Message) {
    let file = message.files.first().map_or("", |file| &*file.name);
    let content = match message.content.is_empty() {
        true => file,
        false => &message.content,
    };
    let notice = NoticeJson {
        sender_id: message.sender.id.0,
        sender_username: shown_name(&message.sender),
        content: cut(content, PREVIEW),
        timestamp: time(message.created_at),
    };
    add_event(frames, "public_message_notification", &notice);
}
