//! Table `members`: memberships with role and read cursor.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{
    Member, MemberRole, Membership, MessageId, Millis, Notify, RoomId, RoomOverview, UserId,
};

use super::rows::{PERSON, PERSON_WIDTH, person};
use super::{Store, StoreError, Ticket, messages, notifications, rooms, sanctions};

/// Unread messages and notifications are counted up to this many.
pub const UNREAD_MAX: u32 = 100;

/// Outcome of an attempt to join a room.
#[derive(Clone, Debug)]
pub enum Admission {
    Joined(Member),
    /// The person is a member already.
    Already,
    /// The person is banned from this room, which is private now.
    Barred,
    /// The account does not exist or was deleted.
    Missing,
}

impl Store {
    /// Returns the members with user ids above `after`, by user id.
    pub async fn members(
        &self,
        room: RoomId,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<Member>, StoreError> {
        self.read(move |db| list(db, room, after, limit)).await
    }

    /// Returns the membership of a person in a room.
    pub async fn member(&self, room: RoomId, user: UserId) -> Result<Option<Member>, StoreError> {
        self.read(move |db| one(db, room, user)).await
    }

    /// Returns the rooms of `me` for a room list; only the room `only`, if that is given.
    pub async fn overviews(
        &self,
        me: UserId,
        only: Option<RoomId>,
    ) -> Result<Vec<RoomOverview>, StoreError> {
        self.read(move |db| overviews(db, me, only, ALL)).await
    }

    /// Returns a page of a person's rooms by id, and the number of unread notifications. `begun` is called right before
    /// the read: what was on disk by then is in the result.
    pub async fn overviews_page(
        &self,
        me: UserId,
        (after, limit): (RoomId, u32),
        begun: impl FnOnce() + Send + 'static,
    ) -> Result<(Vec<RoomOverview>, u32), StoreError> {
        self.read(move |db| {
            begun();
            let rooms = overviews(db, me, None, (after, limit))?;
            Ok((rooms, notifications::unread(db, me)?))
        })
        .await
    }

    /// Counts the messages by others that a person has not read in a room, up to [`UNREAD_MAX`].
    pub async fn unread(&self, room: RoomId, user: UserId) -> Result<u32, StoreError> {
        Ok(self
            .overviews(user, Some(room))
            .await?
            .pop()
            .map_or(0, |overview| overview.unread))
    }

    /// Adds an ordinary member. `invited` lifts a ban; otherwise a ban applies while the room is private. A mute
    /// applies either way.
    pub async fn add_member(
        &self,
        room: RoomId,
        user: UserId,
        invited: bool,
    ) -> Result<Admission, StoreError> {
        self.write(move |tx| admit(tx, room, user, invited)).await
    }

    /// Removes a member; `bar` bans them from rejoining by themselves while the room is private.
    pub async fn remove_member(
        &self,
        room: RoomId,
        user: UserId,
        bar: bool,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            if bar {
                sanctions::bar(tx, room, user)?;
            }
            notifications::drop_of_member(tx, room, user)?;
            Ok(tx.execute(
                "DELETE FROM members WHERE room_id = ?1 AND user_id = ?2",
                params![room, user],
            )? > 0)
        })
        .await
    }

    /// Changes the role of a member or mutes them; `None` if there is no such member.
    pub async fn set_member(
        &self,
        room: RoomId,
        user: UserId,
        role: Option<MemberRole>,
        muted_until: Option<Millis>,
    ) -> Result<Option<Member>, StoreError> {
        self.write(move |tx| {
            if one(tx, room, user)?.is_none() {
                return Ok(None);
            }
            if let Some(role) = role {
                set_role(tx, room, user, role)?;
            }
            if let Some(until) = muted_until {
                sanctions::mute(tx, room, user, until)?;
            }
            one(tx, room, user)
        })
        .await
    }

    /// Makes a member the owner, and the previous owner a moderator; `false` if there is no such member.
    pub async fn transfer(&self, room: RoomId, to: UserId) -> Result<bool, StoreError> {
        self.write(move |tx| transfer(tx, room, to)).await
    }

    /// Returns the notification setting of a person for rooms that they join.
    pub async fn notify_default(&self, user: UserId) -> Result<Notify, StoreError> {
        const SQL: &str = "SELECT coalesce(profile ->> 'notify', 'all') FROM users WHERE id = ?1";
        self.read(move |db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_row([user], |row| row.get(0))?)
        })
        .await
    }

    /// Sets the notification setting for rooms joined later; it is stored in the JSON of the profile.
    pub async fn set_notify_default(&self, user: UserId, notify: Notify) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE users SET profile = json_set(profile, '$.notify', ?2) WHERE id = ?1";
        self.write(move |tx| {
            tx.execute(SQL, params![user, notify])?;
            Ok(())
        })
        .await
    }

    /// Sets which messages of a room a member is notified about.
    pub async fn set_notify(
        &self,
        room: RoomId,
        user: UserId,
        notify: Notify,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "UPDATE members SET notify = ?3 WHERE room_id = ?1 AND user_id = ?2",
            )?
            .execute(params![room, user, notify])?;
            Ok(())
        })
        .await
    }

    /// Advances read cursors; never moves one back. Returns the number of unread notifications left for people who have
    /// read some by this.
    pub async fn set_reads(
        &self,
        room: RoomId,
        reads: Vec<(UserId, MessageId)>,
    ) -> Ticket<Vec<(UserId, u32)>> {
        self.submit(move |tx| {
            let mut set = tx.prepare_cached(
                "UPDATE members SET last_read_id = ?3 WHERE room_id = ?1 AND user_id = ?2 AND last_read_id < ?3",
            )?;
            let mut left = Vec::new();
            for (user, message) in reads {
                set.execute(params![room, user, message])?;
                let unread = notifications::read_in_room(tx, user, room, message)?;
                left.extend(unread.map(|unread| (user, unread)));
            }
            Ok(left)
        })
        .await
    }

    /// Returns the rooms of an account, without direct ones.
    pub async fn places(&self, user: UserId) -> Result<Vec<RoomId>, StoreError> {
        const SQL: &str = "SELECT m.room_id FROM members m JOIN rooms r ON r.id = m.room_id
            WHERE m.user_id = ?1 AND r.kind <> 'direct' AND r.deleted_at IS NULL";
        self.read(move |db| {
            let mut find = db.prepare_cached(SQL)?;
            let rows = find.query_map([user], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Returns the successor when the owner's account is deleted: the moderator, else the member, who joined first.
    /// Never a guest.
    pub async fn successor(&self, room: RoomId) -> Result<Option<UserId>, StoreError> {
        const SQL: &str = "SELECT m.user_id FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.room_id = ?1 AND m.role <> 'owner' AND u.deleted_at IS NULL AND u.role <> 'guest'
            ORDER BY m.role = 'moderator' DESC, m.joined_at, m.user_id LIMIT 1";
        self.read(move |db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_row([room], |row| row.get(0))
                .optional()?)
        })
        .await
    }
}

/// Adds a member; earlier messages do not count as unread.
pub(super) fn insert(
    tx: &Connection,
    room: RoomId,
    user: UserId,
    role: MemberRole,
) -> Result<usize, StoreError> {
    let mut add = tx.prepare_cached(
        "INSERT OR IGNORE INTO members (room_id, user_id, role, joined_at, last_read_id, notify)
         SELECT ?1, ?2, ?3, ?4, coalesce(max(id), 0),
             coalesce((SELECT profile ->> 'notify' FROM users WHERE id = ?2), 'all')
         FROM messages WHERE room_id = ?1",
    )?;
    Ok(add.execute(params![room, user, role, Millis::now()])?)
}

pub(super) fn admit(
    tx: &Connection,
    room: RoomId,
    user: UserId,
    invited: bool,
) -> Result<Admission, StoreError> {
    if super::users::user(tx, user)?.is_none() {
        return Ok(Admission::Missing);
    }
    if invited {
        sanctions::lift_bar(tx, room, user)?;
    } else if sanctions::is_barred(tx, room, user)? {
        return Ok(Admission::Barred);
    }
    if insert(tx, room, user, MemberRole::Member)? == 0 {
        return Ok(Admission::Already);
    }
    Ok(one(tx, room, user)?.map_or(Admission::Missing, Admission::Joined))
}

fn transfer(tx: &Connection, room: RoomId, to: UserId) -> Result<bool, StoreError> {
    if one(tx, room, to)?.is_none() {
        return Ok(false);
    }
    tx.execute(
        "UPDATE members SET role = 'moderator' WHERE room_id = ?1 AND role = 'owner'",
        [room],
    )?;
    set_role(tx, room, to, MemberRole::Owner)?;
    // The owner cannot be muted: no other role could lift the mute.
    sanctions::mute(tx, room, to, Millis(0))?;
    tx.execute(
        "UPDATE rooms SET owner_id = ?2, updated_at = ?3 WHERE id = ?1",
        params![room, to, Millis::now()],
    )?;
    Ok(true)
}

fn set_role(
    tx: &Connection,
    room: RoomId,
    user: UserId,
    role: MemberRole,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE members SET role = ?3 WHERE room_id = ?1 AND user_id = ?2")?
        .execute(params![room, user, role])?;
    Ok(())
}

/// Columns of a membership; the table has the alias `m`.
const PLACE: &str = "m.role, m.joined_at, m.last_read_id,
    coalesce((SELECT s.muted_until FROM sanctions s WHERE s.room_id = m.room_id AND s.user_id = m.user_id), 0), m.notify";
/// Number of columns in [`PLACE`].
const PLACE_WIDTH: usize = 5;

fn place(row: &Row<'_>, at: usize) -> rusqlite::Result<Membership> {
    Ok(Membership {
        role: row.get(at)?,
        joined_at: row.get(at + 1)?,
        last_read_id: row.get(at + 2)?,
        muted_until: row.get(at + 3)?,
        notify: row.get(at + 4)?,
    })
}

pub(super) fn list(
    db: &Connection,
    room: RoomId,
    after: UserId,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    let sql = format!(
        "SELECT {PERSON}, {PLACE} FROM members m JOIN users u ON u.id = m.user_id
         WHERE m.room_id = ?1 AND m.user_id > ?2 ORDER BY m.user_id LIMIT ?3"
    );
    let mut find = db.prepare_cached(&sql)?;
    let rows = find.query_map(params![room, after, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn one(db: &Connection, room: RoomId, user: UserId) -> Result<Option<Member>, StoreError> {
    let sql = format!(
        "SELECT {PERSON}, {PLACE} FROM members m JOIN users u ON u.id = m.user_id
         WHERE m.room_id = ?1 AND m.user_id = ?2"
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row(params![room, user], from_row)
        .optional()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        person: person(row, 0)?,
        place: place(row, PERSON_WIDTH)?,
    })
}

/// All rooms instead of a page.
const ALL: (RoomId, u32) = (RoomId(0), u32::MAX);

fn overviews(
    db: &Connection,
    me: UserId,
    only: Option<RoomId>,
    (after, limit): (RoomId, u32),
) -> Result<Vec<RoomOverview>, StoreError> {
    let sql = format!(
        "SELECT {ROOM}, {PLACE},
             (SELECT count(*) FROM members o WHERE o.room_id = r.id),
             (SELECT count(*) FROM (SELECT 1 FROM messages x WHERE x.room_id = r.id
                 AND x.id > max(m.last_read_id, r.cleared_through) AND x.sender_id <> m.user_id
                 AND x.deleted_at IS NULL LIMIT {UNREAD_MAX})),
             max(coalesce((SELECT max(x.id) FROM messages x WHERE x.room_id = r.id), 0),
                 coalesce((SELECT max(x.change_id) FROM messages x WHERE x.room_id = r.id AND x.change_id > x.id), 0)),
             CASE r.kind WHEN 'direct' THEN (SELECT o.last_read_id FROM members o
                 WHERE o.room_id = r.id AND o.user_id <> m.user_id) END,
             (SELECT x.id FROM messages x WHERE x.room_id = r.id AND x.id > r.cleared_through
                 AND x.deleted_at IS NULL ORDER BY x.id DESC LIMIT 1)
         FROM members m JOIN rooms r ON r.id = m.room_id
         WHERE m.user_id = ?1 AND r.deleted_at IS NULL AND (?2 IS NULL OR r.id = ?2)
             AND m.room_id > ?3 ORDER BY m.room_id LIMIT ?4",
        ROOM = rooms::ROOM,
    );
    let mut find = db.prepare_cached(&sql)?;
    let mut newest = Vec::new();
    let rows = find.query_map(params![me, only, after, limit], |row| {
        newest.extend(row.get::<_, Option<MessageId>>(NEWEST)?);
        overview(row, me)
    })?;
    let mut list = rows.collect::<Result<Vec<_>, _>>()?;
    let newest = messages::by_ids(db, &newest)?.into_iter();
    let mut newest: HashMap<_, _> = newest.map(|message| (message.room_id, message)).collect();
    for overview in &mut list {
        overview.room.people = rooms::people(db, &overview.room)?;
        overview.last_message = newest.remove(&overview.room.id);
    }
    Ok(list)
}

/// Column of the newest message's id in the row of an overview.
const NEWEST: usize = rooms::ROOM_WIDTH + PLACE_WIDTH + 4;

/// Reads an overview without people and newest message.
fn overview(row: &Row<'_>, me: UserId) -> rusqlite::Result<RoomOverview> {
    let at = rooms::ROOM_WIDTH + PLACE_WIDTH;
    Ok(RoomOverview {
        me,
        room: rooms::from_row(row)?,
        place: place(row, rooms::ROOM_WIDTH)?,
        member_count: row.get(at)?,
        unread: row.get(at + 1)?,
        last_message: None,
        change_id: row.get(at + 2)?,
        other_read_id: row.get::<_, Option<_>>(at + 3)?.unwrap_or_default(),
    })
}
