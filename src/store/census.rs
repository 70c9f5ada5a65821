//! The server as a whole, for whoever runs it: all rooms, and how much there is of everything.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Millis, Person, Role, Room, RoomId};

use super::rooms::{ROOM, ROOM_WIDTH, from_row};
use super::rows::{PERSON, person};
use super::words::DAY;
use super::{Store, StoreError};

/// A room as those see it who run the server: who and how much, not what.
#[derive(Clone, Debug)]
pub struct RoomStanding {
    /// The room; none is direct.
    pub room: Room,
    /// Who owns it.
    pub owner: Option<Arc<Person>>,
    /// How many people are in it.
    pub members: u32,
    /// When the newest message was written.
    pub last_at: Option<Millis>,
}

/// How much there is.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Living accounts: guests, users, admins.
    pub people: [i64; 3],
    /// Rooms that are not direct.
    pub rooms: i64,
    /// Messages of each of the days (UTC) that were asked for, the last is today.
    pub days: Vec<(Millis, i64)>,
    /// Bytes of the database without what waits to be written into it.
    pub database: i64,
    /// Bytes in it that are free to be used again.
    pub free: i64,
    /// Files that are kept.
    pub files: i64,
    /// Their bytes.
    pub file_bytes: i64,
    /// SQLite's version.
    pub sqlite: &'static str,
    /// The version of the tables.
    pub schema: i64,
}

impl Store {
    /// The newest time at which somebody wrote a message or used a session, if ever.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    pub async fn newest_time(&self) -> Result<Option<Millis>, StoreError> {
        const SQL: &str = "SELECT max(at) FROM (SELECT max(last_at) AS at FROM sessions UNION ALL
            SELECT * FROM (SELECT created_at FROM messages ORDER BY id DESC LIMIT 1))";
        self.read(|db| Ok(db.query_row(SQL, [], |row| row.get(0))?))
            .await
    }

    /// Rooms that are not direct, by id after `after`.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    pub async fn all_rooms(
        &self,
        after: RoomId,
        limit: u32,
    ) -> Result<Vec<RoomStanding>, StoreError> {
        self.read(move |db| rooms(db, after, limit)).await
    }

    /// How much there is, and how much was said on each of the last `days`.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    pub async fn census(&self, days: u32) -> Result<Census, StoreError> {
        self.read(move |db| census(db, days)).await
    }
}

fn rooms(db: &Connection, after: RoomId, limit: u32) -> Result<Vec<RoomStanding>, StoreError> {
    let sql = format!(
        "SELECT {ROOM}, (SELECT count(*) FROM members m WHERE m.room_id = r.id),
             (SELECT m.created_at FROM messages m WHERE m.room_id = r.id ORDER BY m.id DESC LIMIT 1)
         FROM rooms r WHERE r.kind <> 'direct' AND r.deleted_at IS NULL AND r.id > ?1 ORDER BY r.id LIMIT ?2"
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(params![after, limit], |row| {
        Ok(RoomStanding {
            room: from_row(row)?,
            owner: None,
            members: row.get(ROOM_WIDTH)?,
            last_at: row.get(ROOM_WIDTH + 1)?,
        })
    })?;
    let mut found: Vec<RoomStanding> = rows.collect::<Result<_, _>>()?;
    let owner = format!("SELECT {PERSON} FROM users u WHERE u.id = ?1");
    let mut owner = db.prepare_cached(&owner)?;
    for standing in &mut found {
        let id = standing.room.owner_id;
        standing.owner = owner.query_row([id], |row| person(row, 0)).optional()?;
    }
    Ok(found)
}

fn census(db: &Connection, days: u32) -> Result<Census, StoreError> {
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
    Ok(Census {
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

/// What was said on each day. Only the messages between a day's first and last are looked at.
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
