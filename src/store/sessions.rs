//! Table `sessions`.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use crate::model::{Millis, SessionId, User, UserId};

use super::rows::PERSON;
use super::{Store, StoreError, users};

/// A session to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub user_id: UserId,
    /// Dialect of the login, or `web`.
    pub kind: &'static str,
    /// SHA-256 of the cookie's value.
    pub cookie_hash: Option<[u8; 32]>,
    /// Id (`jti`) of the refresh token that belongs to it.
    pub refresh_jti: Option<Uuid>,
    /// Expiry time unless the session is used.
    pub expires_at: Millis,
    pub ip: String,
    pub user_agent: String,
    /// Password hash that was checked; `None` if the login needs no password.
    pub checked: Option<CheckedHash>,
}

/// Password hash that a login was checked against. If it is no longer the account's hash, the login fails.
#[derive(Clone, Debug)]
pub struct CheckedHash {
    pub hash: String,
    /// Replacement: the same password, hashed with the current parameters.
    pub renewed: Option<String>,
}

/// Result of opening a session.
#[derive(Clone, Debug)]
pub struct Opened {
    pub session: Session,
    /// Older sessions that were ended: an account has at most `SESSIONS_MAX`.
    pub ended: Vec<SessionId>,
}

/// Maximum number of sessions per account.
pub const SESSIONS_MAX: u32 = 50;

/// A session that has not ended.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    /// Source of the page's form token.
    pub uuid: Uuid,
    /// Dialect of the login, or `web`.
    pub kind: String,
    pub created_at: Millis,
    /// Time of last use, exact to about a minute.
    pub last_at: Millis,
    pub expires_at: Millis,
    pub ip: String,
    pub user_agent: String,
}

/// Outcome of using a refresh token.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// The token was valid; holds the id of the one that is valid now.
    Good(Uuid),
    /// The token was used before: the session has been ended.
    Reused,
    /// There is no such session, or it has expired.
    Missing,
}

impl Store {
    /// Opens a session; `None` if the account was deleted or its password has changed since it was checked.
    pub async fn open_session(&self, new: NewSession) -> Result<Option<Opened>, StoreError> {
        self.write(move |tx| open(tx, &new)).await
    }

    /// Returns a session with its account, if both are valid.
    pub async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.read(move |db| find(db, "s.id = ?1", params![id, Millis::now()]))
            .await
    }

    /// Returns the session whose cookie has this SHA-256, with its account.
    pub async fn session_by_cookie(
        &self,
        hash: [u8; 32],
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.read(move |db| find(db, "s.cookie_hash = ?1", params![hash, Millis::now()]))
            .await
    }

    /// Returns the sessions of an account, oldest first.
    pub async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let sql = format!(
            "SELECT {SESSION} FROM sessions s WHERE s.user_id = ?1 AND s.expires_at > ?2 ORDER BY s.id"
        );
        self.read(move |db| {
            let mut find = db.prepare_cached(&sql)?;
            let rows = find.query_map(params![user, Millis::now()], |row| from_row(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Returns those of these sessions that are no longer valid.
    pub async fn ended_sessions(&self, open: Vec<SessionId>) -> Result<Vec<SessionId>, StoreError> {
        self.read(move |db| {
            let now = Millis::now();
            let mut find =
                db.prepare_cached("SELECT 1 FROM sessions WHERE id = ?1 AND expires_at > ?2")?;
            let mut ended = Vec::new();
            for id in open {
                if !find.exists(params![id, now])? {
                    ended.push(id);
                }
            }
            Ok(ended)
        })
        .await
    }

    /// Records the use of a session and its new expiry time.
    pub async fn touch_session(&self, id: SessionId, expires_at: Millis) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("UPDATE sessions SET last_at = ?2, expires_at = ?3 WHERE id = ?1")?
                .execute(params![id, Millis::now(), expires_at])?;
            Ok(())
        })
        .await
    }

    /// Replaces a refresh token by `next`. The token before it stays valid if the last replacement was not before
    /// `grace`.
    pub async fn rotate(
        &self,
        id: SessionId,
        jti: Uuid,
        next: Uuid,
        grace: Millis,
    ) -> Result<Rotation, StoreError> {
        self.write(move |tx| rotate(tx, id, jti, next, grace)).await
    }

    /// Ends a session of an account; `false` if it belongs to another one.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Ok(tx.execute(
                "DELETE FROM sessions WHERE id = ?1 AND user_id = ?2",
                params![id, user],
            )? > 0)
        })
        .await
    }

    /// Ends all sessions of an account but `keep`.
    pub async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| end_all(tx, user, keep)).await
    }

    /// Removes expired sessions.
    pub async fn sweep_sessions(&self) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM sessions WHERE expires_at <= ?1",
                [Millis::now()],
            )?;
            Ok(())
        })
        .await
    }
}

/// Ends all sessions of an account but `keep`.
pub(super) fn end_all(
    tx: &Connection,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2",
        params![user, keep],
    )?;
    Ok(())
}

fn open(tx: &Connection, new: &NewSession) -> Result<Option<Opened>, StoreError> {
    if !is_still_right(tx, new.user_id, new.checked.as_ref())? {
        return Ok(None);
    }
    tx.prepare_cached(
        "INSERT INTO sessions (uuid, user_id, kind, cookie_hash, refresh_jti, created_at, last_at, expires_at, ip, user_agent)
         VALUES (:uuid, :user, :kind, :cookie, :jti, :now, :now, :expires, :ip, :agent)",
    )?
    .execute(named_params! {
        ":uuid": Uuid::new_v4(), ":user": new.user_id, ":kind": new.kind, ":cookie": new.cookie_hash,
        ":jti": new.refresh_jti, ":now": Millis::now(), ":expires": new.expires_at, ":ip": new.ip, ":agent": new.user_agent,
    })?;
    let id = SessionId(tx.last_insert_rowid());
    let sql = format!("SELECT {SESSION} FROM sessions s WHERE s.id = ?1");
    let session = tx
        .prepare_cached(&sql)?
        .query_row([id], |row| from_row(row, 0))?;
    let ended = end_least_used(tx, new.user_id, id)?;
    Ok(Some(Opened { session, ended }))
}

/// Whether the account exists and its password is the one that was checked; also stores a renewed hash.
fn is_still_right(
    tx: &Connection,
    user: UserId,
    checked: Option<&CheckedHash>,
) -> Result<bool, StoreError> {
    const FIND: &str = "SELECT password_hash FROM users WHERE id = ?1 AND deleted_at IS NULL";
    let hash: Option<Option<String>> = tx
        .prepare_cached(FIND)?
        .query_row([user], |row| row.get(0))
        .optional()?;
    let (Some(hash), Some(checked)) = (&hash, checked) else {
        return Ok(hash.is_some());
    };
    if hash.as_ref() != Some(&checked.hash) {
        return Ok(false);
    }
    if let Some(renewed) = &checked.renewed {
        tx.prepare_cached("UPDATE users SET password_hash = ?2 WHERE id = ?1")?
            .execute(params![user, renewed])?;
    }
    Ok(true)
}

/// Ends the least recently used sessions of an account that has too many.
fn end_least_used(
    tx: &Connection,
    user: UserId,
    but: SessionId,
) -> Result<Vec<SessionId>, StoreError> {
    const END: &str =
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = ?1 AND id <> ?2
        ORDER BY last_at DESC, id DESC LIMIT -1 OFFSET ?3) RETURNING id";
    let mut end = tx.prepare_cached(END)?;
    let ended = end.query_map(params![user, but, SESSIONS_MAX - 1], |row| row.get(0))?;
    Ok(ended.collect::<Result<_, _>>()?)
}

fn rotate(
    tx: &Connection,
    id: SessionId,
    jti: Uuid,
    next: Uuid,
    grace: Millis,
) -> Result<Rotation, StoreError> {
    const FIND: &str = "SELECT refresh_jti, refresh_prev, refreshed_at FROM sessions WHERE id = ?1 AND expires_at > ?2";
    let known = tx
        .prepare_cached(FIND)?
        .query_row(params![id, Millis::now()], |row| {
            Ok((
                row.get::<_, Option<Uuid>>(0)?,
                row.get::<_, Option<Uuid>>(1)?,
                row.get::<_, Millis>(2)?,
            ))
        })
        .optional()?;
    let Some((current, previous, refreshed_at)) = known else {
        return Ok(Rotation::Missing);
    };
    if current == Some(jti) {
        tx.prepare_cached("UPDATE sessions SET refresh_jti = ?2, refresh_prev = ?3, refreshed_at = ?4 WHERE id = ?1")?
            .execute(params![id, next, jti, Millis::now()])?;
        return Ok(Rotation::Good(next));
    }
    match current {
        Some(current) if previous == Some(jti) && refreshed_at >= grace => {
            Ok(Rotation::Good(current))
        }
        _ => {
            tx.execute("DELETE FROM sessions WHERE id = ?1", [id])?;
            Ok(Rotation::Reused)
        }
    }
}

/// Columns of a session; the table has the alias `s`.
const SESSION: &str =
    "s.id, s.uuid, s.kind, s.created_at, s.last_at, s.expires_at, s.ip, s.user_agent";
/// Number of columns in [`SESSION`].
const SESSION_WIDTH: usize = 8;

fn find(
    db: &Connection,
    which: &str,
    keys: &[&dyn rusqlite::ToSql],
) -> Result<Option<(Session, User)>, StoreError> {
    let sql = format!(
        "SELECT {SESSION}, {PERSON}, {rest} FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE {which} AND s.expires_at > ?2 AND u.deleted_at IS NULL",
        rest = users::REST,
    );
    let mut find = db.prepare_cached(&sql)?;
    let row = find.query_row(keys, |row| {
        Ok((from_row(row, 0)?, users::from_row(row, SESSION_WIDTH)?))
    });
    Ok(row.optional()?)
}

fn from_row(row: &Row<'_>, at: usize) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(at)?,
        uuid: row.get(at + 1)?,
        kind: row.get(at + 2)?,
        created_at: row.get(at + 3)?,
        last_at: row.get(at + 4)?,
        expires_at: row.get(at + 5)?,
        ip: row.get(at + 6)?,
        user_agent: row.get(at + 7)?,
    })
}
