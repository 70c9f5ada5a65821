//! Attachments: lists them, adds and removes them.

use rusqlite::{Connection, Row, params};

use crate::model::{
    Change, FILES_MAX, FileId, Message, MessageId, Millis, PlacedFile, RoomId, RoomKind, UserId,
};

use super::files::{FILE, FILE_WIDTH, TABLE, are_free, attach, from_row};
use super::message_changes::{Changed, NewChange};
use super::rows::{PERSON, PERSON_WIDTH, person};
use super::{Store, StoreError};

/// Maximum length of a list of files.
pub const FILE_LIST_MAX: u32 = 1000;

impl Store {
    /// Returns the newest attachments of a person with ids below `before`, newest first.
    pub async fn files_of(
        &self,
        owner: UserId,
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<PlacedFile>, StoreError> {
        let before = before.unwrap_or(NONE);
        self.read(move |db| list(db, "f.owner_id = ?1", owner.0, before, limit))
            .await
    }

    /// Returns the newest attachments in a room, newest first.
    pub async fn files_in(&self, room: RoomId) -> Result<Vec<PlacedFile>, StoreError> {
        self.read(move |db| list(db, "m.room_id = ?1", room.0, NONE, FILE_LIST_MAX))
            .await
    }

    /// Returns the attachments of a message, newest first.
    pub async fn files_by(&self, message: MessageId) -> Result<Vec<PlacedFile>, StoreError> {
        self.read(move |db| list(db, "f.message_id = ?1", message.0, NONE, FILE_LIST_MAX))
            .await
    }

    /// Returns a file that is attached to a message.
    pub async fn placed_file(&self, id: FileId) -> Result<Option<PlacedFile>, StoreError> {
        self.read(move |db| Ok(list(db, "f.id = ?1", id.0, NONE, 1)?.pop()))
            .await
    }
}

/// Higher than every file id.
const NONE: FileId = FileId(i64::MAX);

fn list(
    db: &Connection,
    which: &str,
    key: i64,
    before: FileId,
    limit: u32,
) -> Result<Vec<PlacedFile>, StoreError> {
    let sql = format!(
        "SELECT {FILE}, {PERSON}, m.id, m.room_id, r.kind FROM {TABLE} JOIN users u ON u.id = f.owner_id
             JOIN messages m ON m.id = f.message_id JOIN rooms r ON r.id = m.room_id
         WHERE f.purpose = 'message' AND f.state = 'ready' AND m.deleted_at IS NULL AND m.id > r.cleared_through
             AND r.deleted_at IS NULL AND {which}
             AND f.id < ?2 ORDER BY f.id DESC LIMIT ?3"
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(params![key, before, limit], placed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn placed(row: &Row<'_>) -> rusqlite::Result<PlacedFile> {
    let place = FILE_WIDTH + PERSON_WIDTH;
    let (message, room, kind): (MessageId, RoomId, RoomKind) =
        (row.get(place)?, row.get(place + 1)?, row.get(place + 2)?);
    Ok(PlacedFile {
        file: from_row(row, 0)?,
        owner: person(row, FILE_WIDTH)?,
        message,
        room,
        kind,
    })
}

/// Adds or removes attachments; returns the refusal, if any. People who may delete a message may also remove its
/// attachments.
pub(super) fn alter(
    tx: &Connection,
    new: &NewChange,
    message: &mut Message,
    own: bool,
) -> Result<Option<Changed>, StoreError> {
    let change = &new.change;
    if message.deleted_at.is_some() {
        return Ok(Some(Changed::Missing));
    }
    let may_hide = new.may_delete && matches!(change, Change::Hide(_));
    if !own && !may_hide {
        return Ok(Some(Changed::NotOwn));
    }
    match change {
        Change::Show(files) => show(tx, files, message),
        Change::Hide(file) => hide(tx, *file, message),
        Change::Edit(_) | Change::Delete | Change::React { .. } => Ok(None),
    }
}

fn show(
    tx: &Connection,
    files: &[FileId],
    message: &mut Message,
) -> Result<Option<Changed>, StoreError> {
    if message.files.len() + files.len() > FILES_MAX {
        return Ok(Some(Changed::TooManyFiles));
    }
    if !are_free(tx, files, message.sender.id)? {
        return Ok(Some(Changed::NoSuchFile));
    }
    let mut last = tx
        .prepare_cached("SELECT coalesce(max(position) + 1, 0) FROM files WHERE message_id = ?1")?;
    let first = last.query_row([message.id], |row| row.get(0))?;
    message.files.extend(attach(tx, files, message.id, first)?);
    Ok(None)
}

fn hide(
    tx: &Connection,
    file: FileId,
    message: &mut Message,
) -> Result<Option<Changed>, StoreError> {
    let Some(place) = message.files.iter().position(|shown| shown.id == file) else {
        return Ok(Some(Changed::NoSuchFile));
    };
    message.files.remove(place);
    tx.prepare_cached(
        "UPDATE files SET state = 'gone' WHERE id = ?1 OR id = (SELECT thumb_id FROM files WHERE id = ?1)",
    )?
    .execute(params![file])?;
    if message.content.is_empty() && message.files.is_empty() {
        message.deleted_at = Some(Millis::now());
    }
    Ok(None)
}
