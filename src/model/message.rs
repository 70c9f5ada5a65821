//! Messages, their drafts and changes.

use std::sync::Arc;

use uuid::Uuid;

use super::text::{shows_something, trim_lines};
use super::{Emoji, File, FileId, Invalid, Mentions, MessageId, Millis, Person, Reaction, RoomId};

/// Maximum length of a message, characters after trimming.
pub const CONTENT_MAX: usize = 4000;

/// Maximum number of files of one message.
pub const FILES_MAX: usize = 10;
pub const TOO_MANY_FILES: Invalid =
    Invalid::new("file", "is one too many: a message has at most 10 files");

/// Text of a message: 1 to [`CONTENT_MAX`] characters, at least one of them visible, without control characters except
/// tab and line breaks, without leading blank lines and trailing white space. May be empty if the message has files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const FIELD: &str = "content";
        let text = trim_lines(text);
        if text.is_empty() {
            return Err(Invalid::new(FIELD, "must not be empty"));
        }
        // A character takes at least one byte, so short texts need no counting.
        if text.len() > CONTENT_MAX && text.chars().count() > CONTENT_MAX {
            return Err(Invalid::new(FIELD, "is too long"));
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            return Err(Invalid::new(FIELD, "must not contain control characters"));
        }
        if !shows_something(text) {
            return Err(Invalid::new(FIELD, "must have something to see"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Like [`Content::parse`], but accepts an empty text, for messages with files.
    pub fn beside_files(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            Ok(Self(String::new()))
        } else {
            Self::parse(text)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// Message to be sent.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Chosen by the sender's client, else by the server. Sending the same `uuid` again creates no second message.
    pub uuid: Uuid,
    pub content: Content,
    /// Message that it replies to, in the same room.
    pub reply_to: Option<MessageId>,
    /// Time of the client's clock.
    pub sent_at: Option<Millis>,
    /// The sender's uploads to attach; none of them may be attached to another message.
    pub files: Vec<FileId>,
    /// Extra data of the sender's protocol, delivered live only and never stored.
    pub aside: Option<Arc<str>>,
}

impl Draft {
    /// Creates a draft with that text and nothing else.
    pub fn new(content: Content) -> Self {
        Self {
            uuid: Uuid::now_v7(),
            content,
            reply_to: None,
            sent_at: None,
            files: Vec::new(),
            aside: None,
        }
    }
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Ascending within the room.
    pub id: MessageId,
    /// Chosen by the sender's client.
    pub uuid: Uuid,
    pub room_id: RoomId,
    pub room_uuid: Uuid,
    pub sender: Arc<Person>,
    /// Empty once deleted.
    pub content: String,
    /// Attachments in the sender's order; empty once deleted.
    pub files: Vec<File>,
    pub reply_to: Option<MessageId>,
    /// Quote of that message, if it still exists.
    pub reply: Option<Quote>,
    /// Empty once deleted.
    pub mentions: Mentions,
    /// In the order in which each emoji first appeared; empty once deleted.
    pub reactions: Vec<Reaction>,
    /// Time of the sender's clock.
    pub sent_at: Option<Millis>,
    /// Time when the server accepted it.
    pub created_at: Millis,
    /// Time of the last edit.
    pub edited_at: Option<Millis>,
    pub deleted_at: Option<Millis>,
    /// Its newest change; equals `id` until it is edited, deleted or reacted to.
    pub change_id: MessageId,
    /// Extra data of the sender's protocol; only set while the message is new.
    pub aside: Option<Arc<str>>,
}

/// Short form of a message, shown above a reply to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub id: MessageId,
    pub sender: Arc<Person>,
    /// Beginning of its text, see [`head`](super::head).
    pub head: String,
    /// Whether it is a tombstone.
    pub deleted: bool,
}

/// Change to an existing message.
#[derive(Clone, Debug)]
pub enum Change {
    /// Replaces the text; by its sender only.
    Edit(Content),
    /// Turns it into a tombstone.
    Delete,
    /// Attaches more uploads of its sender; none of them may be attached to another message.
    Show(Vec<FileId>),
    /// Detaches a file. A message without text and files becomes a tombstone.
    Hide(FileId),
    /// Adds or removes a reaction.
    React {
        emoji: Emoji,
        /// Whether to add it, else to remove it.
        on: bool,
    },
}

/// Page of a room's messages to load; both ids are exclusive.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Only messages before this one.
    pub before: Option<MessageId>,
    /// Only messages after this one.
    pub after: Option<MessageId>,
    /// Maximum number of messages.
    pub limit: u32,
    /// Whether deleted messages are included, as tombstones.
    pub tombstones: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_not_content() {
        assert_eq!(Content::parse(" \n\t ").unwrap_err().field, "content");
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        assert!(Content::parse(&"ä".repeat(CONTENT_MAX)).is_ok());
        assert!(Content::parse(&"ä".repeat(CONTENT_MAX + 1)).is_err());
    }

    #[test]
    fn lines_and_tabs_are_kept_and_nul_is_refused() {
        assert_eq!(Content::parse("\n\ta\n\tb ").unwrap().as_str(), "\ta\n\tb");
        assert!(Content::parse("a\0b").is_err());
    }
}
