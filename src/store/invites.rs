//! Tables `invites` and `password_links`: links identified by the hashes of their codes. Must not depend on who may
//! create one.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{Invite, InviteId, InviteRoom, Millis, RoomId, User, UserId};

use super::rows::{PERSON, PERSON_WIDTH, person};
use super::{Admission, NewUser, Store, StoreError, members, sessions, users};

/// SHA-256 of a code.
pub type CodeHash = [u8; 32];

/// An invite to create.
#[derive(Clone, Copy, Debug)]
pub struct NewInvite {
    pub code_hash: CodeHash,
    /// Room that it leads to, if any.
    pub room_id: Option<RoomId>,
    pub created_by: UserId,
    pub max_uses: u32,
    pub expires_at: Millis,
}

impl Store {
    /// Stores an invite; `None` if its room is deleted.
    pub async fn add_invite(&self, new: NewInvite) -> Result<Option<Invite>, StoreError> {
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO invites (code_hash, room_id, created_by, max_uses, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![new.code_hash, new.room_id, new.created_by, new.max_uses, Millis::now(), new.expires_at],
            )?;
            by_id(tx, InviteId(tx.last_insert_rowid()))
        })
        .await
    }

    /// Returns an invite; `None` if its room is deleted.
    pub async fn invite(&self, id: InviteId) -> Result<Option<Invite>, StoreError> {
        self.read(move |db| by_id(db, id)).await
    }

    /// Returns the invite with this code, even if it has expired or is used up.
    pub async fn invite_by_code(&self, hash: CodeHash) -> Result<Option<Invite>, StoreError> {
        self.read(move |db| one(db, "i.code_hash = ?1", params![hash]))
            .await
    }

    /// Returns invites with ids above `after`, by id: all of them, or those to rooms where `keeper` is moderator or
    /// owner.
    pub async fn invites(
        &self,
        keeper: Option<UserId>,
        after: InviteId,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        let sql = select(
            "i.id > ?1 AND (?2 IS NULL OR i.room_id IN
                 (SELECT room_id FROM members WHERE user_id = ?2 AND role IN ('moderator', 'owner')))
             ORDER BY i.id LIMIT ?3",
        );
        self.read(move |db| {
            let mut find = db.prepare_cached(&sql)?;
            let rows = find.query_map(params![after, keeper, limit], from_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Revokes an invite; `false` if it does not exist any more.
    pub async fn remove_invite(&self, id: InviteId) -> Result<bool, StoreError> {
        self.write(move |tx| Ok(tx.execute("DELETE FROM invites WHERE id = ?1", [id])? > 0))
            .await
    }

    /// Creates an account and adds it to the lobby, using the invite once; `None` if the invite is no longer valid.
    ///
    /// # Errors
    ///
    /// As [`Store::add_user`].
    pub async fn add_invited_user(
        &self,
        new: NewUser,
        code: CodeHash,
    ) -> Result<Option<User>, StoreError> {
        self.write(move |tx| match use_up(tx, code)? {
            true => users::add(tx, &new).map(Some),
            false => Ok(None),
        })
        .await
    }

    /// Adds a member to a room, using the invite once; [`Admission::Barred`] also if the invite is no longer valid.
    pub async fn add_invited_member(
        &self,
        room: RoomId,
        user: UserId,
        code: CodeHash,
    ) -> Result<Admission, StoreError> {
        self.write(move |tx| {
            let admission = members::admit(tx, room, user, false)?;
            if matches!(admission, Admission::Joined(_)) && !use_up(tx, code)? {
                tx.execute(
                    "DELETE FROM members WHERE room_id = ?1 AND user_id = ?2",
                    params![room, user],
                )?;
                return Ok(Admission::Barred);
            }
            Ok(admission)
        })
        .await
    }

    /// Stores a password reset link in place of any earlier one.
    pub async fn add_password_link(
        &self,
        user: UserId,
        code: CodeHash,
        expires_at: Millis,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO password_links VALUES (?1, ?2, ?3)",
                params![user, code, expires_at],
            )?;
            Ok(())
        })
        .await
    }

    /// Returns the account whose password this link resets, if the link is valid.
    pub async fn password_link(&self, code: CodeHash) -> Result<Option<UserId>, StoreError> {
        self.read(move |db| owner(db, code)).await
    }

    /// Uses a password reset link: sets the password, ends all sessions and returns the account. `None` if the link is
    /// no longer valid.
    pub async fn use_password_link(
        &self,
        code: CodeHash,
        password_hash: String,
    ) -> Result<Option<UserId>, StoreError> {
        self.write(move |tx| {
            let Some(user) = owner(tx, code)? else {
                return Ok(None);
            };
            // Also removes the link.
            users::set_password(tx, user, &password_hash)?;
            sessions::end_all(tx, user, None)?;
            Ok(Some(user))
        })
        .await
    }

    /// Removes expired invites and password reset links.
    pub async fn sweep_invites(&self) -> Result<(), StoreError> {
        self.write(|tx| {
            let now = Millis::now();
            tx.execute("DELETE FROM invites WHERE expires_at <= ?1", [now])?;
            tx.execute("DELETE FROM password_links WHERE expires_at <= ?1", [now])?;
            Ok(())
        })
        .await
    }
}

/// Counts one use; `false` if none is left or the invite has expired.
fn use_up(tx: &Connection, code: CodeHash) -> Result<bool, StoreError> {
    let used = tx.execute(
        "UPDATE invites SET used = used + 1 WHERE code_hash = ?1 AND used < max_uses AND expires_at > ?2",
        params![code, Millis::now()],
    )?;
    Ok(used > 0)
}

fn owner(db: &Connection, code: CodeHash) -> Result<Option<UserId>, StoreError> {
    const SQL: &str = "SELECT l.user_id FROM password_links l JOIN users u ON u.id = l.user_id
        WHERE l.code_hash = ?1 AND l.expires_at > ?2 AND u.deleted_at IS NULL";
    let mut find = db.prepare_cached(SQL)?;
    Ok(find
        .query_row(params![code, Millis::now()], |row| row.get(0))
        .optional()?)
}

/// Selects invites whose room, if any, is not deleted; `which` is a further condition.
fn select(which: &str) -> String {
    format!(
        "SELECT {PERSON}, i.id, i.room_id, r.kind, r.name, m.role, i.max_uses, i.used, i.created_at, i.expires_at
         FROM invites i JOIN users u ON u.id = i.created_by LEFT JOIN rooms r ON r.id = i.room_id
         LEFT JOIN members m ON m.room_id = i.room_id AND m.user_id = i.created_by
         WHERE r.deleted_at IS NULL AND {which}"
    )
}

fn by_id(db: &Connection, id: InviteId) -> Result<Option<Invite>, StoreError> {
    one(db, "i.id = ?1", params![id])
}

fn one(
    db: &Connection,
    which: &str,
    keys: &[&dyn rusqlite::ToSql],
) -> Result<Option<Invite>, StoreError> {
    let mut find = db.prepare_cached(&select(which))?;
    Ok(find.query_row(keys, from_row).optional()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Invite> {
    let at = PERSON_WIDTH;
    let room = match row.get(at + 1)? {
        Some(id) => Some(InviteRoom {
            id,
            kind: row.get(at + 2)?,
            name: row.get(at + 3)?,
        }),
        None => None,
    };
    Ok(Invite {
        created_by: person(row, 0)?,
        id: row.get(at)?,
        room,
        place: row.get(at + 4)?,
        max_uses: row.get(at + 5)?,
        used: row.get(at + 6)?,
        created_at: row.get(at + 7)?,
        expires_at: row.get(at + 8)?,
    })
}
