//! Table `reactions`, and the quotes of answered messages.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    Emoji, HEAD_MAX, Message, MessageId, Quote, Reaction, RoomId, UserId, emoji_key, head,
};

use super::StoreError;
use super::message_changes::{Changed, NewChange};
use super::messages::by_id;
use super::rows::{PERSON, json_list, person};

/// `emoji` in the form in which it is compared: see [`emoji_key`].
const KEY: &str = "replace(emoji, char(0xfe0f), '')";

/// Adds or removes a reaction. Another form of the same emoji counts as the same.
pub(super) fn react(
    tx: &Connection,
    new: &NewChange,
    message: Message,
    emoji: &Emoji,
    on: bool,
) -> Result<Changed, StoreError> {
    let key = emoji.key();
    let mut all = message.reactions.iter();
    let known = all.find(|known| emoji_key(&known.emoji) == key);
    if on && known.is_none() && message.reactions.len() >= Reaction::DIFFERENT_MAX {
        return Ok(Changed::TooManyEmoji);
    }
    let changed = if on {
        let emoji = known.map_or(emoji.as_str(), |known| &known.emoji);
        tx.prepare_cached(&format!(
            "INSERT INTO reactions (message_id, user_id, emoji, change_id) SELECT ?1, ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM reactions WHERE message_id = ?1 AND user_id = ?2 AND {KEY} = ?5)"
        ))?
        .execute(params![new.id, new.by, emoji, new.change_id, key])?
    } else {
        tx.prepare_cached(&format!(
            "DELETE FROM reactions WHERE message_id = ?1 AND user_id = ?2 AND {KEY} = ?3"
        ))?
        .execute(params![new.id, new.by, key])?
    };
    if changed == 0 {
        return Ok(Changed::Unchanged(message));
    }
    tx.prepare_cached("UPDATE messages SET change_id = ?2 WHERE id = ?1")?
        .execute(params![new.id, new.change_id])?;
    Ok(by_id(tx, new.id)?.map_or(Changed::Missing, Changed::Reacted))
}

/// Removes the reactions to a deleted message.
pub(super) fn drop_of_message(tx: &Connection, message: MessageId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM reactions WHERE message_id = ?1")?
        .execute([message])?;
    Ok(())
}

/// Fills in the reactions to messages.
pub(super) fn fill(db: &Connection, messages: &mut [Message]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    const SQL: &str = "SELECT message_id, emoji, user_id FROM reactions
        WHERE message_id IN (SELECT value FROM json_each(?1)) ORDER BY change_id";
    let mut find = db.prepare_cached(SQL)?;
    let mut rows = find.query([json_list(messages.iter().map(|m| m.id))])?;
    let mut of: HashMap<MessageId, Counting> = HashMap::new();
    while let Some(row) = rows.next()? {
        of.entry(row.get(0)?)
            .or_default()
            .add(row.get(1)?, row.get(2)?);
    }
    if !of.is_empty() {
        for message in messages {
            message.reactions = of.remove(&message.id).unwrap_or_default().reactions;
        }
    }
    Ok(())
}

/// The reactions to one message. Earlier versions stored an emoji and its other form separately.
#[derive(Default)]
struct Counting {
    reactions: Vec<Reaction>,
    /// For each reaction, its emoji as it is compared, and the people counted.
    keys: Vec<(String, HashSet<UserId>)>,
}

impl Counting {
    fn add(&mut self, emoji: String, user: UserId) {
        let key = emoji_key(&emoji);
        let known = self.keys.iter().position(|(known, _)| *known == key);
        let place = known.unwrap_or_else(|| {
            self.keys.push((key, HashSet::new()));
            self.reactions.push(Reaction {
                emoji: emoji.clone(),
                count: 0,
                people: Vec::new(),
            });
            self.keys.len() - 1
        });
        let reaction = &mut self.reactions[place];
        // The longer form is the one that selects emoji presentation.
        if emoji.len() > reaction.emoji.len() {
            reaction.emoji = emoji;
        }
        if !self.keys[place].1.insert(user) {
            return;
        }
        reaction.count += 1;
        if reaction.people.len() < Reaction::NAMED_MAX {
            reaction.people.push(user);
        }
    }
}

/// Fills in the quotes of replies. Tombstones have no quote: people who delete a message may lack access to the room.
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

/// Returns the beginning of a message of this room; `None` if it was cleared.
pub(super) fn quote(
    db: &Connection,
    room: RoomId,
    id: MessageId,
) -> Result<Option<Quote>, StoreError> {
    let sql = format!(
        "SELECT substr(m.content, 1, {HEAD_MAX} + 1), m.deleted_at IS NOT NULL, {PERSON}
         FROM messages m JOIN users u ON u.id = m.sender_id JOIN rooms r ON r.id = m.room_id
         WHERE m.id = ?1 AND m.room_id = ?2 AND m.id > r.cleared_through"
    );
    let mut find = db.prepare_cached(&sql)?;
    let found = find.query_row(params![id, room], |row| {
        Ok(Quote {
            id,
            sender: person(row, 2)?,
            // One code point more is read, to see whether a character ends there.
            head: head(&row.get::<_, String>(0)?),
            deleted: row.get(1)?,
        })
    });
    Ok(found.optional()?)
}
