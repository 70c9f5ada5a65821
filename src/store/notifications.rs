//! Table `notifications`: lists, marks as read and removes notifications. The recipients of a message are chosen in
//! `alerts`.

use rusqlite::{Connection, Row, params};

use crate::model::{
    HEAD_MAX, MessageId, Millis, Note, Notification, NotificationId, NotificationKind, ReadMark,
    RoomId, UserId, head,
};

use super::rows::{PERSON, person};
use super::{Store, StoreError, UNREAD_MAX};

/// Notifications kept for each person.
const KEPT: u32 = 500;

/// A notification about membership of a room.
#[derive(Clone, Debug)]
pub struct RoomNotice {
    /// From [`Store::next_id`].
    pub id: NotificationId,
    pub to: UserId,
    /// [`NotificationKind::Added`] or [`NotificationKind::Removed`].
    pub kind: NotificationKind,
    pub room: RoomId,
    pub by: UserId,
}

impl Store {
    /// Returns the notifications of a person with ids below `before`, newest first.
    pub async fn notifications(
        &self,
        me: UserId,
        before: NotificationId,
        limit: u32,
    ) -> Result<Vec<Notification>, StoreError> {
        self.read(move |db| {
            let sql = select() + " AND n.id < ?2 ORDER BY n.id DESC LIMIT ?3";
            let mut find = db.prepare_cached(&sql)?;
            let rows = find.query_map(params![me, before, limit], from_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Counts the unread notifications of a person, up to [`UNREAD_MAX`].
    pub async fn unread_notifications(&self, me: UserId) -> Result<u32, StoreError> {
        self.read(move |db| unread(db, me)).await
    }

    /// Marks notifications as read; returns the number of unread ones left.
    pub async fn read_notifications(&self, me: UserId, mark: ReadMark) -> Result<u32, StoreError> {
        self.write(move |tx| {
            read(tx, me, &mark)?;
            unread(tx, me)
        })
        .await
    }

    /// Notifies a person of a change to their membership; `None` if the room is deleted.
    pub async fn note_room(&self, new: RoomNotice) -> Result<Option<Notification>, StoreError> {
        self.write(move |tx| note_room(tx, &new)).await
    }

    /// Stores a notification that a client made for its own user.
    pub async fn note(
        &self,
        id: NotificationId,
        me: UserId,
        note: Note,
    ) -> Result<Notification, StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "INSERT INTO notifications (user_id, id, kind, title, content, created_at)
                 VALUES (?1, ?2, 'custom', ?3, ?4, ?5)",
            )?
            .execute(params![me, id, note.title, note.content, Millis::now()])?;
            prune(tx, me)?;
            one(tx, me, id)?.ok_or(StoreError::Internal("a new notification is missing"))
        })
        .await
    }

    /// Removes the oldest notifications of everybody who has too many.
    pub async fn prune_notifications(&self) -> Result<(), StoreError> {
        let rich = self.read(|db| {
            let mut find = db.prepare_cached(
                "SELECT user_id FROM notifications GROUP BY user_id HAVING count(*) > ?1",
            )?;
            let rows = find.query_map([KEPT], |row| row.get::<_, UserId>(0))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        for user in rich.await? {
            self.write(move |tx| prune(tx, user)).await?;
        }
        Ok(())
    }
}

/// Removes the oldest notifications of a person who has too many.
pub(super) fn prune(tx: &Connection, user: UserId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "DELETE FROM notifications WHERE user_id = ?1 AND id <=
             (SELECT id FROM notifications WHERE user_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![user, KEPT])?;
    Ok(())
}

fn note_room(tx: &Connection, new: &RoomNotice) -> Result<Option<Notification>, StoreError> {
    tx.prepare_cached(
        "INSERT INTO notifications (user_id, id, kind, room_id, by_id, title, created_at)
         SELECT ?1, ?2, ?3, id, ?5, name, ?6 FROM rooms WHERE id = ?4",
    )?
    .execute(params![
        new.to,
        new.id,
        new.kind,
        new.room,
        new.by,
        Millis::now()
    ])?;
    prune(tx, new.to)?;
    one(tx, new.to, new.id)
}

fn read(tx: &Connection, me: UserId, mark: &ReadMark) -> Result<(), StoreError> {
    const SET: &str =
        "UPDATE notifications SET read_at = ?3 WHERE user_id = ?1 AND read_at IS NULL";
    let now = Millis::now();
    match mark {
        ReadMark::Through(id) => {
            tx.prepare_cached(&format!("{SET} AND id <= ?2"))?
                .execute(params![me, id, now])?;
        }
        ReadMark::These(ids) => {
            let mut set = tx.prepare_cached(&format!("{SET} AND id = ?2"))?;
            for id in ids {
                set.execute(params![me, id, now])?;
            }
        }
    }
    Ok(())
}

/// Marks notifications as read that belong to the read part of a room; returns the number of unread ones left, if that
/// has changed.
pub(super) fn read_in_room(
    tx: &Connection,
    me: UserId,
    room: RoomId,
    through: MessageId,
) -> Result<Option<u32>, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE notifications SET read_at = ?4
             WHERE user_id = ?1 AND room_id = ?2 AND read_at IS NULL AND coalesce(message_id, 0) <= ?3",
        )?
        .execute(params![me, room, through, Millis::now()])?;
    if changed == 0 {
        return Ok(None);
    }
    unread(tx, me).map(Some)
}

/// Removes the notifications of a person about a room that they are no longer a member of.
pub(super) fn drop_of_member(
    tx: &Connection,
    room: RoomId,
    user: UserId,
) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM notifications WHERE user_id = ?1 AND room_id = ?2")?
        .execute(params![user, room])?;
    Ok(())
}

/// Removes the notifications of a deleted message.
pub(super) fn drop_of_message(tx: &Connection, message: MessageId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM notifications WHERE message_id = ?1")?
        .execute([message])?;
    Ok(())
}

/// Removes the notifications of a deleted account.
pub(super) fn drop_of_user(tx: &Connection, user: UserId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM notifications WHERE user_id = ?1")?
        .execute([user])?;
    Ok(())
}

/// Visible notifications: not in a room or of a message that is waiting to be removed.
const THERE: &str = "(n.room_id IS NULL OR r.deleted_at IS NULL)
    AND (n.message_id IS NULL OR n.message_id > r.cleared_through)";

pub(super) fn unread(db: &Connection, me: UserId) -> Result<u32, StoreError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM notifications n LEFT JOIN rooms r ON r.id = n.room_id
         WHERE n.user_id = ?1 AND n.read_at IS NULL AND {THERE} LIMIT {UNREAD_MAX})"
    );
    Ok(db.prepare_cached(&sql)?.query_row([me], |row| row.get(0))?)
}

/// Selects the notifications of a person; further conditions may follow.
fn select() -> String {
    format!(
        "SELECT n.id, n.kind, n.room_id, n.message_id, coalesce(n.title, r.name, ''),
             coalesce(substr(m.content, 1, {HEAD_MAX} + 1), ''), n.content, n.created_at, n.read_at IS NOT NULL, {PERSON}
         FROM notifications n LEFT JOIN users u ON u.id = n.by_id LEFT JOIN rooms r ON r.id = n.room_id
             LEFT JOIN messages m ON m.id = n.message_id
         WHERE n.user_id = ?1 AND {THERE}"
    )
}
/// First column of the person who caused it.
const BY: usize = 9;

fn one(
    db: &Connection,
    me: UserId,
    id: NotificationId,
) -> Result<Option<Notification>, StoreError> {
    let mut find = db.prepare_cached(&(select() + " AND n.id = ?2"))?;
    let mut rows = find.query_map(params![me, id], from_row)?;
    Ok(rows.next().transpose()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let by: Option<UserId> = row.get(BY)?;
    Ok(Notification {
        id: row.get(0)?,
        kind: row.get(1)?,
        room_id: row.get(2)?,
        message_id: row.get(3)?,
        by: by.map(|_| person(row, BY)).transpose()?,
        title: row.get(4)?,
        // One code point more is read, to see whether a character ends there.
        text: head(&row.get::<_, String>(5)?),
        content: row.get(6)?,
        created_at: row.get(7)?,
        read: row.get(8)?,
    })
}
