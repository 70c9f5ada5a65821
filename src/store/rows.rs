//! Converts columns to model types. Must not contain complete SQL statements.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Null, ToSql, ToSqlOutput, ValueRef};
use uuid::Uuid;

use crate::model::{
    FileId, FileKey, InviteId, MemberRole, Mentions, MessageId, Millis, NotificationId,
    NotificationKind, Notify, Person, Purpose, Role, RoomId, RoomKind, SessionId, UserId, WebUrl,
};

/// Columns of a person; the table has the alias `u`.
pub(super) const PERSON: &str =
    "u.id, u.uuid, u.username, u.display_name, u.avatar_url, u.role, u.deleted_at, u.updated_at";
/// Number of columns in [`PERSON`].
pub(super) const PERSON_WIDTH: usize = 8;

/// Display name of deleted accounts.
const DELETED_NAME: &str = "deleted user";

/// Reads a person whose columns begin at `at`.
pub(super) fn person(row: &Row<'_>, at: usize) -> rusqlite::Result<Arc<Person>> {
    let deleted = row.get::<_, Option<i64>>(at + 6)?.is_some();
    Ok(Arc::new(Person {
        id: row.get(at)?,
        uuid: row.get(at + 1)?,
        username: row.get(at + 2)?,
        display_name: if deleted {
            DELETED_NAME.to_owned()
        } else {
            row.get(at + 3)?
        },
        avatar_url: address(row, at + 4)?,
        role: row.get(at + 5)?,
        deleted,
        updated_at: row.get(at + 7)?,
    }))
}

/// Reads a URL that pages and clients may load; `None` if an earlier version stored an invalid one.
pub(super) fn address(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<WebUrl>> {
    let text: Option<String> = row.get(at)?;
    Ok(text.and_then(|text| WebUrl::stored(&text)))
}

/// People in one result; each is built once.
#[derive(Default)]
pub(super) struct People(HashMap<UserId, Arc<Person>>);

impl People {
    /// Reads a person whose columns begin at `at`.
    pub(super) fn person(&mut self, row: &Row<'_>, at: usize) -> rusqlite::Result<Arc<Person>> {
        let id: UserId = row.get(at)?;
        if let Some(person) = self.0.get(&id) {
            return Ok(person.clone());
        }
        let person = person(row, at)?;
        self.0.insert(id, person.clone());
        Ok(person)
    }
}

macro_rules! integers {
    ($($name:ident),*) => {$(
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map($name)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }
    )*};
}

integers!(
    InviteId,
    UserId,
    RoomId,
    MessageId,
    SessionId,
    FileId,
    NotificationId,
    Millis
);

macro_rules! words {
    ($($name:ident),*) => {$(
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $name::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
    )*};
}

words!(
    Role,
    RoomKind,
    MemberRole,
    Purpose,
    NotificationKind,
    Notify
);

impl FromSql for FileKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

impl ToSql for FileKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

/// Stored form of a mention of everybody in the room.
const ROOM: &str = "room";

impl FromSql for Mentions {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let mut mentions = Self::default();
        for word in value.as_str_or_null()?.unwrap_or_default().split(' ') {
            match word.parse() {
                Ok(id) => mentions.people.push(UserId(id)),
                Err(_) => mentions.room |= word == ROOM,
            }
        }
        Ok(mentions)
    }
}

impl ToSql for Mentions {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        if self.is_empty() {
            return Ok(Null.into());
        }
        let people = self.people.iter().map(ToString::to_string);
        let words: Vec<_> = people.chain(self.room.then(|| ROOM.to_owned())).collect();
        Ok(words.join(" ").into())
    }
}

pub(super) fn new_uuid() -> Uuid {
    Uuid::new_v4()
}

/// Formats ids for `json_each`.
pub(super) fn json_list(ids: impl Iterator<Item = MessageId>) -> String {
    let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}
