//! JSON types of the protocol.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{Message, Millis, Notification, NotificationKind, User, Viewer};

/// A user with the profile fields that the viewer may see.
#[derive(Serialize)]
pub(super) struct UserJson<'a> {
    id: i64,
    name: &'a str,
    postal_code: Option<&'a str>,
    city: Option<&'a str>,
}

impl<'a> UserJson<'a> {
    pub(super) fn new(user: &'a User, viewer: Viewer) -> Self {
        let shown = user.private(viewer);
        Self {
            id: user.id().0,
            name: &user.person.display_name,
            postal_code: shown.postal_code,
            city: shown.city,
        }
    }
}

/// A user in a request.
#[derive(Deserialize)]
pub(super) struct UserBody {
    pub name: String,
    pub postal_code: Option<String>,
    pub city: Option<String>,
}

/// A frame of lobby sockets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatJson<'a> {
    #[serde(rename = "user_id")]
    pub user_id: &'a str,
    pub content: Cow<'a, str>,
    pub timestamp: String,
    pub mtype: &'static str,
    pub is_mine: bool,
}

impl<'a> ChatJson<'a> {
    /// Creates the frame of a message for live sockets, without attachments.
    pub(super) fn live(message: &'a Message, is_mine: bool) -> Self {
        let timestamp = micros(message.created_at);
        Self::new(message, is_mine, message.content.as_str().into(), timestamp)
    }

    /// Creates the frame of a message for histories: its text, followed by one line per attachment.
    pub(super) fn stored(message: &'a Message, is_mine: bool) -> Self {
        let words = Some(message.content.clone()).filter(|words| !words.is_empty());
        let lines: Vec<_> = words.into_iter().chain(attached(message)).collect();
        let timestamp = crate::dialect::kit::rfc3339(message.created_at);
        Self::new(message, is_mine, lines.join("\n").into(), timestamp)
    }

    fn new(message: &'a Message, is_mine: bool, content: Cow<'a, str>, timestamp: String) -> Self {
        Self {
            user_id: &message.sender.username,
            content,
            timestamp,
            mtype: "message",
            is_mine,
        }
    }
}

/// Returns a text for each attachment of a message, with the file name as uploaded if still known, else as stored.
pub(super) fn attached(message: &Message) -> impl Iterator<Item = String> {
    let told = message.aside.as_deref();
    let told: Vec<String> = told
        .and_then(|names| serde_json::from_str(names).ok())
        .unwrap_or_default();
    let kept = message.files.iter().map(|file| file.name.clone());
    let names = if told.is_empty() {
        kept.collect()
    } else {
        told
    };
    names
        .into_iter()
        .map(|name| format!("File attached: {name} "))
}

/// Serializes the file names as uploaded, for the message's `aside` field, which [`attached`] reads.
pub(super) fn uploaded_names(names: &[String]) -> Arc<str> {
    serde_json::to_string(names).unwrap_or_default().into()
}

#[derive(Serialize)]
pub(super) struct NotificationJson<'a> {
    content: NotedJson<'a>,
    timestamp: String,
    r#type: &'a str,
}

/// Content of a notification: JSON from the user's own client, or an event of the server.
#[derive(Serialize)]
#[serde(untagged)]
enum NotedJson<'a> {
    Own(&'a RawValue),
    Value {
        value: &'a RawValue,
    },
    Happened {
        id: i64,
        user_id: Option<&'a str>,
        room_id: Option<i64>,
        message_id: Option<i64>,
        title: &'a str,
        text: &'a str,
    },
}

impl<'a> From<&'a Notification> for NotificationJson<'a> {
    fn from(notification: &'a Notification) -> Self {
        let own = notification.content.as_deref();
        // Stored content was validated as JSON when it arrived.
        let own = own.and_then(|json| serde_json::from_str::<&RawValue>(json).ok());
        Self {
            content: own.map_or_else(|| NotedJson::happened(notification), NotedJson::own),
            timestamp: micros(notification.created_at),
            r#type: match notification.kind {
                NotificationKind::Custom => &notification.title,
                kind => kind.as_str(),
            },
        }
    }
}

impl<'a> NotedJson<'a> {
    /// Wraps values that are not objects, because clients look for keys in the content.
    fn own(value: &'a RawValue) -> Self {
        match value.get().starts_with('{') {
            true => Self::Own(value),
            false => Self::Value { value },
        }
    }

    fn happened(notification: &'a Notification) -> Self {
        Self::Happened {
            id: notification.id.0,
            user_id: notification.by.as_ref().map(|by| by.username.as_str()),
            room_id: notification.room_id.map(|room| room.0),
            message_id: notification.message_id.map(|message| message.0),
            title: &notification.title,
            text: &notification.text,
        }
    }
}

/// Formats a time for socket frames: `YYYY-MM-DD HH:MM:SS.ffffff`.
pub(super) fn micros(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
