//! Account management from the command line, on the database alone, whether or not a server runs. Writes only `users`
//! and `sessions`; a running server, or the next one, updates everything else (see `background`). Must not know rooms
//! or a running [`Chat`](super::Chat).

use crate::model::{ChosenPassword, Role, User, UserEdit, UserId};
use crate::store::{Guarded, NewUser, Store, StoreError, UserUsage};

use super::password_hasher::hash_here;

/// Number of accounts per read, because a reader must not take long.
const PAGE: u32 = 1000;

/// Reason why an account was not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ManageError {
    /// No account has that name or e-mail address, or it was deleted.
    #[error("there is no account {0:?}")]
    NoAccount(String),
    /// The last admin can be neither removed nor demoted.
    #[error("{0} is the last admin")]
    LastAdmin(String),
    #[error("{0} is a guest, who has no password")]
    Guest(String),
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hashes a password. Takes a large part of a second with the default `rounds`, so do it before opening the database.
///
/// # Errors
/// [`ManageError::Hash`].
pub fn hash(password: &ChosenPassword, rounds: u32) -> Result<String, ManageError> {
    hash_here(password, rounds).map_err(|error| ManageError::Hash(error.to_string()))
}

/// Creates an account with that password hash. A server adds it to the lobby.
///
/// # Errors
/// [`StoreError::Conflict`] on `username` (also for look-alikes and deleted accounts) and `email`.
pub async fn add(store: &Store, new: NewUser) -> Result<User, ManageError> {
    Ok(store.add_account(new).await?)
}

/// Sets the password hash of an account and ends all its sessions.
///
/// # Errors
/// [`ManageError::NoAccount`], [`ManageError::Guest`].
pub async fn change_password(
    store: &Store,
    login: &str,
    hash: String,
) -> Result<User, ManageError> {
    let user = find(store, login).await?;
    if user.role() == Role::Guest {
        return Err(ManageError::Guest(user.person.username.clone()));
    }
    store.change_password(user.id(), hash, None, None).await?;
    Ok(user)
}

/// Changes the role of an account. A running server closes its connections, and clients reconnect with the new role.
///
/// # Errors
/// [`ManageError::NoAccount`], [`ManageError::LastAdmin`].
pub async fn set_role(store: &Store, login: &str, role: Role) -> Result<User, ManageError> {
    let user = find(store, login).await?;
    let edit = UserEdit {
        role: Some(role),
        ..UserEdit::default()
    };
    done(store.edit_user(user.id(), edit).await?, login, &user)
}

/// Deletes an account and its sessions. A running server, or the next one, removes it from its rooms.
///
/// # Errors
/// [`ManageError::NoAccount`], [`ManageError::LastAdmin`].
pub async fn remove(store: &Store, login: &str) -> Result<User, ManageError> {
    let user = find(store, login).await?;
    done(store.end_user(user.id()).await?, login, &user)?;
    Ok(user)
}

/// Returns all accounts that are not deleted, with their usage, by id.
///
/// # Errors
/// If the store fails.
pub async fn list(store: &Store) -> Result<Vec<UserUsage>, ManageError> {
    let mut all = store.roster(String::new(), UserId(0), PAGE).await?;
    let mut read = all.len();
    while read == PAGE as usize {
        let after = all.last().map_or(UserId(0), |last| last.user.id());
        let more = store.roster(String::new(), after, PAGE).await?;
        read = more.len();
        all.extend(more);
    }
    Ok(all)
}

/// Returns the account with that name or e-mail address, unless it was deleted.
async fn find(store: &Store, login: &str) -> Result<User, ManageError> {
    let found = store.user_by_login(login.to_owned()).await?;
    found
        .map(|(user, _)| user)
        .ok_or_else(|| ManageError::NoAccount(login.to_owned()))
}

fn done<T>(change: Guarded<T>, login: &str, user: &User) -> Result<T, ManageError> {
    match change {
        Guarded::Done(done) => Ok(done),
        Guarded::Missing => Err(ManageError::NoAccount(login.to_owned())),
        Guarded::LastAdmin => Err(ManageError::LastAdmin(user.person.username.clone())),
    }
}
