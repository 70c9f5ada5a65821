//! What people say.

use std::sync::Arc;

use uuid::Uuid;

use super::text::{shows_something, trim_lines};
use super::{Emoji, File, FileId, Invalid, Mentions, MessageId, Millis, Person, Reaction, RoomId};

/// The longest message, characters after trimming.
pub const CONTENT_MAX: usize = 4000;

/// So many files one message may show.
pub const FILES_MAX: usize = 10;
/// Why one more is refused.
pub const TOO_MANY_FILES: Invalid =
    Invalid::new("file", "is one too many: a message has at most 10 files");

/// A message's text: 1 to [`CONTENT_MAX`] characters of which something can be seen, without control characters, blank
/// lines at its beginning and blanks at its end; none beside files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Trims and checks a text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const FIELD: &str = "content";
        let text = trim_lines(text);
        if text.is_empty() {
            return Err(Invalid::new(FIELD, "must not be empty"));
        }
        // Every character takes a byte at least: short texts need no counting.
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

    /// As [`Content::parse`], but no text at all is good too: files need none.
    pub fn beside_files(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            Ok(Self(String::new()))
        } else {
            Self::parse(text)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to keep.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Chosen by the sender's client (or by us): sending it again makes no second message.
    pub uuid: Uuid,
    /// The text.
    pub content: Content,
    /// The message it answers, in the same room.
    pub reply_to: Option<MessageId>,
    /// What the client's clock said.
    pub sent_at: Option<Millis>,
    /// The sender's files that it shows; none of them shown by any other message.
    pub files: Vec<FileId>,
    /// What the sender's protocol wants told along, in its own words; live only, never kept.
    pub aside: Option<Arc<str>>,
}

impl Draft {
    /// A message with that text and nothing else.
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

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number, ascending within its room.
    pub id: MessageId,
    /// The uuid that the sender's client chose.
    pub uuid: Uuid,
    /// The one room it is in.
    pub room_id: RoomId,
    /// That room's uuid.
    pub room_uuid: Uuid,
    /// Who sent it.
    pub sender: Arc<Person>,
    /// The text; empty once deleted.
    pub content: String,
    /// What it shows, in the sender's order; nothing once deleted.
    pub files: Vec<File>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// How that message begins, if it is still there.
    pub reply: Option<Quote>,
    /// Whom the text calls; nobody once deleted.
    pub mentions: Mentions,
    /// What people think of it, in the order of its first emoji; nothing once deleted.
    pub reactions: Vec<Reaction>,
    /// What the sender's clock said.
    pub sent_at: Option<Millis>,
    /// When the server took it.
    pub created_at: Millis,
    /// When it was last edited.
    pub edited_at: Option<Millis>,
    /// When it was deleted.
    pub deleted_at: Option<Millis>,
    /// Its newest change; equals `id` until it is edited, deleted or reacted to.
    pub change_id: MessageId,
    /// What the sender's protocol told along; only while it is new.
    pub aside: Option<Arc<str>>,
}

/// What stands above an answer: the message it answers, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// That message.
    pub id: MessageId,
    /// Who sent it.
    pub sender: Arc<Person>,
    /// How its text begins, see [`head`](super::head).
    pub head: String,
    /// It is a tombstone.
    pub deleted: bool,
}

/// What is to be done to a message that is there.
#[derive(Clone, Debug)]
pub enum Change {
    /// Its sender gives it another text.
    Edit(Content),
    /// It becomes a tombstone.
    Delete,
    /// It shows more of its sender's files, which nothing else shows.
    Show(Vec<FileId>),
    /// It shows a file no more; without text and files it becomes a tombstone.
    Hide(FileId),
    /// Somebody reacts to it, or does so no more.
    React {
        /// How.
        emoji: Emoji,
        /// Whether from now on, or no more.
        on: bool,
    },
}

/// Which part of a room's messages is wanted; the ids are exclusive.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Only messages before this one.
    pub before: Option<MessageId>,
    /// Only messages after this one.
    pub after: Option<MessageId>,
    /// How many at the most.
    pub limit: u32,
    /// Whether deleted messages are among them, as tombstones.
    pub tombstones: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_no_content() {
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
