//! Passwords: logging in, confirming and changing them. A change takes effect only if the account still has the hash
//! that the password was checked against.

use uuid::Uuid;

use crate::model::{ChosenPassword, Millis, Password, User, UserId, is_hidden};
use crate::store::{CheckedHash, Session};

use super::caller::cookie_hash;
use super::client_info::ClientInfo;
use super::outbox::CloseReason;
use super::password_hasher::{Lane, Verified};
use super::rate_limit::keys;
use super::sessions::{Opening, TokenPair, TokenProfile};
use super::setup_link::random_token;
use super::{Caller, Chat, ChatError};

/// Number of checks per login. A hash that changed during the first check may only have been renewed.
const TRIES: usize = 2;

/// Maximum age of a session that deletes its account without a password, milliseconds.
const RECENT: i64 = 10 * 60_000;

/// Maximum length of a typed name in the log, characters.
const NAME_MAX: usize = 100;

/// Credentials of a login.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The user name or e-mail address.
    pub name: &'a str,
    /// The password as typed.
    pub password: &'a str,
    /// Role that the account must have, where a dialect asks for one.
    pub role: Option<&'a str>,
}

impl<'a> Login<'a> {
    /// Credentials for an account of any role.
    pub fn new(name: &'a str, password: &'a str) -> Self {
        Self {
            name,
            password,
            role: None,
        }
    }
}

/// Prepares a typed name for the log: truncates it and replaces characters that could control a terminal or mislead a
/// reader.
fn printable(name: &str) -> String {
    let visible = |c: char| match is_hidden(c) {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    name.chars().take(NAME_MAX).map(visible).collect()
}

/// Returns the reason of a failed login for the log.
fn reason<'a>(error: &'a ChatError, why: &'a str) -> &'a str {
    match error {
        ChatError::BadCredentials => why,
        ChatError::Limited(_) => "too many failed logins",
        ChatError::Busy => "too many logins at once",
        _ => "the server could not check it",
    }
}

/// An account whose password was right.
struct Checked {
    user: User,
    hash: CheckedHash,
}

impl Chat {
    /// Logs in with user name or e-mail address and password.
    ///
    /// # Errors
    /// [`ChatError::BadCredentials`], [`ChatError::Limited`] after too many of those, [`ChatError::Busy`].
    pub async fn log_in(
        &self,
        login: Login<'_>,
        visitor: &ClientInfo,
        grantor: &TokenProfile,
    ) -> Result<TokenPair, ChatError> {
        let jti = Uuid::new_v4();
        let opening = Opening::with_tokens(grantor, jti);
        let (session, user) = self.begin(login, visitor, opening).await?;
        self.sign_pair(&session, user, jti, grantor)
    }

    /// Logs a browser in; returns the value of the session cookie too.
    ///
    /// # Errors
    /// As [`Chat::log_in`].
    pub async fn log_in_cookie(
        &self,
        login: Login<'_>,
        visitor: &ClientInfo,
    ) -> Result<(Caller, String), ChatError> {
        let value = random_token();
        let opening = Opening::with_cookie(cookie_hash(&value));
        let (session, user) = self.begin(login, visitor, opening).await?;
        Ok((Caller::new(&session, user), value))
    }

    /// Changes the caller's password and ends all their other sessions.
    ///
    /// # Errors
    /// [`ChatError::BadCredentials`] if the current one is wrong or the account has none; [`ChatError::Limited`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: ChosenPassword,
    ) -> Result<(), ChatError> {
        let checked = self.confirm(caller, current).await?;
        let lane = Lane::Known(caller.id());
        let hash = self.core.hasher.hash(lane, &new).await?;
        let (store, keep) = (&self.core.store, Some(caller.session()));
        let changed = store.change_password(caller.id(), hash, keep, Some(checked.hash.hash));
        if !changed.await? {
            return Err(ChatError::BadCredentials);
        }
        self.core
            .people
            .close(caller.id(), CloseReason::SessionEnded, |open| {
                open != caller.session()
            });
        Ok(())
    }

    /// Deletes the caller's account after confirming the password; guests have none.
    ///
    /// # Errors
    /// [`ChatError::BadCredentials`], [`ChatError::LastAdmin`], [`ChatError::Limited`].
    pub async fn end_me(&self, caller: &Caller, password: Option<&str>) -> Result<(), ChatError> {
        if caller.user().has_password() {
            self.confirm(caller, password.unwrap_or_default()).await?;
        }
        self.end_account(caller.id()).await
    }

    /// Deletes the caller's account for dialects that cannot ask for the password: only soon after a login.
    ///
    /// # Errors
    /// [`ChatError::StaleLogin`], [`ChatError::LastAdmin`].
    pub(super) async fn end_me_after_login(&self, caller: &Caller) -> Result<(), ChatError> {
        let is_recent = |began: Millis| Millis::now().0 - began.0 <= RECENT;
        if caller.user().has_password() && !caller.began().is_none_or(is_recent) {
            return Err(ChatError::StaleLogin);
        }
        self.end_account(caller.id()).await
    }

    /// Checks a password and opens a session. Unknown names cost as much as existing ones.
    async fn begin(
        &self,
        login: Login<'_>,
        visitor: &ClientInfo,
        opening: Opening,
    ) -> Result<(Session, User), ChatError> {
        let (limits, name) = (&self.core.limits, login.name);
        let found = self.core.store.user_by_login(name.to_owned()).await?;
        let id = found.map(|(user, _)| user.id());
        let account = limits.known.account(id, name);
        let known = limits.known.contains(account, visitor.address);
        let lane = match id.filter(|_| known) {
            Some(id) => Lane::Known(id),
            None => Lane::stranger(visitor.address),
        };
        let mut why = "the password was changed meanwhile";
        let work = async {
            for _ in 0..TRIES {
                let checked = self.check(name, login.password, lane, &mut why).await?;
                let user = checked.user;
                if login.role.is_some_and(|role| role != user.role().as_str()) {
                    why = "the account has another role";
                    break;
                }
                let opened = self.open_session(&user, Some(checked.hash), visitor, opening);
                if let Some(session) = opened.await? {
                    return Ok((session, user));
                }
            }
            Err(ChatError::BadCredentials)
        };
        let keys = keys::of_login(visitor.address, account, known);
        let begun = limits.logins.attempt(keys, work).await;
        let client = visitor.address;
        match &begun {
            Ok((_, user)) => {
                let name = &user.person.username;
                tracing::info!(user = %user.id(), %name, %client, by = opening.kind(), "logged in");
            }
            Err(error) => {
                let (name, reason) = (printable(name), reason(error, why));
                tracing::info!(%name, %client, by = opening.kind(), reason, "login failed");
            }
        }
        begun
    }

    /// Checks the caller's own password.
    async fn confirm(&self, caller: &Caller, password: &str) -> Result<Checked, ChatError> {
        let username = &caller.person().username;
        let mut why = "";
        let work = self.check(username, password, Lane::Known(caller.id()), &mut why);
        let keys = keys::of_owner(caller.id());
        let checked = self.core.limits.logins.attempt(keys, work).await;
        let checked = checked.inspect_err(|error| {
            let (user, reason) = (caller.id(), reason(error, why));
            tracing::info!(%user, reason, "password confirmation failed");
        })?;
        match checked.user.id() == caller.id() {
            true => Ok(checked),
            false => Err(ChatError::BadCredentials),
        }
    }

    /// Checks a name and a password. `why` is for the log only: clients must not learn which of the two is wrong.
    async fn check(
        &self,
        name: &str,
        password: &str,
        lane: Lane,
        why: &mut &'static str,
    ) -> Result<Checked, ChatError> {
        *why = "the password is not one";
        let password = Password::parse(password).map_err(|_| ChatError::BadCredentials)?;
        let found = self.core.store.user_by_login(name.to_owned()).await?;
        let (user, hash) = found.unzip();
        let hash = hash.flatten();
        let hasher = &self.core.hasher;
        let verified = hasher.verify(lane, password.clone(), hash.clone()).await?;
        *why = match (&user, &hash) {
            (None, _) => "no account has this name",
            (Some(_), None) => "the account has no password",
            (Some(_), Some(_)) => "wrong password",
        };
        let (Some(user), Some(hash)) = (user, hash) else {
            return Err(ChatError::BadCredentials);
        };
        let renewed = match verified {
            Verified::No => return Err(ChatError::BadCredentials),
            Verified::Yes => None,
            Verified::Outdated => Some(hasher.rehash(lane, &password).await?),
        };
        let hash = CheckedHash { hash, renewed };
        Ok(Checked { user, hash })
    }

    /// Records the address from which an account logged in.
    pub(super) fn note_address(&self, user: UserId, visitor: &ClientInfo) {
        self.core.limits.known.note(user, visitor.address);
    }
}
