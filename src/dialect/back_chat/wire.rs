//! The dialect's JSON.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::model::{Message, Millis, Role, User};

/// Somebody with their profile; who may see it depends on who asks.
#[derive(Serialize)]
pub(super) struct UserJson<'a> {
    id: i64,
    name: &'a str,
    postal_code: Option<&'a str>,
    city: Option<&'a str>,
}

impl<'a> UserJson<'a> {
    /// Guests see names only.
    pub(super) fn new(user: &'a User, viewer: Role) -> Self {
        let shown = viewer != Role::Guest;
        let profile = &user.profile;
        Self {
            id: user.id().0,
            name: &user.person.display_name,
            postal_code: profile.postal_code.as_deref().filter(|_| shown),
            city: profile.city.as_deref().filter(|_| shown),
        }
    }
}

/// Somebody as clients send them.
#[derive(Deserialize)]
pub(super) struct UserBody {
    pub name: String,
    pub postal_code: Option<String>,
    pub city: Option<String>,
}

/// A frame of the lobby, both ways.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatJson<'a> {
    #[serde(rename = "user_id")]
    pub user_id: &'a str,
    pub content: &'a str,
    pub timestamp: String,
    pub mtype: &'static str,
    pub is_mine: bool,
}

impl<'a> ChatJson<'a> {
    /// A message as sockets get it.
    pub(super) fn live(message: &'a Message, is_mine: bool) -> Self {
        Self {
            timestamp: micros(message.created_at),
            ..Self::stored(message, is_mine)
        }
    }

    /// A message as histories show it.
    pub(super) fn stored(message: &'a Message, is_mine: bool) -> Self {
        let timestamp = crate::dialect::kit::rfc3339(message.created_at);
        let (user_id, content) = (message.sender.username.as_str(), message.content.as_str());
        Self {
            user_id,
            content,
            timestamp,
            mtype: "message",
            is_mine,
        }
    }
}

/// A time as sockets get it: `YYYY-MM-DD HH:MM:SS.ffffff`.
pub(super) fn micros(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
