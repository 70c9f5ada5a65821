//! Whom a message is noted down for: written once, right before COMMIT, for messages that concern somebody. Must not know
//! how people are told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    Mentions, Message, MessageId, Millis, NotificationId, NotificationKind, Notify, RoomId, UserId,
};

use super::job::Tx;
use super::{StoreError, notifications};

/// A notification that was written.
#[derive(Clone, Copy, Debug)]
pub struct Alerted {
    /// Who is told.
    pub user: UserId,
    /// What of.
    pub kind: NotificationKind,
    /// `false` if it took the place of an unread one.
    pub new: bool,
}

/// Whom a message was noted down for; known when it is on disk.
#[derive(Clone, Debug, Default)]
pub struct Alerts(Option<Arc<Mutex<Vec<Alerted>>>>);

impl Alerts {
    /// Takes them out; empty before the message is on disk.
    pub fn take(&self) -> Vec<Alerted> {
        let Some(shared) = &self.0 else {
            return Vec::new();
        };
        std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whom a new or changed message concerns.
pub(super) struct Concerned {
    /// The other person of a direct room.
    pub(super) direct: Option<UserId>,
    /// Whom the text calls.
    pub(super) mentions: Mentions,
    /// Whose message it answers.
    pub(super) author: Option<UserId>,
}

/// Notes a message down for those whom it concerns, later in this transaction; does nothing if it concerns nobody.
pub(super) fn defer(tx: &Tx<'_>, message: &Message, concerned: Concerned) -> Alerts {
    let author = concerned
        .author
        .filter(|author| *author != message.sender.id);
    let concerned = Concerned {
        author,
        ..concerned
    };
    if concerned.direct.is_none() && concerned.mentions.is_empty() && concerned.author.is_none() {
        return Alerts::default();
    }
    let alert = Alert {
        id: NotificationId(message.change_id.0),
        message: message.id,
        room: message.room_id,
        by: message.sender.id,
        at: message.edited_at.unwrap_or(message.created_at),
    };
    let alerts = Arc::new(Mutex::default());
    let filled = alerts.clone();
    tx.defer(move |conn| {
        let all = alert.write(conn, &concerned)?;
        *filled.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    });
    Alerts(Some(alerts))
}

/// What stands in all notifications of one message.
struct Alert {
    id: NotificationId,
    message: MessageId,
    room: RoomId,
    by: UserId,
    at: Millis,
}

impl Alert {
    /// Nobody is told twice, nor of what they said themselves.
    fn write(&self, tx: &Connection, concerned: &Concerned) -> Result<Vec<Alerted>, StoreError> {
        let mut told = HashSet::from([self.by]);
        let mut all = Vec::new();
        if let Some(user) = concerned.direct
            && self.notify(tx, user)? == Notify::All
        {
            all.push(self.direct(tx, user)?);
            told.insert(user);
        }
        if concerned.mentions.room {
            let everybody = self.everybody(tx)?;
            told.extend(everybody.iter().map(|alerted| alerted.user));
            all.extend(everybody);
        }
        let called = concerned.mentions.people.iter();
        let called = called.map(|user| (*user, NotificationKind::Mention));
        let answered = concerned.author.map(|user| (user, NotificationKind::Reply));
        for (user, kind) in called.chain(answered) {
            if told.insert(user) && self.notify(tx, user)? != Notify::None {
                self.insert(tx, user, kind)?;
                all.push(Alerted {
                    user,
                    kind,
                    new: true,
                });
            }
        }
        Ok(all)
    }

    /// Of what a living member is told; others of nothing.
    fn notify(&self, tx: &Connection, user: UserId) -> Result<Notify, StoreError> {
        let mut find = tx.prepare_cached(
            "SELECT m.notify FROM members m JOIN users u ON u.id = m.user_id
             WHERE m.room_id = ?1 AND m.user_id = ?2 AND u.deleted_at IS NULL",
        )?;
        let found = find.query_row(params![self.room, user], |row| row.get(0));
        Ok(found.optional()?.unwrap_or(Notify::None))
    }

    fn insert(
        &self,
        tx: &Connection,
        user: UserId,
        kind: NotificationKind,
    ) -> Result<(), StoreError> {
        tx.prepare_cached(
            "INSERT INTO notifications (user_id, id, kind, room_id, message_id, by_id, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            user,
            self.id,
            kind,
            self.room,
            self.message,
            self.by,
            self.at
        ])?;
        notifications::prune(tx, user)
    }

    /// One unread notification of a direct room is enough: the newest.
    fn direct(&self, tx: &Connection, user: UserId) -> Result<Alerted, StoreError> {
        let kind = NotificationKind::Direct;
        let moved = tx
            .prepare_cached(
                "UPDATE notifications SET id = ?3, message_id = ?4, created_at = ?5
                 WHERE user_id = ?1 AND room_id = ?2 AND kind = 'direct' AND read_at IS NULL",
            )?
            .execute(params![user, self.room, self.id, self.message, self.at])?;
        if moved == 0 {
            self.insert(tx, user, kind)?;
        }
        Ok(Alerted {
            user,
            kind,
            new: moved == 0,
        })
    }

    fn everybody(&self, tx: &Connection) -> Result<Vec<Alerted>, StoreError> {
        let kind = NotificationKind::Mention;
        let mut add = tx.prepare_cached(
            "INSERT INTO notifications (user_id, id, kind, room_id, message_id, by_id, created_at)
             SELECT user_id, ?2, ?3, room_id, ?4, ?5, ?6 FROM members
             WHERE room_id = ?1 AND user_id <> ?5 AND notify <> 'none' RETURNING user_id",
        )?;
        let rows = add.query_map(
            params![self.room, self.id, kind, self.message, self.by, self.at],
            |row| {
                Ok(Alerted {
                    user: row.get(0)?,
                    kind,
                    new: true,
                })
            },
        )?;
        let told = rows.collect::<Result<Vec<Alerted>, _>>()?;
        told.iter()
            .try_for_each(|alerted| notifications::prune(tx, alerted.user))?;
        Ok(told)
    }
}
