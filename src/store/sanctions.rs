//! Table `sanctions`: mutes and bans. They belong to a room and a person, whether or not that person is a member.

use rusqlite::{Connection, params};

use crate::model::{Millis, RoomId, UserId};

use super::{Store, StoreError};

impl Store {
    /// Removes the sanctions against a deleted account.
    pub async fn drop_sanctions(&self, user: UserId) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute("DELETE FROM sanctions WHERE user_id = ?1", [user])?;
            Ok(())
        })
        .await
    }
}

/// Mutes a person until this time; 0 lifts the mute.
pub(super) fn mute(
    tx: &Connection,
    room: RoomId,
    user: UserId,
    until: Millis,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO sanctions (room_id, user_id, muted_until) VALUES (?1, ?2, ?3)
         ON CONFLICT (room_id, user_id) DO UPDATE SET muted_until = excluded.muted_until",
    )?
    .execute(params![room, user, until])?;
    tidy(tx, room, user)
}

/// Bans a person from rejoining by themselves while the room is private.
pub(super) fn bar(tx: &Connection, room: RoomId, user: UserId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO sanctions (room_id, user_id, barred) VALUES (?1, ?2, 1)
         ON CONFLICT (room_id, user_id) DO UPDATE SET barred = 1",
    )?
    .execute(params![room, user])?;
    Ok(())
}

/// Lifts a ban.
pub(super) fn lift_bar(tx: &Connection, room: RoomId, user: UserId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE sanctions SET barred = 0 WHERE room_id = ?1 AND user_id = ?2")?
        .execute(params![room, user])?;
    tidy(tx, room, user)
}

/// Whether a person is banned; a ban has no effect while the room is public.
pub(super) fn is_barred(tx: &Connection, room: RoomId, user: UserId) -> Result<bool, StoreError> {
    let mut find = tx.prepare_cached(
        "SELECT 1 FROM sanctions s JOIN rooms r ON r.id = s.room_id
         WHERE s.room_id = ?1 AND s.user_id = ?2 AND s.barred AND r.kind = 'private'",
    )?;
    Ok(find.exists(params![room, user])?)
}

/// Removes a row without any sanction.
fn tidy(tx: &Connection, room: RoomId, user: UserId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "DELETE FROM sanctions WHERE room_id = ?1 AND user_id = ?2 AND muted_until = 0 AND NOT barred",
    )?
    .execute(params![room, user])?;
    Ok(())
}
