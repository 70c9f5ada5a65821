//! What somebody is told beside their rooms.

use std::sync::Arc;

use super::json::is_shallow;
use super::name::one_line;
use super::text::cut;
use super::{Invalid, MessageId, Millis, NotificationId, Person, RoomId};

/// What a notification tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// A message that calls its reader, or the room.
    Mention,
    /// An answer to a message of its reader.
    Reply,
    /// A direct message; while it is unread, the next one takes its place.
    Direct,
    /// Somebody added its reader to a room.
    Added,
    /// Somebody sent its reader out of a room.
    Removed,
    /// What a program of its reader noted down.
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

    /// The word used in the file and on the wire.
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

    /// The kind of that name, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that its reader is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its number; ascends for each reader. Of a message's notification: that of the message or of its change.
    pub id: NotificationId,
    /// What it tells of.
    pub kind: NotificationKind,
    /// Where.
    pub room_id: Option<RoomId>,
    /// The message.
    pub message_id: Option<MessageId>,
    /// Who caused it.
    pub by: Option<Arc<Person>>,
    /// The room's name, empty in direct rooms; of custom ones their own title.
    pub title: String,
    /// How the message begins, see [`head`].
    pub text: String,
    /// JSON, of custom ones only.
    pub content: Option<String>,
    /// When it happened.
    pub created_at: Millis,
    /// Its reader knows it.
    pub read: bool,
}

/// Of what in a room one is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// Everything.
    #[default]
    All,
    /// What is said to oneself: mentions and answers.
    Mentions,
    /// Nothing.
    None,
}

impl Notify {
    /// The word used in the file and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    /// The setting of that name, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::All, Self::Mentions, Self::None]
            .into_iter()
            .find(|notify| notify.as_str() == word)
    }
}

/// Which notifications somebody has read.
#[derive(Clone, Debug)]
pub enum ReadMark {
    /// All up to this one.
    Through(NotificationId),
    /// These.
    These(Vec<NotificationId>),
}

/// What a program notes down for its user.
#[derive(Clone, Debug)]
pub struct Note {
    /// Its title.
    pub title: String,
    /// JSON.
    pub content: String,
}

/// The longest content of a note, bytes.
const NOTE_MAX: usize = 4096;

impl Note {
    /// Checks title and size; `content` is JSON.
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

/// Returns the beginning of a text, whole characters only.
pub fn head(text: &str) -> String {
    cut(text, HEAD_MAX).to_owned()
}
