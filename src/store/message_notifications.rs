//! Inserts notification rows for mentions, replies and direct messages, just before COMMIT. Must not depend on how they
//! are delivered.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    Mentions, Message, MessageId, Millis, NotificationId, NotificationKind, Notify, RoomId, UserId,
};

use super::job::Tx;
use super::{Store, StoreError, notifications};

/// A notification that was written.
#[derive(Clone, Copy, Debug)]
pub struct Alerted {
    pub user: UserId,
    pub kind: NotificationKind,
    /// `false` if it replaces an unread one.
    pub new: bool,
}

/// Notifications of a message; filled in when the message is on disk.
#[derive(Clone, Debug, Default)]
pub struct Alerts(Option<Arc<Mutex<Written>>>);

/// The effects of a new or edited message on people's notifications.
#[derive(Debug, Default)]
pub struct Written {
    /// People who have a notification of it.
    pub alerted: Vec<Alerted>,
    /// People whose notifications are still to be written.
    pub rest: Option<Rest>,
    /// People who lost an unread notification, with the number they have left, counted up to 100; not all of a large
    /// room.
    pub withdrawn: Vec<(UserId, u32)>,
}

impl Alerts {
    /// Takes the result out; empty before the message is on disk.
    pub fn take(&self) -> Written {
        let Some(shared) = &self.0 else {
            return Written::default();
        };
        let mut written = shared.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *written)
    }
}

/// Members of a large room who are still to be notified of a message: see [`Store::alert_more`].
#[derive(Debug)]
pub struct Rest {
    alert: Alert,
    after: UserId,
}

impl Store {
    /// Notifies some more members of a large room of a message that still exists: in steps, so that a message to
    /// everybody does not delay other messages. After a crash before the end, the others have no notification.
    pub async fn alert_more(&self, rest: Rest) -> Result<(Vec<Alerted>, Option<Rest>), StoreError> {
        self.write(move |tx| {
            let Rest { alert, after } = rest;
            if !alert.is_due(tx)? {
                return Ok((Vec::new(), None));
            }
            let (alerted, last) = alert.everybody(tx, after)?;
            Ok((alerted, last.map(|after| Rest { alert, after })))
        })
        .await
    }
}

/// People whom a new or changed message concerns.
pub(super) struct Concerned {
    /// The other person of a direct room.
    pub(super) direct: Option<UserId>,
    /// Mentions in the text.
    pub(super) mentions: Mentions,
    /// Sender of the message that it answers.
    pub(super) author: Option<UserId>,
    /// Remaining mentions, if an edit removed any.
    pub(super) still: Option<Mentions>,
}

impl Concerned {
    fn is_empty(&self) -> bool {
        let told = self.direct.is_some() || !self.mentions.is_empty() || self.author.is_some();
        !told && self.still.is_none()
    }
}

/// Writes the notifications of a message later in this transaction; does nothing if it concerns nobody.
pub(super) fn defer(tx: &Tx<'_>, message: &Message, concerned: Concerned) -> Alerts {
    let author = concerned
        .author
        .filter(|author| *author != message.sender.id);
    let concerned = Concerned {
        author,
        ..concerned
    };
    if concerned.is_empty() {
        return Alerts::default();
    }
    let answered = message.reply.as_ref().map(|quote| quote.sender.id);
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
        let mut written = alert.write(conn, &concerned)?;
        if let Some(still) = &concerned.still {
            written.withdrawn = withdraw(conn, alert.message, still, answered)?;
        }
        *filled.lock().unwrap_or_else(PoisonError::into_inner) = written;
        Ok(())
    });
    Alerts(Some(alerts))
}

/// Withdraws the notifications of people whom a message no longer mentions. The sender of the answered message is
/// notified of the reply instead.
fn withdraw(
    tx: &Connection,
    message: MessageId,
    still: &Mentions,
    answered: Option<UserId>,
) -> Result<Vec<(UserId, u32)>, StoreError> {
    if still.room {
        return Ok(Vec::new());
    }
    if let Some(user) = answered.filter(|user| !still.people.contains(user)) {
        tx.prepare_cached(
            "UPDATE notifications SET kind = 'reply' WHERE message_id = ?1 AND user_id = ?2 AND kind = 'mention'",
        )?
        .execute(params![message, user])?;
    }
    let people: Vec<_> = still.people.iter().map(|user| user.0).collect();
    let mut drop = tx.prepare_cached(
        "DELETE FROM notifications WHERE message_id = ?1 AND kind = 'mention'
             AND user_id NOT IN (SELECT value FROM json_each(?2)) RETURNING user_id, read_at IS NULL",
    )?;
    let people = serde_json::to_string(&people).unwrap_or_default();
    let rows = drop.query_map(params![message, people], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let gone = rows.collect::<Result<Vec<(UserId, bool)>, _>>()?;
    let unread = gone.into_iter().filter(|(_, unread)| *unread);
    let left = |(user, _)| Ok((user, notifications::unread(tx, user)?));
    unread.take(AT_ONCE as usize).map(left).collect()
}

/// Members of a room notified of a message to everybody in one transaction.
const AT_ONCE: u32 = 500;

/// Columns that all notifications of one message share.
#[derive(Clone, Copy, Debug)]
struct Alert {
    id: NotificationId,
    message: MessageId,
    room: RoomId,
    by: UserId,
    at: Millis,
}

impl Alert {
    /// Notifies nobody twice, and never the sender.
    fn write(self, tx: &Connection, concerned: &Concerned) -> Result<Written, StoreError> {
        let mut told = HashSet::from([self.by]);
        let (mut all, mut last) = (Vec::new(), None);
        if let Some(user) = concerned.direct
            && self.notify(tx, user)? == Notify::All
        {
            all.push(self.direct(tx, user)?);
            told.insert(user);
        }
        if concerned.mentions.room {
            let (everybody, end) = self.everybody(tx, UserId(0))?;
            told.extend(everybody.iter().map(|alerted| alerted.user));
            all.extend(everybody);
            last = end;
        }
        let called = concerned.mentions.people.iter();
        let called = called.map(|user| (*user, NotificationKind::Mention));
        let answered = concerned.author.map(|user| (user, NotificationKind::Reply));
        for (user, kind) in called.chain(answered) {
            let is_told_later = last.is_some_and(|last| user > last);
            if !is_told_later && told.insert(user) && self.notify(tx, user)? != Notify::None {
                self.insert(tx, user, kind)?;
                all.push(Alerted {
                    user,
                    kind,
                    new: true,
                });
            }
        }
        Ok(Written {
            alerted: all,
            rest: last.map(|after| Rest { alert: self, after }),
            withdrawn: Vec::new(),
        })
    }

    /// Whether the message still exists and still mentions everybody.
    fn is_due(&self, tx: &Connection) -> Result<bool, StoreError> {
        let mut find = tx.prepare_cached(
            "SELECT m.mentions FROM messages m JOIN rooms r ON r.id = m.room_id WHERE m.id = ?1
             AND m.deleted_at IS NULL AND m.id > r.cleared_through AND r.deleted_at IS NULL",
        )?;
        let mentions = find.query_row([self.message], |row| row.get::<_, Mentions>(0));
        Ok(mentions.optional()?.is_some_and(|mentions| mentions.room))
    }

    /// Returns the notification setting of a member; [`Notify::None`] for deleted accounts and others.
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

    /// Moves the unread notification of a direct room to the newest message: there is at most one.
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

    /// Notifies the first [`AT_ONCE`] members after `after`. Returns the last of them if there may be more.
    fn everybody(
        &self,
        tx: &Connection,
        after: UserId,
    ) -> Result<(Vec<Alerted>, Option<UserId>), StoreError> {
        let kind = NotificationKind::Mention;
        let mut next = tx.prepare_cached(
            "SELECT user_id FROM members WHERE room_id = ?1 AND user_id > ?2 ORDER BY user_id LIMIT 1 OFFSET ?3",
        )?;
        let last: Option<UserId> = next
            .query_row(params![self.room, after, AT_ONCE - 1], |row| row.get(0))
            .optional()?;
        let mut add = tx.prepare_cached(
            "INSERT INTO notifications (user_id, id, kind, room_id, message_id, by_id, created_at)
             SELECT user_id, ?2, ?3, room_id, ?4, ?5, ?6 FROM members
             WHERE room_id = ?1 AND user_id > ?7 AND user_id <= ?8 AND user_id <> ?5 AND notify <> 'none'
             RETURNING user_id",
        )?;
        let through = last.unwrap_or(UserId(i64::MAX));
        let rows = add.query_map(
            params![
                self.room,
                self.id,
                kind,
                self.message,
                self.by,
                self.at,
                after,
                through
            ],
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
        Ok((told, last))
    }
}
