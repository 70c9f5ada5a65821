//! List of all accounts with their usage, for admins.

use rusqlite::{Connection, Row, params};

use crate::model::{Millis, User, UserId, name_key};

use super::rows::{PERSON, PERSON_WIDTH};
use super::{Store, StoreError, users};

/// An account and its usage.
#[derive(Clone, Debug)]
pub struct UserUsage {
    pub user: User,
    /// Latest use of any of its sessions, exact to about a minute; sessions that have ended do not count.
    pub last_seen: Option<Millis>,
    /// Number of open sessions.
    pub sessions: u32,
}

impl Store {
    /// Returns accounts with ids above `after`, by id, whose username, display name or e-mail address contains `query`.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn roster(
        &self,
        query: String,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<UserUsage>, StoreError> {
        self.read(move |db| list(db, &query, after, limit)).await
    }
}

fn list(
    db: &Connection,
    query: &str,
    after: UserId,
    limit: u32,
) -> Result<Vec<UserUsage>, StoreError> {
    let sql = format!(
        "SELECT {PERSON}, {rest}, (SELECT max(s.last_at) FROM sessions s WHERE s.user_id = u.id),
             (SELECT count(*) FROM sessions s WHERE s.user_id = u.id AND s.expires_at > ?3)
         FROM users u WHERE u.deleted_at IS NULL AND u.id > ?1 AND (instr(u.username_key, ?4) > 0
             OR instr(lower(u.display_name), ?4) > 0 OR instr(lower(u.email), ?4) > 0) ORDER BY u.id LIMIT ?2",
        rest = users::REST,
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(
        params![after, limit, Millis::now(), name_key(query)],
        from_row,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<UserUsage> {
    let use_at = PERSON_WIDTH + users::REST_WIDTH;
    Ok(UserUsage {
        user: users::from_row(row, 0)?,
        last_seen: row.get(use_at)?,
        sessions: row.get(use_at + 1)?,
    })
}
