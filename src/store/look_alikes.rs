//! Look-alike names in the table `users`.

use rusqlite::{Connection, params};

use crate::model::{ShownName, UserId, Username, are_alike, cut, look};

use super::{Store, StoreError};

impl Store {
    /// Whether a display name looks like the name of an account, as `check_display_name` defines it.
    pub async fn is_like_somebody(&self, name: ShownName) -> Result<bool, StoreError> {
        self.read(move |db| Ok(check_display_name(db, &name, None).is_err()))
            .await
    }
}

/// Refuses a username that looks like another one, also of a deleted account, or like a display name. The table itself
/// refuses one that is identical to another.
///
/// # Errors
///
/// `Conflict` on `username`.
pub(super) fn check_username(
    tx: &Connection,
    name: &Username,
    but: Option<UserId>,
) -> Result<(), StoreError> {
    let text = name.as_str();
    match is_like_username(tx, text, but, true)? || is_like_shown(tx, text, but)? {
        true => Err(StoreError::Conflict("username")),
        false => Ok(()),
    }
}

/// Refuses a display name that looks like the username or display name of another account that is not deleted.
///
/// # Errors
///
/// `Conflict` on `display_name`.
pub(super) fn check_display_name(
    tx: &Connection,
    name: &ShownName,
    but: Option<UserId>,
) -> Result<(), StoreError> {
    let text = name.as_str();
    match is_like_username(tx, text, but, false)? || is_like_shown(tx, text, but)? {
        true => Err(StoreError::Conflict("display_name")),
        false => Ok(()),
    }
}

fn is_like_username(
    db: &Connection,
    name: &str,
    but: Option<UserId>,
    ended_too: bool,
) -> Result<bool, StoreError> {
    let mut find = db.prepare_cached(
        "SELECT username FROM users WHERE username_look = ?1 AND id IS NOT ?2 AND (?3 OR deleted_at IS NULL)",
    )?;
    let names = find.query_map(params![look(name), but, ended_too], |row| {
        row.get::<_, String>(0)
    })?;
    any_alike(names, name)
}

/// Whether an account has a display name that looks like `name`.
fn is_like_shown(db: &Connection, name: &str, but: Option<UserId>) -> Result<bool, StoreError> {
    let mut find = db.prepare_cached(
        "SELECT display_name FROM users WHERE display_name <> username AND deleted_at IS NULL AND id IS NOT ?1",
    )?;
    let names = find.query_map([but], |row| row.get::<_, String>(0))?;
    any_alike(names, name)
}

fn is_like_admin(db: &Connection, name: &str, but: Option<UserId>) -> Result<bool, StoreError> {
    let mut find = db.prepare_cached(
        "SELECT display_name FROM users WHERE role = 'admin' AND deleted_at IS NULL AND id IS NOT ?1",
    )?;
    let names = find.query_map([but], |row| row.get::<_, String>(0))?;
    any_alike(names, name)
}

fn any_alike(
    names: impl Iterator<Item = rusqlite::Result<String>>,
    name: &str,
) -> Result<bool, StoreError> {
    for other in names {
        if are_alike(&other?, name) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Migration: recomputes `username_look` of all accounts, and appends the username to every display name that looks
/// like another username or like an admin's display name.
pub(super) fn renew_looks(tx: &Connection) -> Result<(), StoreError> {
    const ALL: &str = "SELECT id, username, display_name, deleted_at IS NOT NULL FROM users";
    let mut find = tx.prepare(ALL)?;
    let all = find.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let all: Vec<(UserId, String, String, bool)> = all.collect::<Result<_, _>>()?;
    for (id, username, ..) in &all {
        tx.prepare_cached("UPDATE users SET username_look = ?2 WHERE id = ?1")?
            .execute(params![id, look(username)])?;
    }
    for (id, username, shown, ended) in &all {
        let is_own = are_alike(shown, username) && look(shown) == look(username);
        let is_like_other =
            is_like_username(tx, shown, Some(*id), false)? || is_like_admin(tx, shown, Some(*id))?;
        if !*ended && !is_own && is_like_other {
            let marked = cut(shown, 48);
            tx.prepare_cached("UPDATE users SET display_name = ?2 WHERE id = ?1")?
                .execute(params![id, format!("{marked} ({username})")])?;
        }
    }
    Ok(())
}
