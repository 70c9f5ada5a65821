//! JSON types of the protocol.

use std::borrow::Cow;

use serde::Serialize;

use crate::chat::Reader;
use crate::dialect::kit::{plain_text, seconds};
use crate::model::{Message, UserId};

/// An account to which one can write.
#[derive(Serialize)]
pub(super) struct ContactJson<'a> {
    pub id: i64,
    pub name: &'a str,
    pub role: &'static str,
}

#[derive(Serialize)]
pub(super) struct MessageJson<'a> {
    id: i64,
    sender_id: i64,
    receiver_id: i64,
    content: Cow<'a, str>,
    timestamp: String,
    read_status: bool,
}

impl<'a> MessageJson<'a> {
    pub(super) fn new(
        message: &'a Message,
        receiver: UserId,
        read_status: bool,
        reader: Reader<'_>,
    ) -> Self {
        Self {
            id: message.id.0,
            sender_id: message.sender.id.0,
            receiver_id: receiver.0,
            content: plain_text(message, reader),
            timestamp: seconds(message.created_at),
            read_status,
        }
    }
}

/// Read receipt: the sender of the messages and the reader.
#[derive(Serialize)]
pub(super) struct ReadJson {
    pub sender_id: i64,
    pub receiver_id: i64,
}
