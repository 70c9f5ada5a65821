//! Removes invalid URLs that earlier versions stored.

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::model::WebUrl;

use super::StoreError;

/// Migration: removes avatars and room pictures with an invalid URL, and files whose URL is invalid or our own.
pub(super) fn clean(tx: &Connection) -> Result<(), StoreError> {
    for (find, change, own) in [
        (
            "SELECT id, avatar_url FROM users WHERE avatar_url IS NOT NULL",
            "UPDATE users SET avatar_url = NULL WHERE id = ?1",
            true,
        ),
        (
            "SELECT id, picture_url FROM rooms WHERE picture_url IS NOT NULL",
            "UPDATE rooms SET picture_url = NULL WHERE id = ?1",
            true,
        ),
        (
            "SELECT id, url FROM files WHERE url IS NOT NULL",
            "UPDATE files SET state = 'gone' WHERE id = ?1",
            false,
        ),
    ] {
        let mut find = tx.prepare(find)?;
        let all = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let all: Vec<(i64, Value)> = all.collect::<Result<_, _>>()?;
        for (id, value) in all {
            let url = match value {
                Value::Text(text) => WebUrl::stored(&text),
                _ => None,
            };
            if !url.is_some_and(|url| own || url.own_path().is_none()) {
                tx.prepare_cached(change)?.execute(params![id])?;
            }
        }
    }
    Ok(())
}
