//! Changes to existing messages: edits, deletions, reactions, attachments.

use crate::model::{Change, Mentions, Message, MessageId, Millis, RoomId, UserId};

use rusqlite::params;

use super::job::Tx;
use super::message_notifications::{self, Alerts, Concerned};
use super::messages::by_id;
use super::search_index::{self, Indexed};
use super::{Store, StoreError, Ticket, attachments, files, notifications, reactions};

/// Outcome of a change to a message.
#[derive(Clone, Debug)]
pub enum Changed {
    /// The change was made, and people who are newly mentioned have notifications.
    Done(Message, Alerts),
    /// A reaction was added or removed.
    Reacted(Message),
    /// The message was in this state already.
    Unchanged(Message),
    /// There is no such message in the room, or it was deleted.
    Missing,
    /// The message belongs to another sender.
    NotOwn,
    /// The message would have neither text nor attachment.
    Empty,
    /// The message would have too many attachments.
    TooManyFiles,
    /// A file does not exist, is not the sender's, or belongs to another message.
    NoSuchFile,
    /// The message has the maximum number of different reactions already.
    TooManyEmoji,
}

/// A change to make.
#[derive(Clone, Debug)]
pub struct NewChange {
    pub id: MessageId,
    /// Room that the message must be in.
    pub room_id: RoomId,
    pub by: UserId,
    /// Whether `by` may delete messages of others.
    pub may_delete: bool,
    pub change: Change,
    /// Mentions in the new text.
    pub mentions: Mentions,
    /// From [`Store::next_id`], in the order of the room.
    pub change_id: MessageId,
}

impl Store {
    /// Applies a change to a message. The ticket is answered when it is on disk.
    pub async fn change_message(&self, new: NewChange) -> Ticket<Changed> {
        match new.change {
            Change::Edit(_) => self.append(move |tx| change(tx, &new)).await,
            // Files and reactions are removed with the message, or another table changes too.
            Change::Delete | Change::React { .. } | Change::Show(_) | Change::Hide(_) => {
                self.submit(move |tx| change(tx, &new)).await
            }
        }
    }
}

fn change(tx: &Tx<'_>, new: &NewChange) -> Result<Changed, StoreError> {
    let Some(mut message) = by_id(tx, new.id)?.filter(|message| message.room_id == new.room_id)
    else {
        return Ok(Changed::Missing);
    };
    let own = message.sender.id == new.by;
    let now = Some(Millis::now());
    let before = message.mentions.clone();
    let indexed = match new.change {
        Change::React { .. } => None,
        _ => Some(Indexed::of(&message)),
    };
    match &new.change {
        Change::React { .. } if message.deleted_at.is_some() => return Ok(Changed::Missing),
        Change::React { emoji, on } => return reactions::react(tx, new, message, emoji, *on),
        Change::Delete if !own && !new.may_delete => return Ok(Changed::NotOwn),
        Change::Delete if message.deleted_at.is_some() => return Ok(Changed::Unchanged(message)),
        Change::Delete => {
            (message.content, message.deleted_at) = (String::new(), now);
            message.files.clear();
            files::drop_of_message(tx, message.id)?;
        }
        Change::Show(_) | Change::Hide(_) => {
            if let Some(refusal) = attachments::alter(tx, new, &mut message, own)? {
                return Ok(refusal);
            }
        }
        Change::Edit(_) if message.deleted_at.is_some() => return Ok(Changed::Missing),
        Change::Edit(_) if !own => return Ok(Changed::NotOwn),
        Change::Edit(content) if content.as_str().is_empty() && message.files.is_empty() => {
            return Ok(Changed::Empty);
        }
        Change::Edit(content) if content.as_str() == message.content => {
            return Ok(Changed::Unchanged(message));
        }
        Change::Edit(content) => {
            (message.content, message.edited_at) = (content.as_str().to_owned(), now);
            message.mentions = new.mentions.clone();
        }
    }
    if message.deleted_at.is_some() {
        bury(tx, &mut message)?;
    }
    message.change_id = new.change_id;
    tx.prepare_cached("UPDATE messages SET content = ?2, edited_at = ?3, deleted_at = ?4, change_id = ?5, mentions = ?6 WHERE id = ?1")?
        .execute(params![message.id, message.content, message.edited_at, message.deleted_at, message.change_id, message.mentions])?;
    if let Some(indexed) = indexed {
        search_index::defer_change(tx, indexed, &message);
    }
    let concerned = Concerned {
        direct: None,
        mentions: message.mentions.without(&before),
        author: None,
        // A deleted message has lost all its notifications already.
        still: (!before.without(&message.mentions).is_empty())
            .then(|| message.mentions.clone())
            .filter(|_| message.deleted_at.is_none()),
    };
    let alerts = message_notifications::defer(tx, &message, concerned);
    Ok(Changed::Done(message, alerts))
}

/// Turns a message into a tombstone: no mentions, no quote, no reactions, no notifications.
fn bury(tx: &Tx<'_>, message: &mut Message) -> Result<(), StoreError> {
    message.mentions = Mentions::default();
    message.reply = None;
    message.reactions.clear();
    reactions::drop_of_message(tx, message.id)?;
    notifications::drop_of_message(tx, message.id)
}
