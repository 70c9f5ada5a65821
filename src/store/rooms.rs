//! Table `rooms`: creates, changes, clears and deletes rooms.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use crate::model::{
    Key, MemberRole, MessageId, Millis, NewRoom, Person, Room, RoomEdit, RoomId, RoomKind,
    ShownName, UserId,
};

use super::error::OnConstraint;
use super::rows::address;
use super::{Store, StoreError, files, members, search_index, users};

/// Messages removed per transaction, during which new messages wait. Most of the work is removing their terms from the
/// search index.
const SWEEP: u32 = 100;

impl Store {
    /// Creates a room and its owner's membership.
    ///
    /// # Errors
    ///
    /// `Conflict` on `access_key`.
    pub async fn create_room(&self, new: NewRoom, owner: UserId) -> Result<Room, StoreError> {
        self.write(move |tx| create(tx, &new, owner)).await
    }

    /// Returns the direct room of two people, creating it if needed, and whether it is new; `None` if one of them is
    /// deleted.
    pub async fn direct_room(
        &self,
        a: UserId,
        b: UserId,
    ) -> Result<Option<(Room, bool)>, StoreError> {
        if let Some(room) = self.find_direct_room(a, b).await? {
            return Ok(Some((room, false)));
        }
        self.write(move |tx| direct(tx, a, b)).await
    }

    /// Returns the direct room of two people, if they have one.
    pub async fn find_direct_room(&self, a: UserId, b: UserId) -> Result<Option<Room>, StoreError> {
        self.read(move |db| one(db, "r.direct_key = ?1", params![direct_key(a, b)]))
            .await
    }

    /// Returns a room; `None` if it was deleted.
    pub async fn room(&self, id: RoomId) -> Result<Option<Room>, StoreError> {
        self.read(move |db| by_id(db, id)).await
    }

    /// Returns a room by its uuid; `None` if it was deleted.
    pub async fn room_by_uuid(&self, uuid: Uuid) -> Result<Option<Room>, StoreError> {
        self.read(move |db| one(db, "r.uuid = ?1", params![uuid]))
            .await
    }

    /// Returns the private room with this access key.
    pub async fn room_by_key(&self, key: Key) -> Result<Option<Room>, StoreError> {
        self.read(move |db| {
            let [typed, composed, apart] = key.stored_forms();
            one(
                db,
                "r.access_key IN (?1, ?2, ?3) AND r.kind = 'private'",
                params![typed, composed, apart],
            )
        })
        .await
    }

    /// Returns public rooms with ids above `after`, by id, each with its member count and whether `me` is a member.
    pub async fn public_rooms(
        &self,
        me: UserId,
        after: RoomId,
        limit: u32,
    ) -> Result<Vec<(Room, u32, bool)>, StoreError> {
        self.read(move |db| public(db, me, after, limit)).await
    }

    /// Changes a room; `None` if it was deleted.
    ///
    /// # Errors
    ///
    /// `Conflict` on `access_key`.
    pub async fn edit_room(&self, id: RoomId, edit: RoomEdit) -> Result<Option<Room>, StoreError> {
        self.write(move |tx| change(tx, id, &edit)).await
    }

    /// Hides all messages up to `through`; [`Store::sweep_rooms`] removes them.
    pub async fn clear_room(
        &self,
        id: RoomId,
        through: MessageId,
    ) -> Result<Option<Room>, StoreError> {
        self.write(move |tx| {
            tx.execute(
                "UPDATE rooms SET cleared_through = max(cleared_through, ?2), updated_at = ?3 WHERE id = ?1",
                params![id, through, Millis::now()],
            )?;
            by_id(tx, id)
        })
        .await
    }

    /// Deletes a room permanently; [`Store::sweep_rooms`] removes its rows.
    pub async fn delete_room(&self, id: RoomId) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute("DELETE FROM members WHERE room_id = ?1", [id])?;
            tx.execute(
                "UPDATE rooms SET deleted_at = ?2, access_key = NULL WHERE id = ?1",
                params![id, Millis::now()],
            )?;
            Ok(())
        })
        .await
    }

    /// Removes some of the messages that were cleared or whose room was deleted; `true` if more may be left.
    pub async fn sweep_rooms(&self) -> Result<bool, StoreError> {
        self.write(|tx| sweep(tx)).await
    }
}

fn create(tx: &Connection, new: &NewRoom, owner: UserId) -> Result<Room, StoreError> {
    let now = Millis::now();
    tx.prepare_cached(
        "INSERT INTO rooms (uuid, kind, name, description, owner_id, access_key, created_at, updated_at)
         VALUES (:uuid, :kind, :name, :description, :owner, :key, :now, :now)",
    )?
    .execute(named_params! {
        ":uuid": Uuid::new_v4(), ":kind": new.kind, ":name": new.name.as_str(), ":description": new.description,
        ":owner": owner, ":key": new.access_key.as_ref().map(Key::as_str), ":now": now,
    })
    .on_constraint("rooms.access_key", "access_key")?;
    let id = RoomId(tx.last_insert_rowid());
    members::insert(tx, id, owner, MemberRole::Owner)?;
    by_id(tx, id)?.ok_or(StoreError::Internal("a new room is missing"))
}

fn direct(tx: &Connection, a: UserId, b: UserId) -> Result<Option<(Room, bool)>, StoreError> {
    let key = direct_key(a, b);
    if let Some(room) = one(tx, "r.direct_key = ?1", params![key])? {
        return Ok(Some((room, false)));
    }
    if users::user(tx, a)?.is_none() || users::user(tx, b)?.is_none() {
        return Ok(None);
    }
    tx.execute(
        "INSERT INTO rooms (uuid, kind, name, direct_key, created_at, updated_at) VALUES (?1, 'direct', '', ?2, ?3, ?3)",
        params![Uuid::new_v4(), key, Millis::now()],
    )?;
    let id = RoomId(tx.last_insert_rowid());
    members::insert(tx, id, a, MemberRole::Member)?;
    members::insert(tx, id, b, MemberRole::Member)?;
    Ok(by_id(tx, id)?.map(|room| (room, true)))
}

fn direct_key(a: UserId, b: UserId) -> String {
    format!("{}:{}", a.min(b), a.max(b))
}

fn change(tx: &Connection, id: RoomId, edit: &RoomEdit) -> Result<Option<Room>, StoreError> {
    // Only private rooms have an access key.
    let opened = edit.kind == Some(RoomKind::Public);
    let key = edit
        .access_key
        .as_ref()
        .map(|key| key.as_ref().map(Key::as_str));
    tx.prepare_cached(
        "UPDATE rooms SET name = coalesce(:name, name), description = coalesce(:description, description),
             kind = coalesce(:kind, kind), updated_at = :now,
             access_key = CASE WHEN :opened THEN NULL WHEN :set_key THEN :key ELSE access_key END
         WHERE id = :id AND deleted_at IS NULL",
    )?
    .execute(named_params! {
        ":id": id, ":name": edit.name.as_ref().map(ShownName::as_str), ":description": edit.description,
        ":kind": edit.kind, ":now": Millis::now(), ":opened": opened,
        ":set_key": key.is_some(), ":key": key.flatten(),
    })
    .on_constraint("rooms.access_key", "access_key")?;
    by_id(tx, id)
}

fn sweep(tx: &Connection) -> Result<bool, StoreError> {
    const FIND: &str = "SELECT r.id, r.deleted_at IS NOT NULL, iif(r.deleted_at IS NULL, r.cleared_through, 9223372036854775807) FROM rooms r
        WHERE r.deleted_at IS NOT NULL OR r.cleared_through > 0
        AND EXISTS (SELECT 1 FROM messages m WHERE m.room_id = r.id AND m.id <= r.cleared_through) LIMIT 1";
    let found = tx
        .prepare_cached(FIND)?
        .query_row([], |row| {
            Ok((
                row.get::<_, RoomId>(0)?,
                row.get::<_, bool>(1)?,
                row.get::<_, MessageId>(2)?,
            ))
        })
        .optional()?;
    let Some((room, deleted, through)) = found else {
        return Ok(false);
    };
    // First: the terms come from the texts and the names of the files.
    search_index::remove_oldest(tx, room, through, SWEEP)?;
    files::drop_of_messages(tx, room, through, SWEEP)?;
    const OLDEST: &str =
        "SELECT id FROM messages WHERE room_id = ?1 AND id <= ?2 ORDER BY id LIMIT ?3";
    let removed = tx
        .prepare_cached(&format!("DELETE FROM messages WHERE id IN ({OLDEST})"))?
        .execute(params![room, through, SWEEP])?;
    if deleted && removed == 0 {
        files::drop_of_room(tx, room)?;
        tx.execute("DELETE FROM rooms WHERE id = ?1", [room])?;
    }
    Ok(true)
}

fn public(
    db: &Connection,
    me: UserId,
    after: RoomId,
    limit: u32,
) -> Result<Vec<(Room, u32, bool)>, StoreError> {
    let sql = format!(
        "SELECT {ROOM}, (SELECT count(*) FROM members m WHERE m.room_id = r.id),
             EXISTS (SELECT 1 FROM members m WHERE m.room_id = r.id AND m.user_id = ?1)
         FROM rooms r WHERE r.kind = 'public' AND r.deleted_at IS NULL AND r.id > ?2 ORDER BY r.id LIMIT ?3"
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(params![me, after, limit], |row| {
        Ok((
            from_row(row)?,
            row.get(ROOM_WIDTH)?,
            row.get(ROOM_WIDTH + 1)?,
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Columns of a room; the table has the alias `r`.
pub(super) const ROOM: &str = "r.id, r.uuid, r.kind, r.name, r.description, r.owner_id, r.access_key, r.picture_url, r.cleared_through, r.created_at, r.updated_at";
/// Number of columns in [`ROOM`].
pub(super) const ROOM_WIDTH: usize = 11;

pub(super) fn by_id(db: &Connection, id: RoomId) -> Result<Option<Room>, StoreError> {
    one(db, "r.id = ?1", params![id])
}

fn one(
    db: &Connection,
    which: &str,
    keys: &[&dyn rusqlite::ToSql],
) -> Result<Option<Room>, StoreError> {
    let sql = format!("SELECT {ROOM} FROM rooms r WHERE {which} AND r.deleted_at IS NULL");
    let Some(mut room) = db
        .prepare_cached(&sql)?
        .query_row(keys, from_row)
        .optional()?
    else {
        return Ok(None);
    };
    room.people = people(db, &room)?;
    Ok(Some(room))
}

/// Returns the two people of a direct room; empty for other rooms.
pub(super) fn people(db: &Connection, room: &Room) -> Result<Vec<Arc<Person>>, StoreError> {
    if room.kind != RoomKind::Direct {
        return Ok(Vec::new());
    }
    Ok(members::list(db, room.id, UserId(0), 2)?
        .into_iter()
        .map(|member| member.person)
        .collect())
}

/// Reads a room without its people.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Room> {
    let key: Option<String> = row.get(6)?;
    Ok(Room {
        id: row.get(0)?,
        uuid: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        owner_id: row.get(5)?,
        // The key was parsed before it was stored.
        access_key: key.and_then(|key| Key::parse(&key).ok()),
        people: Vec::new(),
        picture_url: address(row, 7)?,
        cleared_through: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}
