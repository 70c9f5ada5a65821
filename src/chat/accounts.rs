//! Accounts: registering, looking up, editing and deleting.

use uuid::Uuid;

use crate::model::{
    ChosenPassword, Email, Role, ShownName, User, UserEdit, UserId, Username, cut, name_key,
};
use crate::store::{Guarded, NewUser};

use super::client_info::ClientInfo;
use super::outbox::CloseReason;
use super::password_hasher::Lane;
use super::rate_limit::{client_network, keys};
use super::sessions::{TokenPair, TokenProfile};
use super::{Caller, Chat, ChatError, Cost};

/// Data for a new account.
#[derive(Clone, Debug)]
pub struct Registration {
    pub username: Username,
    pub email: Option<Email>,
    /// The username is shown if this is `None`.
    pub display_name: Option<ShownName>,
    pub password: ChosenPassword,
}

impl Registration {
    /// Refuses a password that attackers would try first.
    ///
    /// # Errors
    /// [`ChatError::Invalid`].
    pub fn refuse_guessable(self) -> Result<Self, ChatError> {
        let names = [
            Some(self.username.as_str()),
            self.email.as_ref().map(Email::as_str),
            self.display_name.as_ref().map(ShownName::as_str),
        ];
        let names: Vec<_> = names.into_iter().flatten().collect();
        let password = self.password.clone().refuse_guessable(&names)?;
        Ok(Self { password, ..self })
    }
}

impl Chat {
    /// Creates an ordinary account.
    ///
    /// # Errors
    /// [`ChatError::RegistrationClosed`], [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn register(
        &self,
        new: Registration,
        visitor: &ClientInfo,
    ) -> Result<User, ChatError> {
        self.may_register(visitor)?;
        self.add_registered(Role::User, new, visitor).await
    }

    /// Creates an account with that role, to which the caller's right was checked before. An ordinary account is
    /// created as by [`Chat::register`]; an admin may register from any address.
    ///
    /// # Errors
    /// As [`Chat::register`].
    pub async fn register_as(
        &self,
        role: Role,
        new: Registration,
        visitor: &ClientInfo,
    ) -> Result<User, ChatError> {
        if role != Role::Admin {
            return self.register(new, visitor).await;
        }
        self.add_registered(role, new, visitor).await
    }

    /// Returns a username that no account ever had, derived from a display name.
    ///
    /// # Errors
    /// [`ChatError::Taken`] if none is found, or if the store fails.
    pub async fn free_username(&self, name: &str) -> Result<Username, ChatError> {
        let plain = name.replace('@', "");
        let plain = Username::parse(cut(plain.trim(), 40).trim())
            .map_or_else(|_| "user".to_owned(), |name| name.as_str().to_owned());
        // After a few numbers in order, random ones find a gap soon.
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

    /// Returns accounts of a role with ids above `after`, by id.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn users_of_role(
        &self,
        role: Role,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<User>, ChatError> {
        Ok(self.core.store.users_of_role(role, after, limit).await?)
    }

    /// Creates a guest: an account without a password.
    ///
    /// # Errors
    /// [`ChatError::GuestsDisabled`], [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn register_guest(
        &self,
        username: Username,
        email: Option<Email>,
        display_name: Option<ShownName>,
        visitor: &ClientInfo,
    ) -> Result<User, ChatError> {
        self.may_visit(visitor)?;
        let adding = self.add(NewUser {
            role: Role::Guest,
            ..NewUser::named(username, email, display_name)
        });
        self.newcomer(visitor, adding).await
    }

    /// Opens a session with tokens for a new account.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn first_login(
        &self,
        user: User,
        visitor: &ClientInfo,
        grantor: &TokenProfile,
    ) -> Result<TokenPair, ChatError> {
        self.grant(user, visitor, grantor).await
    }

    /// Opens a browser's session for a new account. Also returns the value of the session cookie.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn first_login_cookie(
        &self,
        user: User,
        visitor: &ClientInfo,
    ) -> Result<(Caller, String), ChatError> {
        self.open_cookie(user, visitor).await
    }

    /// Edits the caller's own account; ignores a change of role.
    ///
    /// # Errors
    /// [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn edit_me(&self, caller: &Caller, edit: UserEdit) -> Result<User, ChatError> {
        self.count_action(caller, Cost::Account)?;
        self.edit_counted(caller, edit).await
    }

    /// Like [`Chat::edit_me`], for an action that was counted against the rate limit before.
    pub(super) async fn edit_counted(
        &self,
        caller: &Caller,
        edit: UserEdit,
    ) -> Result<User, ChatError> {
        let names_one = edit.username.is_some() || matches!(edit.email, Some(Some(_)));
        let editing = self.edit_account(caller.id(), UserEdit { role: None, ..edit });
        if !names_one {
            return editing.await;
        }
        let keys = keys::of_person(caller.id(), caller.address());
        self.core.limits.names.attempt(keys, editing).await
    }

    /// Returns the account with that id, unless it was deleted.
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

    /// Returns the account with that uuid, unless it was deleted.
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

    /// Returns the account with that username, unless it was deleted.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn user_called(&self, name: &str) -> Result<User, ChatError> {
        let found = self.core.store.user_by_name(name_key(name)).await?;
        self.user(found.ok_or(ChatError::NotFound("user"))?).await
    }

    /// Returns accounts with ids above `after`, by id, whose username or display name contains `query`.
    ///
    /// # Errors
    /// If the store fails.
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

    async fn add_registered(
        &self,
        role: Role,
        new: Registration,
        visitor: &ClientInfo,
    ) -> Result<User, ChatError> {
        let adding = async {
            let new = self.hashed(role, new, visitor).await?;
            self.add(new).await
        };
        self.newcomer(visitor, adding).await
    }

    /// Runs `adding` under the rate limits of registration: accounts per client network, and how often a client may
    /// learn that a name or an e-mail address is taken.
    pub(super) async fn newcomer<T>(
        &self,
        visitor: &ClientInfo,
        adding: impl Future<Output = Result<T, ChatError>>,
    ) -> Result<T, ChatError> {
        if let Some(limit) = &self.core.limits.registrations {
            limit
                .take(client_network(visitor.address), 1)
                .map_err(ChatError::Limited)?;
        }
        let keys = keys::of_client(visitor.address);
        self.core.limits.names.attempt(keys, adding).await
    }

    /// Prepares a new account, its password hashed in the queue for new accounts.
    pub(super) async fn hashed(
        &self,
        role: Role,
        new: Registration,
        visitor: &ClientInfo,
    ) -> Result<NewUser, ChatError> {
        let lane = Lane::newcomer(visitor.address);
        let password_hash = Some(self.core.hasher.hash(lane, &new.password).await?);
        Ok(NewUser {
            password_hash,
            role,
            ..NewUser::named(new.username, new.email, new.display_name)
        })
    }

    pub(super) async fn add(&self, new: NewUser) -> Result<User, ChatError> {
        let user = self.core.store.add_user(new).await?;
        self.welcome_to_lobby(&user);
        Ok(user)
    }

    /// Edits an account and tells the rooms, even if the caller stops waiting before it is stored. Simultaneous changes
    /// may reach the rooms in any order: they compare `Person::updated_at`.
    pub(super) async fn edit_account(&self, id: UserId, edit: UserEdit) -> Result<User, ChatError> {
        let core = self.core.clone();
        let editing = tokio::spawn(async move {
            let user = match core.store.edit_user(id, edit).await? {
                Guarded::Done(user) => user,
                Guarded::Missing => return Err(ChatError::NotFound("user")),
                Guarded::LastAdmin => return Err(ChatError::LastAdmin),
            };
            core.registry.tell_all_person(&user.person);
            Ok(user)
        });
        editing.await.map_err(ChatError::internal)?
    }

    /// Deletes an account: ends its sessions and connections, and removes it from its rooms.
    pub(super) async fn end_account(&self, id: UserId) -> Result<(), ChatError> {
        match self.core.store.end_user(id).await? {
            Guarded::Done(()) => {}
            Guarded::Missing => return Err(ChatError::NotFound("user")),
            Guarded::LastAdmin => return Err(ChatError::LastAdmin),
        }
        self.core
            .people
            .close(id, CloseReason::SessionEnded, |_| true);
        self.sweep_soon();
        self.retire(id).await
    }
}
