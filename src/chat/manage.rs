//! What the operator does to accounts from the command line: over the file alone, whether or not a server runs. Writes
//! only `users` and `sessions`; a running server, or the next one, draws the conclusions (see `background`). Must not
//! know rooms nor a running [`Chat`](super::Chat).

use crate::model::{ChosenPassword, Role, User, UserEdit, UserId};
use crate::store::{Guarded, NewUser, Standing, Store, StoreError};

use super::hasher::hash_here;

/// So many accounts are read at once: a reader may not take long.
const PAGE: u32 = 1000;

/// Why an account was left as it was.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ManageError {
    /// No living account has that name or e-mail.
    #[error("there is no account {0:?}")]
    NoAccount(String),
    /// The last admin can be neither removed nor demoted.
    #[error("{0} is the last admin")]
    LastAdmin(String),
    /// Guests have no password.
    #[error("{0} is a guest, who has no password")]
    Guest(String),
    /// The password could not be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    /// The file refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a password is kept as. Takes a good part of a second with the usual `rounds`: do it before opening the file.
///
/// # Errors
/// [`ManageError::Hash`].
pub fn hash(password: &ChosenPassword, rounds: u32) -> Result<String, ManageError> {
    hash_here(password, rounds).map_err(|error| ManageError::Hash(error.to_string()))
}

/// Makes an account, whose password is `hash` now. It gets its place in the lobby from the server.
///
/// # Errors
/// [`StoreError::Conflict`] on `username` (look-alikes and ended accounts too) and `email`.
pub async fn add(store: &Store, new: NewUser) -> Result<User, ManageError> {
    Ok(store.add_account(new).await?)
}

/// Gives an account another password, which is `hash` now, and ends all its sessions.
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

/// Gives an account another role; a running server closes its connections, which come back with it.
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

/// Ends an account and its sessions; a running server, or the next one, takes it out of its rooms.
///
/// # Errors
/// [`ManageError::NoAccount`], [`ManageError::LastAdmin`].
pub async fn remove(store: &Store, login: &str) -> Result<User, ManageError> {
    let user = find(store, login).await?;
    done(store.end_user(user.id()).await?, login, &user)?;
    Ok(user)
}

/// Every living account and how it is used, by id.
///
/// # Errors
/// Whatever keeps the file from being read.
pub async fn list(store: &Store) -> Result<Vec<Standing>, ManageError> {
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

/// The living account of that name or e-mail.
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
