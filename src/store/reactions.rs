//! The table `reactions`, and what else is read beside a message: how the message begins that it answers.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Emoji, HEAD_MAX, Message, MessageId, Quote, Reaction, RoomId, UserId};

use super::StoreError;
use super::changes::{Changed, NewChange};
use super::messages::by_id;
use super::rows::{PERSON, json_list, person};

/// Lets somebody react to a message, or no more.
pub(super) fn react(
    tx: &Connection,
    new: &NewChange,
    message: Message,
    emoji: &Emoji,
    on: bool,
) -> Result<Changed, StoreError> {
    let known = |reaction: &Reaction| reaction.emoji == emoji.as_str();
    if on
        && message.reactions.len() >= Reaction::DIFFERENT_MAX
        && !message.reactions.iter().any(known)
    {
        return Ok(Changed::TooManyEmoji);
    }
    let changed = if on {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO reactions (message_id, user_id, emoji, change_id) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![new.id, new.by, emoji.as_str(), new.change_id])?
    } else {
        tx.prepare_cached(
            "DELETE FROM reactions WHERE message_id = ?1 AND user_id = ?2 AND emoji = ?3",
        )?
        .execute(params![new.id, new.by, emoji.as_str()])?
    };
    if changed == 0 {
        return Ok(Changed::Unchanged(message));
    }
    tx.prepare_cached("UPDATE messages SET change_id = ?2 WHERE id = ?1")?
        .execute(params![new.id, new.change_id])?;
    Ok(by_id(tx, new.id)?.map_or(Changed::Missing, Changed::Reacted))
}

/// The message is a tombstone now.
pub(super) fn drop_of_message(tx: &Connection, message: MessageId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM reactions WHERE message_id = ?1")?
        .execute([message])?;
    Ok(())
}

/// Gives messages their reactions.
pub(super) fn fill(db: &Connection, messages: &mut [Message]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    const SQL: &str = "SELECT message_id, emoji, user_id FROM reactions
        WHERE message_id IN (SELECT value FROM json_each(?1)) ORDER BY change_id";
    let mut find = db.prepare_cached(SQL)?;
    let mut rows = find.query([json_list(messages.iter().map(|m| m.id))])?;
    let mut of: HashMap<MessageId, Vec<Reaction>> = HashMap::new();
    while let Some(row) = rows.next()? {
        add(of.entry(row.get(0)?).or_default(), row.get(1)?, row.get(2)?);
    }
    if !of.is_empty() {
        for message in messages {
            message.reactions = of.remove(&message.id).unwrap_or_default();
        }
    }
    Ok(())
}

fn add(reactions: &mut Vec<Reaction>, emoji: String, user: UserId) {
    let known = reactions.iter().position(|known| known.emoji == emoji);
    let place = known.unwrap_or_else(|| {
        reactions.push(Reaction {
            emoji,
            count: 0,
            people: Vec::new(),
        });
        reactions.len() - 1
    });
    let reaction = &mut reactions[place];
    reaction.count += 1;
    if reaction.people.len() < Reaction::NAMED_MAX {
        reaction.people.push(user);
    }
}

/// Gives answers the beginning of what they answer. Tombstones quote nothing: who deletes them need not be able to read
/// the room.
pub(super) fn fill_quotes(db: &Connection, messages: &mut [Message]) -> Result<(), StoreError> {
    let living = messages
        .iter_mut()
        .filter(|message| message.deleted_at.is_none());
    for message in living {
        if let Some(id) = message.reply_to {
            message.reply = quote(db, message.room_id, id)?;
        }
    }
    Ok(())
}

/// How a message of that room begins.
pub(super) fn quote(
    db: &Connection,
    room: RoomId,
    id: MessageId,
) -> Result<Option<Quote>, StoreError> {
    let sql = format!(
        "SELECT substr(m.content, 1, {HEAD_MAX}), m.deleted_at IS NOT NULL, {PERSON}
         FROM messages m JOIN users u ON u.id = m.sender_id JOIN rooms r ON r.id = m.room_id
         WHERE m.id = ?1 AND m.room_id = ?2 AND m.id > r.cleared_through"
    );
    let mut find = db.prepare_cached(&sql)?;
    let found = find.query_row(params![id, room], |row| {
        Ok(Quote {
            id,
            sender: person(row, 2)?,
            head: row.get(0)?,
            deleted: row.get(1)?,
        })
    });
    Ok(found.optional()?)
}
