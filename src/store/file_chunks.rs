//! Table `file_contents`: the chunks of files, from upload to removal.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{File, FileId, Millis, Purpose, RoomId};

use super::files::{FILE, FILE_WIDTH, TABLE, from_row, to_sql};
use super::{Store, StoreError};

/// Size in bytes of every chunk of a file but the last.
pub const CHUNK: usize = 256 * 1024;
/// Chunks removed in one transaction: a large file must not delay the chat.
const SWEEP: u32 = 8;

/// People who may download a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Only the owner: the file is not attached yet.
    Nowhere,
    /// Everybody with an account.
    Everywhere,
    /// People who may read this room.
    InRoom(RoomId),
    /// People who may see this room.
    AsPictureOf(RoomId),
}

/// A file that can be downloaded.
#[derive(Clone, Debug)]
pub struct StoredFile {
    pub file: File,
    pub shown: Shown,
    /// Digest of the content; empty for a file on another host.
    pub sha256: Vec<u8>,
}

impl Store {
    /// Stores the next chunk of an upload, at most [`CHUNK`] bytes; `false` if the upload was discarded in the
    /// meantime.
    pub async fn append_chunk(
        &self,
        id: FileId,
        seq: u32,
        bytes: Bytes,
    ) -> Result<bool, StoreError> {
        let turn = self.shared.chunks.acquire().await;
        let _until_kept = turn.map_err(|_| StoreError::Closed)?;
        self.write(move |tx| append(tx, id, seq, &bytes)).await
    }

    /// Returns a complete file; `None` if the message, account or room that shows it is gone.
    pub async fn file(&self, id: FileId) -> Result<Option<StoredFile>, StoreError> {
        self.read(move |db| stored(db, id)).await
    }

    pub async fn chunk(&self, id: FileId, seq: u32) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT bytes FROM file_contents WHERE file_id = ?1 AND seq = ?2";
        self.read(move |db| {
            let mut find = db.prepare_cached(SQL)?;
            Ok(find
                .query_row(params![id, seq], |row| row.get(0))
                .optional()?)
        })
        .await
    }

    /// Discards unfinished uploads and unattached files of an earlier process. Runs at start.
    pub async fn abandon_uploads(&self) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute(
                "UPDATE files SET state = 'gone' WHERE message_id IS NULL AND url IS NULL
                     AND (state = 'uploading' OR purpose IN ('message', 'thumbnail')) AND state <> 'gone'",
                [],
            )?;
            Ok(())
        })
        .await
    }

    /// Discards files that nothing refers to and that were not changed since `before`.
    pub async fn drop_orphans(&self, before: Millis) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(&orphans())?.execute([before])?;
            Ok(())
        })
        .await
    }

    /// Removes some chunks of discarded files; `true` if more may be left.
    pub async fn sweep_files(&self) -> Result<bool, StoreError> {
        if !self.read(|db| Ok(first_gone(db)?.is_some())).await? {
            return Ok(false);
        }
        self.write(|tx| sweep(tx)).await
    }
}

/// Whether the file `f` is the current avatar of its owner.
const IS_AVATAR: &str = "EXISTS (SELECT 1 FROM users u WHERE u.id = f.owner_id
    AND u.deleted_at IS NULL AND u.avatar_url LIKE '/files/' || f.id || '/%')";

/// Avatars and room pictures are in use while a row refers to their URL, `/files/<id>/…`.
fn orphans() -> String {
    format!(
        "UPDATE files AS f SET state = 'gone'
         WHERE f.message_id IS NULL AND f.touched_at < ?1 AND f.url IS NULL AND f.state <> 'gone'
         AND NOT (f.purpose = 'avatar' AND f.state = 'ready' AND {IS_AVATAR})
         AND NOT (f.purpose = 'picture' AND f.state = 'ready' AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = f.room_id
             AND r.deleted_at IS NULL AND r.picture_url LIKE '/files/' || f.id || '/%'))"
    )
}

fn append(tx: &Connection, id: FileId, seq: u32, bytes: &[u8]) -> Result<bool, StoreError> {
    let grown = tx
        .prepare_cached(
            "UPDATE files SET size = size + ?2, touched_at = ?3 WHERE id = ?1 AND state = 'uploading'",
        )?
        .execute(params![id, to_sql(bytes.len() as u64), Millis::now()])?;
    if grown == 0 {
        return Ok(false);
    }
    tx.prepare_cached("INSERT INTO file_contents (file_id, seq, bytes) VALUES (?1, ?2, ?3)")?
        .execute(params![id, seq, bytes])?;
    Ok(true)
}

fn stored(db: &Connection, id: FileId) -> Result<Option<StoredFile>, StoreError> {
    let sql = format!(
        "SELECT {FILE}, f.purpose, f.sha256, f.message_id IS NOT NULL, f.room_id,
             iif(m.deleted_at IS NULL AND m.id > r.cleared_through AND r.deleted_at IS NULL, m.room_id, NULL)
         FROM {TABLE} LEFT JOIN messages m ON m.id = f.message_id LEFT JOIN rooms r ON r.id = m.room_id
         WHERE f.id = ?1 AND f.state = 'ready' AND (f.purpose <> 'avatar' OR {IS_AVATAR})"
    );
    let mut find = db.prepare_cached(&sql)?;
    let found = find.query_row([id], stored_from_row).optional()?;
    Ok(found.flatten())
}

/// `None` if the message or room that shows it is gone.
fn stored_from_row(row: &Row<'_>) -> rusqlite::Result<Option<StoredFile>> {
    let purpose: Purpose = row.get(FILE_WIDTH)?;
    let (attached, room, place): (bool, Option<RoomId>, Option<RoomId>) = (
        row.get(FILE_WIDTH + 2)?,
        row.get(FILE_WIDTH + 3)?,
        row.get(FILE_WIDTH + 4)?,
    );
    let shown = match (purpose, attached, place, room) {
        (Purpose::Avatar, ..) => Some(Shown::Everywhere),
        (Purpose::Picture, .., room) => room.map(Shown::AsPictureOf),
        (Purpose::Message | Purpose::Thumbnail, false, ..) => Some(Shown::Nowhere),
        (Purpose::Message | Purpose::Thumbnail, true, place, _) => place.map(Shown::InRoom),
    };
    let Some(shown) = shown else { return Ok(None) };
    Ok(Some(StoredFile {
        file: from_row(row, 0)?,
        shown,
        sha256: row
            .get::<_, Option<Vec<u8>>>(FILE_WIDTH + 1)?
            .unwrap_or_default(),
    }))
}

fn first_gone(db: &Connection) -> Result<Option<FileId>, StoreError> {
    let mut find = db.prepare_cached("SELECT id FROM files WHERE state = 'gone' LIMIT 1")?;
    Ok(find.query_row([], |row| row.get(0)).optional()?)
}

fn sweep(tx: &Connection) -> Result<bool, StoreError> {
    let Some(id) = first_gone(tx)? else {
        return Ok(false);
    };
    let removed = tx
        .prepare_cached(
            "DELETE FROM file_contents WHERE rowid IN
             (SELECT rowid FROM file_contents WHERE file_id = ?1 LIMIT ?2)",
        )?
        .execute(params![id, SWEEP])?;
    if removed < SWEEP as usize {
        tx.prepare_cached("DELETE FROM files WHERE id = ?1")?
            .execute([id])?;
    }
    Ok(true)
}
