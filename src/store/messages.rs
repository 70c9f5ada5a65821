//! Table `messages`: stores new messages; reads pages and changes.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::model::{
    Draft, File, Mentions, Message, MessageId, Millis, PageRequest, Person, Quote, RoomId, UserId,
};

use super::error::OnConstraint;
use super::job::Tx;
use super::message_notifications::{self, Alerts, Concerned};
use super::rows::{People, json_list};
use super::search_index::{self, Indexed};
use super::{Store, StoreError, Ticket, files, reactions};

/// A message to store, with the id that its room has assigned.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// From [`Store::next_id`], in the order of the room.
    pub id: MessageId,
    pub room_id: RoomId,
    pub room_uuid: Uuid,
    pub sender: Arc<Person>,
    pub draft: Draft,
    /// Mentions in the text.
    pub mentions: Mentions,
    /// The other person of a direct room.
    pub direct: Option<UserId>,
    /// Time at which the server accepted it.
    pub created_at: Millis,
}

/// Outcome of storing a message.
#[derive(Clone, Debug)]
pub enum Appended {
    /// The message is on disk, and so are its notifications.
    New(Message, Alerts),
    /// The message existed already: the same uuid from the same sender in the same room.
    Existing(Message),
    /// The uuid belongs to another message.
    UuidTaken,
    /// The message that it answers is not in this room.
    NoSuchReply,
    /// An attachment does not exist, is not the sender's, or belongs to another message.
    NoSuchFile,
}

impl Store {
    /// Stores a message. The ticket is answered when it is on disk.
    pub async fn append_message(&self, new: NewMessage) -> Ticket<Appended> {
        let indexed = Indexed::of_new(&new);
        if new.draft.files.is_empty() {
            return self.append(move |tx| insert(tx, new, indexed)).await;
        }
        // Attaching its files takes more statements.
        self.submit(move |tx| insert(tx, new, indexed)).await
    }

    /// Returns a message of any room; `None` if it was cleared.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.read(move |db| by_id(db, id)).await
    }

    /// Returns a page of a room's messages, oldest first, and whether there are more in that direction.
    pub async fn page(
        &self,
        room: RoomId,
        page: PageRequest,
    ) -> Result<(Vec<Message>, bool), StoreError> {
        self.read(move |db| history(db, room, page)).await
    }

    /// Returns a page of all direct messages of a person, oldest first, without deleted ones.
    pub async fn direct_page(
        &self,
        me: UserId,
        page: PageRequest,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "{SELECT} WHERE m.room_id IN (SELECT o.room_id FROM members o JOIN rooms d ON d.id = o.room_id
                     WHERE o.user_id = ?1 AND d.kind = 'direct')
                 AND m.id > r.cleared_through AND m.id < ?2 AND m.deleted_at IS NULL ORDER BY m.id DESC LIMIT ?3"
            );
            let before = page.before.unwrap_or(MessageId(i64::MAX));
            let mut messages = collect(db, &sql, params![me, before, page.limit])?;
            messages.reverse();
            Ok(messages)
        })
        .await
    }

    /// Returns messages that changed after the change id `after`, by change id.
    pub async fn changes(
        &self,
        room: RoomId,
        after: MessageId,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "WITH cleared (through) AS (SELECT cleared_through FROM rooms WHERE id = ?1)
                 {SELECT} WHERE m.id IN (
                     SELECT id FROM (SELECT id FROM messages WHERE room_id = ?1
                         AND id > max(?2, (SELECT through FROM cleared)) AND change_id = id ORDER BY id LIMIT ?3)
                     UNION ALL
                     SELECT id FROM (SELECT id FROM messages WHERE room_id = ?1 AND change_id > ?2 AND change_id > id
                         AND id > (SELECT through FROM cleared) ORDER BY change_id LIMIT ?3))
                 ORDER BY m.change_id LIMIT ?3"
            );
            collect(db, &sql, params![room, after, limit])
        })
        .await
    }

    /// Returns the newest change id of a room, 0 if there is none.
    pub async fn newest_change(&self, room: RoomId) -> Result<MessageId, StoreError> {
        const SQL: &str = "SELECT max(coalesce((SELECT max(id) FROM messages WHERE room_id = ?1), 0),
            coalesce((SELECT max(change_id) FROM messages WHERE room_id = ?1 AND change_id > id), 0))";
        self.read(move |db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_row([room], |row| row.get(0))?)
        })
        .await
    }

    /// Counts the messages that changed after `after`, up to `limit`.
    pub async fn count_changes(
        &self,
        room: RoomId,
        after: MessageId,
        limit: u32,
    ) -> Result<u32, StoreError> {
        const SQL: &str = "SELECT count(*) FROM (SELECT 1 FROM messages WHERE room_id = ?1 AND id > ?2
            UNION ALL SELECT 1 FROM messages WHERE room_id = ?1 AND change_id > ?2 AND change_id > id AND id <= ?2
            LIMIT ?3)";
        self.read(move |db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_row(params![room, after, limit], |row| row.get(0))?)
        })
        .await
    }
}

fn insert(tx: &Tx<'_>, new: NewMessage, indexed: Indexed) -> Result<Appended, StoreError> {
    let reply = match new.draft.reply_to {
        Some(id) => reactions::quote(tx, new.room_id, id)?,
        None => None,
    };
    if reply.is_none() && new.draft.reply_to.is_some() {
        return existing_or(tx, &new, Appended::NoSuchReply);
    }
    if !files::are_free(tx, &new.draft.files, new.sender.id)? {
        return existing_or(tx, &new, Appended::NoSuchFile);
    }
    let inserted = tx
        .prepare_cached(
            "INSERT INTO messages (id, uuid, room_id, sender_id, content, reply_to, sent_at, created_at, change_id, mentions)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?1, ?9)",
        )?
        .execute(params![
            new.id, new.draft.uuid, new.room_id, new.sender.id, new.draft.content.as_str(), new.draft.reply_to,
            new.draft.sent_at, new.created_at, new.mentions
        ])
        .on_constraint("messages.uuid", "uuid");
    match inserted {
        Ok(_) => {
            let files = files::attach(tx, &new.draft.files, new.id, 0)?;
            search_index::defer_add(tx, indexed.with_files(&files));
            let direct = new.direct;
            let message = message(new, files, reply);
            let concerned = Concerned {
                direct,
                mentions: message.mentions.clone(),
                author: message.reply.as_ref().map(|quote| quote.sender.id),
                still: None,
            };
            let alerts = message_notifications::defer(tx, &message, concerned);
            Ok(Appended::New(message, alerts))
        }
        Err(StoreError::Conflict(_)) => existing(tx, new.draft.uuid, new.room_id, new.sender.id),
        Err(error) => Err(error),
    }
}

/// Checks for a retry first: references that were valid in the first attempt may be invalid now.
fn existing_or(
    tx: &Connection,
    new: &NewMessage,
    refusal: Appended,
) -> Result<Appended, StoreError> {
    let found = existing(tx, new.draft.uuid, new.room_id, new.sender.id)?;
    Ok(match found {
        Appended::Existing(_) => found,
        _ => refusal,
    })
}

/// Distinguishes a retry from a uuid of another message, without revealing anything about that message.
fn existing(
    tx: &Connection,
    uuid: Uuid,
    room: RoomId,
    sender: UserId,
) -> Result<Appended, StoreError> {
    let sql = format!("{SELECT} WHERE m.uuid = ?1 AND m.room_id = ?2 AND m.sender_id = ?3");
    Ok(
        match collect(tx, &sql, params![uuid, room, sender])?.pop() {
            Some(message) => Appended::Existing(message),
            None => Appended::UuidTaken,
        },
    )
}

fn message(new: NewMessage, files: Vec<File>, reply: Option<Quote>) -> Message {
    Message {
        id: new.id,
        uuid: new.draft.uuid,
        room_id: new.room_id,
        room_uuid: new.room_uuid,
        sender: new.sender,
        content: new.draft.content.into_string(),
        files,
        reply_to: new.draft.reply_to,
        reply,
        mentions: new.mentions,
        reactions: Vec::new(),
        sent_at: new.draft.sent_at,
        created_at: new.created_at,
        edited_at: None,
        deleted_at: None,
        change_id: new.id,
        aside: new.draft.aside,
    }
}

pub(super) fn by_id(db: &Connection, id: MessageId) -> Result<Option<Message>, StoreError> {
    Ok(collect(
        db,
        &format!("{SELECT} WHERE m.id = ?1 AND m.id > r.cleared_through"),
        params![id],
    )?
    .pop())
}

fn history(
    db: &Connection,
    room: RoomId,
    page: PageRequest,
) -> Result<(Vec<Message>, bool), StoreError> {
    let (low, high) = (
        page.after.unwrap_or(MessageId(0)),
        page.before.unwrap_or(MessageId(i64::MAX)),
    );
    // With `after` alone, the page begins there; otherwise the newest messages are read first and the order is
    // reversed.
    let forward = page.after.is_some() && page.before.is_none();
    let order = if forward { "ASC" } else { "DESC" };
    let sql = format!(
        "{SELECT} WHERE m.room_id = ?1 AND m.id > max(?2, r.cleared_through) AND m.id < ?3 AND (?5 OR m.deleted_at IS NULL) ORDER BY m.id {order} LIMIT ?4"
    );
    let mut messages = collect(
        db,
        &sql,
        params![room, low, high, page.limit + 1, page.tombstones],
    )?;
    let more = messages.len() > page.limit as usize;
    messages.truncate(page.limit as usize);
    if !forward {
        messages.reverse();
    }
    Ok((messages, more))
}

/// Messages with senders and rooms; the sender's columns are those of [`rows::person`](super::rows::person).
const SELECT: &str =
    "SELECT m.id, m.uuid, m.room_id, m.content, m.reply_to, m.sent_at, m.created_at, m.edited_at,
        m.deleted_at, m.change_id, r.uuid, m.mentions,
        u.id, u.uuid, u.username, u.display_name, u.avatar_url, u.role, u.deleted_at, u.updated_at
    FROM messages m JOIN users u ON u.id = m.sender_id JOIN rooms r ON r.id = m.room_id";
/// First column of the sender in [`SELECT`].
const SENDER: usize = 12;

fn collect(
    db: &Connection,
    sql: &str,
    keys: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Message>, StoreError> {
    let mut people = People::default();
    let mut find = db.prepare_cached(sql)?;
    let rows = find.query_map(keys, |row| from_row(row, &mut people))?;
    let mut messages = rows.collect::<Result<Vec<_>, _>>()?;
    files::fill(db, &mut messages)?;
    reactions::fill(db, &mut messages)?;
    reactions::fill_quotes(db, &mut messages)?;
    Ok(messages)
}

/// Returns these messages in unspecified order.
pub(super) fn by_ids(db: &Connection, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
    let sql = format!("{SELECT} WHERE m.id IN (SELECT value FROM json_each(?1))");
    collect(db, &sql, params![json_list(ids.iter().copied())])
}

fn from_row(row: &Row<'_>, people: &mut People) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        uuid: row.get(1)?,
        room_id: row.get(2)?,
        sender: people.person(row, SENDER)?,
        content: row.get(3)?,
        files: Vec::new(),
        reply_to: row.get(4)?,
        reply: None,
        mentions: row.get(11)?,
        reactions: Vec::new(),
        sent_at: row.get(5)?,
        created_at: row.get(6)?,
        edited_at: row.get(7)?,
        deleted_at: row.get(8)?,
        change_id: row.get(9)?,
        room_uuid: row.get(10)?,
        aside: None,
    })
}
