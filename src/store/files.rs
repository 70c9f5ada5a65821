//! Table `files`: uploads and links, and the messages and rooms that they belong to.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{
    File, FileId, FileKey, FileName, Link, Media, Message, MessageId, Millis, Purpose, RoomId,
    Thumbnail, UserId, WebUrl,
};

use super::rows::json_list;
use super::{Store, StoreError};

/// An upload to begin.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Random; signs the URLs of the file.
    pub key: FileKey,
    pub owner: UserId,
    pub purpose: Purpose,
    /// Room whose picture the file becomes.
    pub room: Option<RoomId>,
    pub name: FileName,
}

/// Properties of a file, known when its last byte is on disk.
#[derive(Clone, Debug)]
pub struct Facts {
    pub media_type: String,
    /// Properties found in its content.
    pub media: Media,
    pub sha256: [u8; 32],
    /// Width and height of an image or video, in pixels.
    pub dimensions: Option<(u32, u32)>,
    /// Must be complete already.
    pub thumbnail: Option<FileId>,
    /// Upload that this file was made from and that is no longer needed.
    pub replaces: Option<FileId>,
    /// Most bytes that the owner may store.
    pub quota: Option<u64>,
}

/// Outcome of an upload.
#[derive(Clone, Debug)]
pub enum Finished {
    /// The file is complete and on disk.
    Ready(Box<File>),
    /// The upload exceeds the quota of its owner.
    OverQuota,
    /// The upload was discarded in the meantime.
    Missing,
}

impl Store {
    pub async fn begin_file(&self, new: NewFile) -> Result<FileId, StoreError> {
        self.write(move |tx| begin(tx, &new)).await
    }

    /// Marks an upload as complete, unless it exceeds the quota of its owner.
    pub async fn finish_file(&self, id: FileId, facts: Facts) -> Result<Finished, StoreError> {
        self.write(move |tx| finish(tx, id, &facts)).await
    }

    /// Stores a link to a file on another host.
    pub async fn add_link(
        &self,
        owner: UserId,
        key: FileKey,
        link: Link,
    ) -> Result<File, StoreError> {
        self.write(move |tx| insert_link(tx, owner, key, &link))
            .await
    }

    /// Discards those of these files that are not attached to a message, with their thumbnails.
    pub async fn discard_files(&self, ids: Vec<FileId>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE files SET state = 'gone'
            WHERE (id = ?1 OR id = (SELECT thumb_id FROM files WHERE id = ?1)) AND message_id IS NULL";
        self.write(move |tx| {
            let mut discard = tx.prepare_cached(SQL)?;
            ids.iter()
                .try_for_each(|id| discard.execute([id]).map(drop))?;
            Ok(())
        })
        .await
    }

    /// Sets or removes the picture of a room and discards the previous one; `false` if the room or the picture is gone.
    pub async fn set_picture(
        &self,
        room: RoomId,
        picture: Option<(FileId, String)>,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| set_picture(tx, room, picture.as_ref()))
            .await
    }

    /// Returns the bytes that a person stores, including unfinished uploads.
    pub async fn bytes_of(&self, owner: UserId) -> Result<u64, StoreError> {
        self.read(move |db| used(db, owner)).await
    }
}

fn begin(tx: &Connection, new: &NewFile) -> Result<FileId, StoreError> {
    tx.prepare_cached(
        "INSERT INTO files (key, owner_id, purpose, state, room_id, name, media_type, size, created_at, touched_at)
         VALUES (?1, ?2, ?3, 'uploading', ?4, ?5, '', 0, ?6, ?6)",
    )?
    .execute(params![
        new.key, new.owner, new.purpose, new.room, new.name.as_str(), Millis::now()
    ])?;
    Ok(FileId(tx.last_insert_rowid()))
}

fn finish(tx: &Connection, id: FileId, facts: &Facts) -> Result<Finished, StoreError> {
    if let Some(replaced) = facts.replaces {
        tx.prepare_cached("UPDATE files SET state = 'gone' WHERE id = ?1")?
            .execute([replaced])?;
    }
    let (width, height) = facts.dimensions.unzip();
    let finished = tx
        .prepare_cached(
            "UPDATE files SET state = 'ready', media_type = ?2, sha256 = ?3, width = ?4, height = ?5, thumb_id = ?6,
                 touched_at = ?7 WHERE id = ?1 AND state = 'uploading'",
        )?
        .execute(params![
            id, facts.media.stored(&facts.media_type), facts.sha256, width, height, facts.thumbnail, Millis::now()
        ])?;
    let Some(file) = one(tx, id)?.filter(|_| finished == 1) else {
        return Ok(Finished::Missing);
    };
    if let Some(quota) = facts.quota
        && used(tx, file.owner_id)? > quota
    {
        tx.execute(
            "UPDATE files SET state = 'gone' WHERE id IN (?1, ?2)",
            params![id, facts.thumbnail],
        )?;
        return Ok(Finished::OverQuota);
    }
    Ok(Finished::Ready(Box::new(file)))
}

fn insert_link(
    tx: &Connection,
    owner: UserId,
    key: FileKey,
    link: &Link,
) -> Result<File, StoreError> {
    tx.prepare_cached(
        "INSERT INTO files (key, owner_id, purpose, state, name, media_type, size, url, created_at, touched_at)
         VALUES (?1, ?2, 'message', 'ready', ?3, ?4, ?5, ?6, ?7, ?7)",
    )?
    .execute(params![
        key, owner, link.name.as_str(), link.media_type, to_sql(link.size),
        link.url.as_str(), Millis::now()
    ])?;
    one(tx, FileId(tx.last_insert_rowid()))?.ok_or(StoreError::Internal("a new link is missing"))
}

fn set_picture(
    tx: &Connection,
    room: RoomId,
    picture: Option<&(FileId, String)>,
) -> Result<bool, StoreError> {
    let (id, url) = picture.map(|(id, url)| (*id, url)).unzip();
    let set = tx
        .prepare_cached(
            "UPDATE rooms SET picture_url = ?2, updated_at = ?3 WHERE id = ?1 AND deleted_at IS NULL
             AND (?4 IS NULL OR EXISTS (SELECT 1 FROM files WHERE id = ?4 AND state = 'ready'))",
        )?
        .execute(params![room, url, Millis::now(), id])?;
    if set == 1 {
        tx.prepare_cached(
            "UPDATE files SET state = 'gone' WHERE room_id = ?1 AND state = 'ready' AND id IS NOT ?2",
        )?
        .execute(params![room, id])?;
    }
    Ok(set == 1)
}

fn used(db: &Connection, owner: UserId) -> Result<u64, StoreError> {
    const SQL: &str = "SELECT coalesce(sum(size), 0) FROM files
        WHERE owner_id = ?1 AND state IN ('uploading', 'ready') AND url IS NULL";
    Ok(db
        .prepare_cached(SQL)?
        .query_row([owner], |row| size(row, 0))?)
}

/// Whether a message of `owner` may attach these files, each once.
pub(super) fn are_free(
    tx: &Connection,
    files: &[FileId],
    owner: UserId,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM files WHERE id = ?1 AND owner_id = ?2 AND state = 'ready'
        AND purpose = 'message' AND message_id IS NULL";
    for (place, id) in files.iter().enumerate() {
        let is_free = tx.prepare_cached(SQL)?.exists(params![id, owner])?;
        if !is_free || files[..place].contains(id) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Attaches these files to `message` in this order, at positions from `first` on.
pub(super) fn attach(
    tx: &Connection,
    files: &[FileId],
    message: MessageId,
    first: u32,
) -> Result<Vec<File>, StoreError> {
    let mut attached = Vec::with_capacity(files.len());
    for (position, id) in (first..).zip(files) {
        tx.prepare_cached(
            "UPDATE files SET message_id = ?2, position = ?3
             WHERE id = ?1 OR id = (SELECT thumb_id FROM files WHERE id = ?1)",
        )?
        .execute(params![id, message, position])?;
        attached.extend(one(tx, *id)?);
    }
    Ok(attached)
}

/// Discards the files of a deleted message.
pub(super) fn drop_of_message(tx: &Connection, message: MessageId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE files SET state = 'gone' WHERE message_id = ?1")?
        .execute([message])?;
    Ok(())
}

/// Discards the files of the first `limit` messages of a room up to `through`, which are about to be removed.
pub(super) fn drop_of_messages(
    tx: &Connection,
    room: RoomId,
    through: MessageId,
    limit: u32,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE files SET state = 'gone' WHERE message_id IN
         (SELECT id FROM messages WHERE room_id = ?1 AND id <= ?2 ORDER BY id LIMIT ?3)",
    )?
    .execute(params![room, through, limit])?;
    Ok(())
}

/// Discards the picture of a deleted room.
pub(super) fn drop_of_room(tx: &Connection, room: RoomId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE files SET state = 'gone' WHERE room_id = ?1")?
        .execute([room])?;
    Ok(())
}

/// Discards the avatars of a deleted account.
pub(super) fn drop_avatars(tx: &Connection, owner: UserId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE files SET state = 'gone' WHERE owner_id = ?1 AND purpose = 'avatar'",
    )?
    .execute([owner])?;
    Ok(())
}

/// Fills in the attachments of messages.
pub(super) fn fill(db: &Connection, messages: &mut [Message]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT {FILE}, f.message_id FROM {TABLE} WHERE f.message_id IN (SELECT value FROM json_each(?1))
         AND f.purpose = 'message' AND f.state = 'ready' ORDER BY f.message_id, f.position"
    );
    let mut find = db.prepare_cached(&sql)?;
    let mut rows = find.query([json_list(messages.iter().map(|m| m.id))])?;
    while let Some(row) = rows.next()? {
        let of: MessageId = row.get(FILE_WIDTH)?;
        if let Some(message) = messages.iter_mut().find(|message| message.id == of) {
            message.files.push(from_row(row, 0)?);
        }
    }
    Ok(())
}

/// Columns of a file; the tables are those of [`TABLE`].
pub(super) const FILE: &str =
    "f.id, f.key, f.owner_id, f.name, f.media_type, f.size, f.width, f.height, f.url, f.created_at,
    t.id, t.key, t.name";
/// Number of columns in [`FILE`].
pub(super) const FILE_WIDTH: usize = 13;
/// A file and its thumbnail.
pub(super) const TABLE: &str = "files f LEFT JOIN files t ON t.id = f.thumb_id";

pub(super) fn one(db: &Connection, id: FileId) -> Result<Option<File>, StoreError> {
    let sql = format!("SELECT {FILE} FROM {TABLE} WHERE f.id = ?1");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id], |row| from_row(row, 0))
        .optional()?)
}

pub(super) fn from_row(row: &Row<'_>, at: usize) -> rusqlite::Result<File> {
    let thumbnail = match row.get(at + 10)? {
        Some(id) => Some(Thumbnail {
            id,
            key: row.get(at + 11)?,
            name: row.get(at + 12)?,
        }),
        None => None,
    };
    let dimensions = row.get::<_, Option<u32>>(at + 6)?;
    let dimensions = dimensions.zip(row.get::<_, Option<u32>>(at + 7)?);
    let url = link_url(row, at + 8)?;
    let (media_type, media) = media_of(row.get_ref(at + 4)?.as_str()?, dimensions, url.as_ref());
    Ok(File {
        id: row.get(at)?,
        key: row.get(at + 1)?,
        owner_id: row.get(at + 2)?,
        name: row.get(at + 3)?,
        media_type,
        media,
        size: size(row, at + 5)?,
        dimensions,
        thumbnail,
        url,
        created_at: row.get(at + 9)?,
    })
}

/// Returns the media type of a file and the properties found in its content. Earlier versions recognized and cleaned
/// only images, and stored nothing but their dimensions.
fn media_of(stored: &str, dimensions: Option<(u32, u32)>, url: Option<&WebUrl>) -> (String, Media) {
    if url.is_some() {
        return (stored.to_owned(), Media::default());
    }
    match Media::parse_stored(stored) {
        (media_type, media) if media == Media::default() && dimensions.is_some() => {
            (media_type.to_owned(), Media::picture())
        }
        (media_type, media) => (media_type.to_owned(), media),
    }
}

/// Reads the URL of a link. Replaces an invalid one, because a file without a URL would count as stored here.
fn link_url(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<WebUrl>> {
    let text: Option<String> = row.get(at)?;
    let link = |text: &String| WebUrl::stored(text).filter(|url| url.own_path().is_none());
    Ok(text.map(|text| link(&text).unwrap_or_else(WebUrl::unusable)))
}

/// SQLite's integers are signed.
pub(super) fn to_sql(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn size(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|size| size.max(0).unsigned_abs())
}
