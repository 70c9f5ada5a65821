//! Server statistics and the list of all rooms, for admins.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Millis, Person, Role, Room, RoomId};

use super::rooms::{ROOM, ROOM_WIDTH, from_row};
use super::rows::{PERSON, person};
use super::search_index::DAY;
use super::{Store, StoreError};

/// A room as admins see it: people and figures, no content.
#[derive(Clone, Debug)]
pub struct RoomSummary {
    /// Never a direct room.
    pub room: Room,
    pub owner: Option<Arc<Person>>,
    /// Number of members.
    pub members: u32,
    /// Time of the newest message.
    pub last_at: Option<Millis>,
}

/// Server statistics.
#[derive(Clone, Debug, Default)]
pub struct ServerStats {
    /// Accounts that are not deleted: guests, users, admins.
    pub people: [i64; 3],
    /// Number of rooms, without direct ones.
    pub rooms: i64,
    /// Messages on each requested day (UTC); the last day is today.
    pub days: Vec<(Millis, i64)>,
    /// Bytes of the database, without what is still in the WAL.
    pub database: i64,
    /// Bytes in it that are free for reuse.
    pub free: i64,
    /// Number of stored files.
    pub files: i64,
    /// Their total size in bytes.
    pub file_bytes: i64,
    pub sqlite: &'static str,
    /// Schema version.
    pub schema: i64,
}

impl Store {
    /// Returns the newest time at which a message was written or a session was used, if any.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn newest_time(&self) -> Result<Option<Millis>, StoreError> {
        const SQL: &str = "SELECT max(at) FROM (SELECT max(last_at) AS at FROM sessions UNION ALL
            SELECT * FROM (SELECT created_at FROM messages ORDER BY id DESC LIMIT 1))";
        self.read(|db| Ok(db.query_row(SQL, [], |row| row.get(0))?))
            .await
    }

    /// Returns rooms that are not direct, with ids above `after`, by id.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn all_rooms(
        &self,
        after: RoomId,
        limit: u32,
    ) -> Result<Vec<RoomSummary>, StoreError> {
        self.read(move |db| rooms(db, after, limit)).await
    }

    /// Returns server statistics, with the number of messages on each of the last `days`.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn census(&self, days: u32) -> Result<ServerStats, StoreError> {
        self.read(move |db| census(db, days)).await
    }
}

fn rooms(db: &Connection, after: RoomId, limit: u32) -> Result<Vec<RoomSummary>, StoreError> {
    let sql = format!(
        "SELECT {ROOM}, (SELECT count(*) FROM members m WHERE m.room_id = r.id),
             (SELECT m.created_at FROM messages m WHERE m.room_id = r.id ORDER BY m.id DESC LIMIT 1)
         FROM rooms r WHERE r.kind <> 'direct' AND r.deleted_at IS NULL AND r.id > ?1 ORDER BY r.id LIMIT ?2"
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(params![after, limit], |row| {
        Ok(RoomSummary {
            room: from_row(row)?,
            owner: None,
            members: row.get(ROOM_WIDTH)?,
            last_at: row.get(ROOM_WIDTH + 1)?,
        })
    })?;
    let mut found: Vec<RoomSummary> = rows.collect::<Result<_, _>>()?;
    let owner = format!("SELECT {PERSON} FROM users u WHERE u.id = ?1");
    let mut owner = db.prepare_cached(&owner)?;
    for standing in &mut found {
        let id = standing.room.owner_id;
        standing.owner = owner.query_row([id], |row| person(row, 0)).optional()?;
    }
    Ok(found)
}

fn census(db: &Connection, days: u32) -> Result<ServerStats, StoreError> {
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let of_role = |role: Role| {
        db.query_row(
            "SELECT count(*) FROM users WHERE role = ?1 AND deleted_at IS NULL",
            [role],
            |row| row.get(0),
        )
    };
    let page = number("PRAGMA page_size")?;
    const FILES: &str = "FROM files WHERE state = 'ready' AND url IS NULL";
    Ok(ServerStats {
        people: [
            of_role(Role::Guest)?,
            of_role(Role::User)?,
            of_role(Role::Admin)?,
        ],
        rooms: number("SELECT count(*) FROM rooms WHERE kind <> 'direct' AND deleted_at IS NULL")?,
        days: said(db, days)?,
        database: number("PRAGMA page_count")? * page,
        free: number("PRAGMA freelist_count")? * page,
        files: number(&format!("SELECT count(*) {FILES}"))?,
        file_bytes: number(&format!("SELECT coalesce(sum(size), 0) {FILES}"))?,
        sqlite: rusqlite::version(),
        schema: db.query_row("PRAGMA user_version", [], |row| row.get(0))?,
    })
}

/// Counts the messages of each day. Reads only the messages between a day's first and last id.
fn said(db: &Connection, days: u32) -> Result<Vec<(Millis, i64)>, StoreError> {
    const COUNT: &str = "SELECT count(*) FROM days d JOIN messages m ON m.id BETWEEN d.first_id AND d.last_id
        WHERE d.day = ?1 AND m.created_at BETWEEN ?1 * ?2 AND (?1 + 1) * ?2 - 1 AND m.deleted_at IS NULL";
    let today = Millis::now().0.div_euclid(DAY);
    let mut count = db.prepare_cached(COUNT)?;
    (0..i64::from(days))
        .rev()
        .map(|ago| {
            let day = today - ago;
            let said = count.query_row(params![day, DAY], |row| row.get(0))?;
            Ok((Millis(day * DAY), said))
        })
        .collect()
}
