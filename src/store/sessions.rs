//! The table `sessions`: who is logged in where.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use crate::model::{Millis, SessionId, User, UserId};

use super::rows::PERSON;
use super::{Store, StoreError, users};

/// A login to be remembered.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Who logged in.
    pub user_id: UserId,
    /// The dialect it was done in, or `web`.
    pub kind: &'static str,
    /// SHA-256 of the cookie's value.
    pub cookie_hash: Option<[u8; 32]>,
    /// The id of the refresh token that goes with it.
    pub refresh_jti: Option<Uuid>,
    /// When it ends unless it is used.
    pub expires_at: Millis,
    /// Where it was done.
    pub ip: String,
    /// With what.
    pub user_agent: String,
    /// The password hash that was checked; `None` if the login needs no password.
    pub checked: Option<CheckedHash>,
}

/// A password hash that a login was checked against. If it is no longer the account's, the login is worth nothing.
#[derive(Clone, Debug)]
pub struct CheckedHash {
    /// The hash.
    pub hash: String,
    /// What replaces it: the same password, hashed as new ones are.
    pub renewed: Option<String>,
}

/// A session that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The session.
    pub session: Session,
    /// Older ones that ended for it: an account has at most `SESSIONS_MAX`.
    pub ended: Vec<SessionId>,
}

/// The most sessions of one account.
pub const SESSIONS_MAX: u32 = 50;

/// A login that still counts.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Its uuid, from which the page's form token is made.
    pub uuid: Uuid,
    /// The dialect it was opened in, or `web`.
    pub kind: String,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used, a minute more or less.
    pub last_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
    /// Where from.
    pub ip: String,
    /// With what.
    pub user_agent: String,
}

/// What a refresh token is worth.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// It was good; this is the id of the one that is good now.
    Good(Uuid),
    /// It was used before: the session has been ended.
    Reused,
    /// There is no such session.
    Missing,
}

impl Store {
    /// Remembers a login; `None` if the account has ended or its password is another by now.
    pub async fn open_session(&self, new: NewSession) -> Result<Option<Opened>, StoreError> {
        self.write(move |tx| open(tx, &new)).await
    }

    /// The session of that number with its account, if both still count.
    pub async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.read(move |db| find(db, "s.id = ?1", params![id, Millis::now()]))
            .await
    }

    /// The session whose cookie has that hash.
    pub async fn session_by_cookie(
        &self,
        hash: [u8; 32],
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.read(move |db| find(db, "s.cookie_hash = ?1", params![hash, Millis::now()]))
            .await
    }

    /// Somebody's sessions, oldest first.
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

    /// Which of these sessions no longer count, each with its account's number.
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

    /// Notes that a session is in use and when it will end.
    pub async fn touch_session(&self, id: SessionId, expires_at: Millis) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("UPDATE sessions SET last_at = ?2, expires_at = ?3 WHERE id = ?1")?
                .execute(params![id, Millis::now(), expires_at])?;
            Ok(())
        })
        .await
    }

    /// Trades a refresh token for the next one, `next`; the one before stays good until `grace` ago.
    pub async fn rotate(
        &self,
        id: SessionId,
        jti: Uuid,
        next: Uuid,
        grace: Millis,
    ) -> Result<Rotation, StoreError> {
        self.write(move |tx| rotate(tx, id, jti, next, grace)).await
    }

    /// Ends one session of somebody; `false` if it was none of theirs.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Ok(tx.execute(
                "DELETE FROM sessions WHERE id = ?1 AND user_id = ?2",
                params![id, user],
            )? > 0)
        })
        .await
    }

    /// Ends all sessions of somebody but `keep`.
    pub async fn end_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| end_all(tx, user, keep)).await
    }

    /// Removes sessions that have run out.
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

/// Ends all sessions of somebody but `keep`.
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

/// Whether the account lives and its password is the one that was checked; renews the hash on the way.
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

/// Ends the sessions of somebody that were not used for the longest time, where there are too many.
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

/// What a session is made of.
const SESSION: &str =
    "s.id, s.uuid, s.kind, s.created_at, s.last_at, s.expires_at, s.ip, s.user_agent";
/// How many columns [`SESSION`] has.
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
