//! Table `users`: accounts, from creation to deletion.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use uuid::Uuid;

use crate::model::{
    Email, MemberRole, Millis, Private, Profile, Role, RoomId, SessionId, ShownName, User,
    UserEdit, UserId, Username, name_key,
};

use super::error::OnConstraint;
use super::rows::{PERSON, PERSON_WIDTH, new_uuid, person};
use super::{Store, StoreError, files, look_alikes, members, notifications, sessions};

/// An account to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub username: Username,
    pub email: Option<Email>,
    /// Defaults to the username.
    pub display_name: Option<ShownName>,
    /// PHC string; guests have none.
    pub password_hash: Option<String>,
    pub role: Role,
    /// Profile fields of `back_chat`.
    pub profile: Profile,
}

impl NewUser {
    /// Returns an account of role user, without a password.
    pub fn named(
        username: Username,
        email: Option<Email>,
        display_name: Option<ShownName>,
    ) -> Self {
        Self {
            username,
            email,
            display_name,
            password_hash: None,
            role: Role::User,
            profile: Profile::default(),
        }
    }
}

/// Outcome of a change that a rule may forbid.
#[derive(Clone, Debug)]
pub enum Guarded<T> {
    Done(T),
    /// The account does not exist or was deleted.
    Missing,
    /// The change would leave the server without an admin.
    LastAdmin,
}

impl Store {
    /// Creates an account and makes it a member of the lobby.
    ///
    /// # Errors
    ///
    /// `Conflict` on `username` and `display_name` (also for look-alikes), and on `email`.
    pub async fn add_user(&self, new: NewUser) -> Result<User, StoreError> {
        self.write(move |tx| add(tx, &new)).await
    }

    /// Creates an account that is not yet a member of the lobby; the core adds it there: see [`Store::admit_to_lobby`].
    ///
    /// # Errors
    ///
    /// As [`Store::add_user`].
    pub async fn add_account(&self, new: NewUser) -> Result<User, StoreError> {
        self.write(move |tx| insert(tx, &new)).await
    }

    /// Creates the first admin; `None` if there is one already.
    pub async fn add_first_admin(&self, new: NewUser) -> Result<Option<User>, StoreError> {
        self.write(move |tx| {
            if count_admins(tx)? > 0 {
                Ok(None)
            } else {
                add(tx, &new).map(Some)
            }
        })
        .await
    }

    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        self.read(|db| Ok(count_admins(db)? > 0)).await
    }

    /// Returns an account; `None` if it was deleted.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |db| user(db, id)).await
    }

    /// Returns an account by its uuid; `None` if it was deleted.
    pub async fn user_by_uuid(&self, uuid: Uuid) -> Result<Option<User>, StoreError> {
        let sql = format!(
            "SELECT {PERSON}, {REST} FROM users u WHERE u.uuid = ?1 AND u.deleted_at IS NULL"
        );
        self.read(move |db| {
            Ok(db
                .prepare_cached(&sql)?
                .query_row([uuid], |row| from_row(row, 0))
                .optional()?)
        })
        .await
    }

    /// Returns the account that logs in by this username or e-mail address, and its password hash.
    pub async fn user_by_login(
        &self,
        login: String,
    ) -> Result<Option<(User, Option<String>)>, StoreError> {
        self.read(move |db| by_login(db, &login)).await
    }

    /// Whether this name, or one that looks like it, was ever given to an account.
    pub async fn is_name_taken(&self, name: Username) -> Result<bool, StoreError> {
        self.read(move |db| {
            let mut find = db.prepare_cached("SELECT 1 FROM users WHERE username_key = ?1")?;
            Ok(find.exists([name.key()])? || look_alikes::check_username(db, &name, None).is_err())
        })
        .await
    }

    /// Replaces a password hash and ends all sessions but `keep`. With `checked`, does so only if that is still the
    /// hash, and returns `false` if it is not.
    pub async fn change_password(
        &self,
        id: UserId,
        hash: String,
        keep: Option<SessionId>,
        checked: Option<String>,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            const IS_OTHER: &str = "SELECT 1 FROM users WHERE id = ?1 AND password_hash IS NOT ?2";
            if checked.is_some() && tx.prepare_cached(IS_OTHER)?.exists(params![id, checked])? {
                return Ok(false);
            }
            set_password(tx, id, &hash)?;
            sessions::end_all(tx, id, keep)?;
            Ok(true)
        })
        .await
    }

    /// Changes an account.
    ///
    /// # Errors
    ///
    /// `Conflict` on `username`, `display_name` and `email`.
    pub async fn edit_user(&self, id: UserId, edit: UserEdit) -> Result<Guarded<User>, StoreError> {
        self.write(move |tx| change(tx, id, &edit)).await
    }

    /// Deletes an account and its sessions. The core removes it from its rooms: see [`Store::unretired`].
    pub async fn end_user(&self, id: UserId) -> Result<Guarded<()>, StoreError> {
        self.write(move |tx| end(tx, id)).await
    }

    /// Returns deleted accounts that are still members of rooms, because another process deleted them.
    pub async fn unretired(&self) -> Result<Vec<UserId>, StoreError> {
        const SQL: &str =
            "SELECT DISTINCT m.user_id FROM members m JOIN users u ON u.id = m.user_id
            JOIN rooms r ON r.id = m.room_id WHERE u.deleted_at IS NOT NULL AND r.kind <> 'direct'";
        self.read(|db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Returns guests who were not seen since `before`, at most 500.
    pub async fn stale_guests(&self, before: Millis) -> Result<Vec<UserId>, StoreError> {
        const SQL: &str = "SELECT u.id FROM users u WHERE u.role = 'guest' AND u.deleted_at IS NULL AND u.created_at < ?1
            AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.last_at >= ?1) LIMIT 500";
        self.read(move |db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_map([before], |row| row.get(0))?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Adds every account to the lobby that is not a member yet, such as those that another process created; returns
    /// them.
    pub async fn admit_to_lobby(&self) -> Result<Vec<UserId>, StoreError> {
        const ADMIT: &str = "INSERT OR IGNORE INTO members (room_id, user_id, role, joined_at, last_read_id)
            SELECT 1, id, 'member', created_at, (SELECT coalesce(max(id), 0) FROM messages WHERE room_id = 1)
            FROM users WHERE deleted_at IS NULL RETURNING user_id";
        self.write(|tx| {
            let mut admit = tx.prepare_cached(ADMIT)?;
            let rows = admit.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

pub(super) fn add(tx: &Connection, new: &NewUser) -> Result<User, StoreError> {
    let user = insert(tx, new)?;
    members::insert(tx, RoomId::LOBBY, user.id(), MemberRole::Member)?;
    Ok(user)
}

fn insert(tx: &Connection, new: &NewUser) -> Result<User, StoreError> {
    look_alikes::check_username(tx, &new.username, None)?;
    if let Some(name) = &new.display_name {
        look_alikes::check_display_name(tx, name, None)?;
    }
    let now = Millis::now();
    let display_name = new
        .display_name
        .as_ref()
        .map_or(new.username.as_str(), ShownName::as_str);
    tx.prepare_cached(
        "INSERT INTO users (uuid, username, username_key, username_look, email, display_name, password_hash, role,
             profile, created_at, updated_at)
         VALUES (:uuid, :username, :key, :look, :email, :display_name, :hash, :role, :profile, :now, :now)",
    )?
    .execute(named_params! {
        ":uuid": new_uuid(), ":username": new.username.as_str(), ":key": new.username.key(),
        ":look": new.username.looks(), ":email": new.email.as_ref().map(Email::as_str),
        ":display_name": display_name, ":hash": new.password_hash, ":role": new.role,
        ":profile": profile_json(&new.profile), ":now": now,
    })
    .on_constraint("users.username_key", "username")
    .on_constraint("users.email", "email")?;
    let id = UserId(tx.last_insert_rowid());
    user(tx, id)?.ok_or(StoreError::Internal("a new account is missing"))
}

fn change(tx: &Connection, id: UserId, edit: &UserEdit) -> Result<Guarded<User>, StoreError> {
    let Some(old) = user(tx, id)? else {
        return Ok(Guarded::Missing);
    };
    if old.role() == Role::Admin
        && edit.role.is_some_and(|role| role != Role::Admin)
        && count_admins(tx)? == 1
    {
        return Ok(Guarded::LastAdmin);
    }
    if let Some(name) = &edit.username {
        look_alikes::check_username(tx, name, Some(id))?;
        tx.execute(
            "UPDATE users SET username = ?2, username_key = ?3, username_look = ?4 WHERE id = ?1",
            params![id, name.as_str(), name.key(), name.looks()],
        )
        .on_constraint("users.username_key", "username")?;
    }
    if let Some(name) = &edit.display_name
        && name.as_str() != old.person.display_name
    {
        look_alikes::check_display_name(tx, name, Some(id))?;
    }
    let email = edit
        .email
        .as_ref()
        .map(|email| email.as_ref().map(Email::as_str));
    let avatar = edit
        .avatar_url
        .as_ref()
        .map(|url| url.as_ref().map(|url| url.as_str()));
    tx.execute(
        "UPDATE users SET updated_at = max(:now, updated_at + 1), display_name = coalesce(:display_name, display_name),
             role = coalesce(:role, role), profile = coalesce(json_patch(profile, :profile), profile),
             email = iif(:set_email, :email, email), avatar_url = iif(:set_avatar, :avatar, avatar_url)
         WHERE id = :id",
        named_params! {
            ":id": id, ":now": Millis::now(), ":display_name": edit.display_name.as_ref().map(ShownName::as_str),
            ":role": edit.role, ":profile": edit.profile.as_ref().map(profile_json),
            ":set_email": email.is_some(), ":email": email.flatten(),
            ":set_avatar": avatar.is_some(), ":avatar": avatar.flatten(),
        },
    )
    .on_constraint("users.email", "email")?;
    let changed = user(tx, id)?.ok_or(StoreError::Internal("a changed account is missing"))?;
    Ok(Guarded::Done(changed))
}

fn end(tx: &Connection, id: UserId) -> Result<Guarded<()>, StoreError> {
    let Some(old) = user(tx, id)? else {
        return Ok(Guarded::Missing);
    };
    if old.role() == Role::Admin && count_admins(tx)? == 1 {
        return Ok(Guarded::LastAdmin);
    }
    tx.execute(
        "UPDATE users SET deleted_at = ?2, updated_at = max(?2, updated_at + 1), email = NULL, password_hash = NULL,
             avatar_url = NULL, display_name = '', profile = '{}' WHERE id = ?1",
        params![id, Millis::now()],
    )?;
    tx.execute("DELETE FROM password_links WHERE user_id = ?1", [id])?;
    files::drop_avatars(tx, id)?;
    notifications::drop_of_user(tx, id)?;
    sessions::end_all(tx, id, None)?;
    Ok(Guarded::Done(()))
}

/// Replaces a password hash; this also revokes the account's password reset link.
pub(super) fn set_password(tx: &Connection, id: UserId, hash: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM password_links WHERE user_id = ?1", [id])?;
    tx.execute(
        "UPDATE users SET password_hash = ?2, updated_at = max(?3, updated_at + 1) WHERE id = ?1 AND deleted_at IS NULL",
        params![id, hash, Millis::now()],
    )?;
    Ok(())
}

fn count_admins(db: &Connection) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT count(*) FROM users WHERE role = 'admin' AND deleted_at IS NULL";
    Ok(db.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

/// Columns of a full account, after [`PERSON`].
pub(super) const REST: &str =
    "u.email, u.profile, u.password_hash IS NOT NULL, u.created_at, u.updated_at";
/// Number of columns in [`REST`].
pub(super) const REST_WIDTH: usize = 5;

/// Returns an account; `None` if it was deleted.
pub(super) fn user(db: &Connection, id: UserId) -> Result<Option<User>, StoreError> {
    let sql =
        format!("SELECT {PERSON}, {REST} FROM users u WHERE u.id = ?1 AND u.deleted_at IS NULL");
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id], |row| from_row(row, 0))
        .optional()?)
}

fn by_login(db: &Connection, login: &str) -> Result<Option<(User, Option<String>)>, StoreError> {
    let sql = format!(
        "SELECT {PERSON}, {REST}, u.password_hash FROM users u
         WHERE (u.username_key = ?1 OR u.email IN (?2, ?3)) AND u.deleted_at IS NULL"
    );
    let mut find = db.prepare_cached(&sql)?;
    let hash_at = PERSON_WIDTH + REST_WIDTH;
    let [email, other_form] = Email::stored_forms(login);
    let keys = params![name_key(login.trim()), email, other_form];
    Ok(find
        .query_row(keys, |row| Ok((from_row(row, 0)?, row.get(hash_at)?)))
        .optional()?)
}

/// Reads a full account whose columns begin at `at`.
pub(super) fn from_row(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    let rest = at + PERSON_WIDTH;
    let profile: serde_json::Value =
        serde_json::from_str(&row.get::<_, String>(rest + 1)?).unwrap_or_default();
    let text = |key: &str| profile[key].as_str().map(str::to_owned);
    let private = Private {
        email: row.get(rest)?,
        profile: Profile {
            postal_code: text("postal_code"),
            city: text("city"),
        },
        has_password: row.get(rest + 2)?,
    };
    Ok(User::new(
        person(row, at)?,
        private,
        row.get(rest + 3)?,
        row.get(rest + 4)?,
    ))
}

fn profile_json(profile: &Profile) -> String {
    serde_json::json!({"postal_code": profile.postal_code, "city": profile.city}).to_string()
}
