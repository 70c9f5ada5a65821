//! Lists of accounts from the table `users`.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Person, Role, User, UserId, name_key};

use super::rows::{PERSON, person};
use super::users::{REST, from_row};
use super::{Store, StoreError};

impl Store {
    /// Returns accounts with ids above `after`, by id, whose username or display name contains `query`.
    pub async fn users(
        &self,
        query: String,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        self.read(move |db| list(db, &query, after, limit)).await
    }

    /// Returns these people, each once; includes deleted accounts.
    pub async fn people(&self, ids: Vec<UserId>) -> Result<Vec<Arc<Person>>, StoreError> {
        let sql = format!("SELECT {PERSON} FROM users u WHERE u.id = ?1");
        self.read(move |db| {
            let mut find = db.prepare_cached(&sql)?;
            let ids: BTreeSet<_> = ids.into_iter().collect();
            let found = ids
                .into_iter()
                .map(|id| find.query_row([id], |row| person(row, 0)).optional());
            Ok(found
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Returns accounts of a role with ids above `after`, by id.
    pub async fn users_of_role(
        &self,
        role: Role,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let sql = format!(
            "SELECT {PERSON}, {REST} FROM users u WHERE u.role = ?1 AND u.deleted_at IS NULL AND u.id > ?2
             ORDER BY u.id LIMIT ?3"
        );
        self.read(move |db| {
            let mut find = db.prepare_cached(&sql)?;
            let rows = find.query_map(params![role, after, limit], |row| from_row(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn list(db: &Connection, query: &str, after: UserId, limit: u32) -> Result<Vec<User>, StoreError> {
    let sql = format!(
        "SELECT {PERSON}, {REST} FROM users u WHERE u.deleted_at IS NULL AND u.id > ?1
         AND (instr(u.username_key, ?2) > 0 OR instr(lower(u.display_name), ?2) > 0) ORDER BY u.id LIMIT ?3"
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(params![after, name_key(query), limit], |row| {
        from_row(row, 0)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
