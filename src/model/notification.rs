//! Notifications, and the setting per room that selects them.

use std::sync::Arc;

use super::json::is_shallow;
use super::name::one_line;
use super::text::cut;
use super::{Invalid, MessageId, Millis, NotificationId, Person, RoomId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// A message that mentions its reader, or the room.
    Mention,
    /// A reply to a message of its reader.
    Reply,
    /// A direct message; the next one replaces it while it is unread.
    Direct,
    /// The recipient was added to a room.
    Added,
    /// The recipient was kicked from a room.
    Removed,
    /// Created by a program of its reader.
    Custom,
}

impl NotificationKind {
    const ALL: [Self; 6] = [
        Self::Mention,
        Self::Reply,
        Self::Direct,
        Self::Added,
        Self::Removed,
        Self::Custom,
    ];

    /// Returns the word used in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Reply => "reply",
            Self::Direct => "direct",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Custom => "custom",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Ascending for each reader. For a message, the id of the message or of its change.
    pub id: NotificationId,
    pub kind: NotificationKind,
    pub room_id: Option<RoomId>,
    pub message_id: Option<MessageId>,
    /// The person who caused it.
    pub by: Option<Arc<Person>>,
    /// The room's name, empty in direct rooms; the title of a custom notification.
    pub title: String,
    /// Beginning of the message, see [`head`].
    pub text: String,
    /// JSON, of custom notifications only.
    pub content: Option<String>,
    pub created_at: Millis,
    pub read: bool,
}

/// Setting of a member: which messages of a room create notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    #[default]
    All,
    /// Mentions and replies.
    Mentions,
    None,
}

impl Notify {
    /// Returns the word used in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::All, Self::Mentions, Self::None]
            .into_iter()
            .find(|notify| notify.as_str() == word)
    }
}

/// Set of notifications to mark read.
#[derive(Clone, Debug)]
pub enum ReadMark {
    /// All up to and including this one.
    Through(NotificationId),
    These(Vec<NotificationId>),
}

/// Custom notification that a program creates for its user.
#[derive(Clone, Debug)]
pub struct Note {
    pub title: String,
    /// JSON.
    pub content: String,
}

/// Maximum length of a note's content, bytes.
const NOTE_MAX: usize = 4096;

impl Note {
    /// Checks title, size and nesting; `content` is JSON.
    pub fn parse(title: &str, content: String) -> Result<Self, Invalid> {
        if content.len() > NOTE_MAX {
            return Err(Invalid::new("content", "is too long"));
        }
        if !is_shallow(&content) {
            return Err(Invalid::new("content", "is nested too deeply"));
        }
        Ok(Self {
            title: one_line("title", title, 64)?.to_owned(),
            content,
        })
    }
}

/// Maximum length of a quote, code points.
pub const HEAD_MAX: usize = 140;

/// Returns the beginning of a text, cut between user-perceived characters.
pub fn head(text: &str) -> String {
    cut(text, HEAD_MAX).to_owned()
}
