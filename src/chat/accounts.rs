//! Accounts: making one, logging in, changing and ending one's own.

use std::net::IpAddr;

use uuid::Uuid;

use crate::model::{
    Email, Password, Person, Role, ShownName, User, UserEdit, UserId, Username, name_key,
};
use crate::store::{Guarded, NewUser};

use super::hasher::Verified;
use super::limits::neighbourhood;
use super::outbox::Closing;
use super::sessions::{Grant, Grantor};
use super::{Caller, Chat, ChatError, Visitor};

/// Whose failed logins are counted together: an address and the account it tries.
pub(super) type LoginKey = (IpAddr, String);

/// An account somebody wants.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The unique name.
    pub username: Username,
    /// The unique address.
    pub email: Option<Email>,
    /// The name to show; the username if there is none.
    pub display_name: Option<ShownName>,
    /// What they will log in with.
    pub password: Password,
}

impl Chat {
    /// Makes an ordinary account.
    ///
    /// # Errors
    /// [`ChatError::RegistrationClosed`], [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn register(&self, new: Registration, visitor: &Visitor) -> Result<User, ChatError> {
        self.may_register(visitor)?;
        self.count_registration(visitor)?;
        self.add_registered(Role::User, new).await
    }

    /// Makes an account of that role, for those whose right to it was checked before: an ordinary one as
    /// [`Chat::register`] does, an admin from any address.
    ///
    /// # Errors
    /// As [`Chat::register`].
    pub async fn register_as(
        &self,
        role: Role,
        new: Registration,
        visitor: &Visitor,
    ) -> Result<User, ChatError> {
        if role != Role::Admin {
            return self.register(new, visitor).await;
        }
        self.count_registration(visitor)?;
        self.add_registered(role, new).await
    }

    /// A user name nobody had, made from a name to show.
    ///
    /// # Errors
    /// [`ChatError::Taken`] if none can be found, or whatever keeps the store from answering.
    pub async fn free_username(&self, name: &str) -> Result<Username, ChatError> {
        let plain: String = name.replace('@', "").trim().chars().take(40).collect();
        let plain = Username::parse(plain.trim())
            .map_or_else(|_| "user".to_owned(), |name| name.as_str().to_owned());
        // After a few tries in order, random numbers find a gap soon.
        let numbers =
            (2..10).chain(std::iter::repeat_with(|| rand::random_range(10..1_000_000)).take(20));
        let wished = std::iter::once(plain.clone())
            .chain(numbers.map(|number: u32| format!("{plain}{number}")));
        for wish in wished {
            let Ok(username) = Username::parse(&wish) else {
                continue;
            };
            if !self.core.store.is_name_taken(username.clone()).await? {
                return Ok(username);
            }
        }
        Err(ChatError::Taken("username"))
    }

    /// Living accounts of a role, by id after `after`.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn users_of_role(
        &self,
        role: Role,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<User>, ChatError> {
        Ok(self.core.store.users_of_role(role, after, limit).await?)
    }

    /// Makes a guest: an account without a password.
    ///
    /// # Errors
    /// [`ChatError::GuestsDisabled`], [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn register_guest(
        &self,
        username: Username,
        email: Option<Email>,
        display_name: Option<ShownName>,
        visitor: &Visitor,
    ) -> Result<User, ChatError> {
        self.may_visit(visitor)?;
        self.count_registration(visitor)?;
        self.add(NewUser {
            role: Role::Guest,
            ..NewUser::named(username, email, display_name)
        })
        .await
    }

    /// Opens a session with tokens for an account that was just made.
    ///
    /// # Errors
    /// Whatever keeps the store from it.
    pub async fn first_login(
        &self,
        user: User,
        visitor: &Visitor,
        grantor: &Grantor,
    ) -> Result<Grant, ChatError> {
        self.grant(user, visitor, grantor).await
    }

    /// Opens a browser's session for an account that was just made; the cookie's value comes second.
    ///
    /// # Errors
    /// Whatever keeps the store from it.
    pub async fn first_login_cookie(
        &self,
        user: User,
        visitor: &Visitor,
    ) -> Result<(Caller, String), ChatError> {
        self.open_cookie(user, visitor).await
    }

    /// Logs in by name or e-mail and password.
    ///
    /// # Errors
    /// [`ChatError::BadCredentials`], [`ChatError::Limited`] after too many of those, [`ChatError::Busy`].
    pub async fn log_in(
        &self,
        login: &str,
        password: &str,
        visitor: &Visitor,
        grantor: &Grantor,
    ) -> Result<Grant, ChatError> {
        let user = self.check_login(login, password, visitor).await?;
        self.grant(user, visitor, grantor).await
    }

    /// Logs a browser in; the cookie's value comes second.
    ///
    /// # Errors
    /// As [`Chat::log_in`].
    pub async fn log_in_cookie(
        &self,
        login: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<(Caller, String), ChatError> {
        let user = self.check_login(login, password, visitor).await?;
        self.open_cookie(user, visitor).await
    }

    /// The account that has this name or e-mail and password; no session is opened.
    ///
    /// # Errors
    /// As [`Chat::log_in`].
    pub async fn check_login(
        &self,
        login: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<User, ChatError> {
        let key = (
            neighbourhood(visitor.address),
            name_key(login.trim()).chars().take(300).collect(),
        );
        let logins = self.core.limits.logins.as_ref();
        if let Some(logins) = logins {
            logins.look(&key).map_err(ChatError::Limited)?;
        }
        let password = Password::parse(password).map_err(|_| ChatError::BadCredentials)?;
        let (user, hash) = self
            .core
            .store
            .user_by_login(login.to_owned())
            .await?
            .unzip();
        let verified = self
            .core
            .hasher
            .verify(password.clone(), hash.flatten())
            .await?;
        match (user, verified) {
            (Some(user), Verified::Yes) => Ok(user),
            (Some(user), Verified::Outdated) => self.rehash(user, password).await,
            _ => {
                logins
                    .map_or(Ok(()), |logins| logins.take(key))
                    .map_err(ChatError::Limited)?;
                Err(ChatError::BadCredentials)
            }
        }
    }

    /// Changes the caller's own account; a role cannot be changed this way.
    ///
    /// # Errors
    /// [`ChatError::Taken`].
    pub async fn edit_me(&self, caller: &Caller, edit: UserEdit) -> Result<User, ChatError> {
        self.edit_account(caller.id(), UserEdit { role: None, ..edit })
            .await
    }

    /// Changes the caller's password and ends all their other sessions.
    ///
    /// # Errors
    /// [`ChatError::BadCredentials`] if the current one is wrong or there is none; [`ChatError::Limited`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: Password,
    ) -> Result<(), ChatError> {
        self.confirm(caller, current).await?;
        let hash = self.core.hasher.hash(new).await?;
        self.core
            .store
            .change_password(caller.id(), hash, Some(caller.session()))
            .await?;
        self.core
            .people
            .close(caller.id(), Closing::SessionEnded, |open| {
                open != caller.session()
            });
        Ok(())
    }

    /// Ends the caller's account; guests have no password to confirm it with.
    ///
    /// # Errors
    /// [`ChatError::BadCredentials`], [`ChatError::LastAdmin`].
    pub async fn end_me(&self, caller: &Caller, password: Option<&str>) -> Result<(), ChatError> {
        if caller.user().has_password() {
            self.confirm(caller, password.unwrap_or_default()).await?;
        }
        self.end_account(caller.id()).await
    }

    /// The living account of that number.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn user(&self, id: UserId) -> Result<User, ChatError> {
        self.core
            .store
            .user(id)
            .await?
            .ok_or(ChatError::NotFound("user"))
    }

    /// The living account of that uuid.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn user_by_uuid(&self, uuid: Uuid) -> Result<User, ChatError> {
        self.core
            .store
            .user_by_uuid(uuid)
            .await?
            .ok_or(ChatError::NotFound("user"))
    }

    /// The living account of that name.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn user_called(&self, name: &str) -> Result<User, ChatError> {
        let found = self.core.store.user_by_name(name_key(name)).await?;
        self.user(found.ok_or(ChatError::NotFound("user"))?).await
    }

    /// Living accounts by id after `after`, of which `query` is part of a name.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn users(
        &self,
        query: &str,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<User>, ChatError> {
        Ok(self
            .core
            .store
            .users(query.to_owned(), after, limit)
            .await?)
    }

    async fn add_registered(&self, role: Role, new: Registration) -> Result<User, ChatError> {
        let password_hash = Some(self.core.hasher.hash(new.password).await?);
        self.add(NewUser {
            password_hash,
            role,
            ..NewUser::named(new.username, new.email, new.display_name)
        })
        .await
    }

    pub(super) async fn add(&self, new: NewUser) -> Result<User, ChatError> {
        let user = self.core.store.add_user(new).await?;
        self.welcome_to_lobby(&user);
        Ok(user)
    }

    pub(super) async fn edit_account(&self, id: UserId, edit: UserEdit) -> Result<User, ChatError> {
        let user = match self.core.store.edit_user(id, edit).await? {
            Guarded::Done(user) => user,
            Guarded::Missing => return Err(ChatError::NotFound("user")),
            Guarded::LastAdmin => return Err(ChatError::LastAdmin),
        };
        self.core.registry.tell_all_person(&user.person);
        Ok(user)
    }

    /// Ends an account: its sessions, its connections, its places in rooms.
    pub(super) async fn end_account(&self, id: UserId) -> Result<(), ChatError> {
        match self.core.store.end_user(id).await? {
            Guarded::Done(()) => {}
            Guarded::Missing => return Err(ChatError::NotFound("user")),
            Guarded::LastAdmin => return Err(ChatError::LastAdmin),
        }
        self.core.people.close(id, Closing::SessionEnded, |_| true);
        self.retire(id).await
    }

    async fn confirm(&self, caller: &Caller, password: &str) -> Result<(), ChatError> {
        let visitor = Visitor {
            address: std::net::Ipv4Addr::UNSPECIFIED.into(),
            remote: None,
            user_agent: String::new(),
        };
        let Person { username, .. } = &**caller.person();
        self.check_login(username, password, &visitor)
            .await
            .map(drop)
    }

    async fn rehash(&self, user: User, password: Password) -> Result<User, ChatError> {
        let hash = self.core.hasher.hash(password).await?;
        self.core.store.set_password_hash(user.id(), hash).await?;
        Ok(user)
    }

    pub(super) fn count_registration(&self, visitor: &Visitor) -> Result<(), ChatError> {
        match &self.core.limits.registrations {
            Some(limit) => limit
                .take(neighbourhood(visitor.address))
                .map_err(ChatError::Limited),
            None => Ok(()),
        }
    }
}
