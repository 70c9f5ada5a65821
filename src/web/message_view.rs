//! View of a message on the chat page. Independent of how messages are loaded.

use crate::model::{Message, Quote, Reaction, UserId};

use super::file_view::FileView;
use super::i18n::Texts;
use super::markdown::{Called, render};
use super::views::{Clock, Face, person_name};

/// Messages of one sender within this time form one block, milliseconds.
const BLOCK: i64 = 5 * 60 * 1000;
/// Maximum number of people named per reaction; the script uses the same limit.
const NAMED: usize = 8;

pub(super) struct MessageView {
    pub id: i64,
    pub change: i64,
    pub sender_id: i64,
    pub name: String,
    pub face: Face,
    pub own: bool,
    /// Whether it is in one block with the message before.
    pub follows: bool,
    /// Whether it is the first message after the reader's read cursor.
    pub first_unread: bool,
    pub read: bool,
    pub deleted: bool,
    pub edited: bool,
    /// Whether it mentions the reader.
    pub calls: bool,
    pub quote: Option<QuoteView>,
    pub files: Vec<FileView>,
    pub html: String,
    /// Source text, if it differs from the displayed text.
    pub source: Option<String>,
    pub reactions: Vec<ReactionView>,
    pub at: Clock,
}

/// Quote above a reply.
pub(super) struct QuoteView {
    pub id: i64,
    pub name: String,
    pub text: String,
}

/// An emoji below a message.
pub(super) struct ReactionView {
    pub emoji: String,
    pub count: u32,
    /// Comma-separated ids of the first people.
    pub people: String,
    pub mine: bool,
}

impl MessageView {
    /// `names` returns the user name of a person who is mentioned.
    pub(super) fn new(
        t: &'static Texts,
        message: &Message,
        me: UserId,
        names: impl Fn(UserId) -> Option<Called>,
    ) -> Self {
        let deleted = message.deleted_at.is_some();
        let mentions = &message.mentions;
        let mut called: Vec<_> = mentions.people.iter().copied().filter_map(names).collect();
        if mentions.room {
            called.push(Called {
                key: "room".to_owned(),
                is_me: true,
            });
        }
        let text = render(&message.content, &called);
        Self {
            id: message.id.0,
            change: message.change_id.0,
            sender_id: message.sender.id.0,
            name: person_name(t, &message.sender).into_owned(),
            face: Face::of_person(&message.sender),
            own: message.sender.id == me,
            deleted,
            edited: message.edited_at.is_some() && !deleted,
            calls: mentions.room || mentions.people.contains(&me),
            quote: message.reply.as_ref().map(|quote| QuoteView::new(t, quote)),
            files: FileView::all(t, message, me),
            html: text.html,
            source: (!text.plain).then(|| message.content.clone()),
            reactions: message
                .reactions
                .iter()
                .map(|reaction| ReactionView::new(reaction, me))
                .collect(),
            at: Clock::new(message.created_at),
            ..Self::blank()
        }
    }

    /// Returns an empty view for the `<template>` that scripts fill in.
    pub(super) fn blank() -> Self {
        Self {
            id: 0,
            change: 0,
            sender_id: 0,
            name: String::new(),
            face: Face::blank("person"),
            own: false,
            follows: false,
            first_unread: false,
            read: false,
            deleted: false,
            edited: false,
            calls: false,
            quote: None,
            files: Vec::new(),
            html: String::new(),
            source: None,
            reactions: Vec::new(),
            at: Clock::new(crate::model::Millis(0)),
        }
    }
}

impl QuoteView {
    fn new(t: &'static Texts, quote: &Quote) -> Self {
        Self {
            id: quote.id.0,
            name: person_name(t, &quote.sender).into_owned(),
            text: if quote.deleted {
                t.deleted_message.to_owned()
            } else {
                quote.head.clone()
            },
        }
    }
}

impl ReactionView {
    fn new(reaction: &Reaction, me: UserId) -> Self {
        Self {
            emoji: reaction.emoji.clone(),
            count: reaction.count,
            people: reaction
                .people
                .iter()
                .take(NAMED)
                .map(|id| id.0.to_string())
                .collect::<Vec<_>>()
                .join(","),
            mine: reaction.people.contains(&me),
        }
    }
}

/// Formats a size like `48 KiB` or `1.2 MiB`, rounded up, in the units of the limits; the script does the same.
pub(super) fn size_label(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..MIB => format!("{} KiB", bytes.div_ceil(KIB)),
        _ => {
            let tenths = (bytes.saturating_mul(10)).div_ceil(MIB);
            match tenths % 10 {
                0 => format!("{} MiB", tenths / 10),
                tenth => format!("{}.{tenth} MiB", tenths / 10),
            }
        }
    }
}

/// Whether `next` is in one block with the message before it.
pub(super) fn is_block(before: &Message, next: &Message) -> bool {
    before.sender.id == next.sender.id && next.created_at.0 - before.created_at.0 < BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_sizes_are_rounded_up() {
        assert_eq!(size_label(1023), "1023 B");
        assert_eq!(size_label(1025), "2 KiB");
        assert_eq!(size_label(1_270_000), "1.3 MiB");
        assert_eq!(size_label(25 * 1024 * 1024), "25 MiB");
        assert_eq!(size_label(25 * 1024 * 1024 + 1), "25.1 MiB");
    }
}
