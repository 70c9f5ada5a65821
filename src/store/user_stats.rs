//! Statistics of one account.

use rusqlite::{Connection, params};

use crate::model::UserId;

use super::{Store, StoreError, search_index};

/// Message and room counts of one account; lobby and direct rooms do not count as rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStats {
    /// Messages that still exist, in all rooms.
    pub messages: u32,
    pub private_owned: u32,
    pub public_owned: u32,
    /// Includes the rooms it owns.
    pub private_in: u32,
    /// Includes the rooms it owns.
    pub public_in: u32,
}

impl Store {
    /// Counts the messages and rooms of an account.
    pub async fn tally(&self, user: UserId) -> Result<UserStats, StoreError> {
        self.read(move |db| tally(db, user)).await
    }
}

fn tally(db: &Connection, user: UserId) -> Result<UserStats, StoreError> {
    // Uses the search index: an index of its own would cost more with every message than this occasional query does.
    const MESSAGES: &str = "SELECT count(*) FROM words w JOIN messages m ON m.id = w.rowid JOIN rooms r ON r.id = m.room_id
        WHERE w.words MATCH ?1 AND r.deleted_at IS NULL AND m.id > r.cleared_through";
    const ROOMS: &str = "SELECT count(*) FILTER (WHERE r.kind = 'private' AND r.owner_id = ?1),
            count(*) FILTER (WHERE r.kind = 'public' AND r.owner_id = ?1),
            count(*) FILTER (WHERE r.kind = 'private'), count(*) FILTER (WHERE r.kind = 'public')
        FROM members m JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ?1 AND r.deleted_at IS NULL";
    let messages = db.prepare_cached(MESSAGES)?.query_row(
        [search_index::quote(&search_index::of_sender(user))],
        |row| row.get(0),
    )?;
    let mut rooms = db.prepare_cached(ROOMS)?;
    Ok(rooms.query_row(params![user], |row| {
        Ok(UserStats {
            messages,
            private_owned: row.get(0)?,
            public_owned: row.get(1)?,
            private_in: row.get(2)?,
            public_in: row.get(3)?,
        })
    })?)
}
