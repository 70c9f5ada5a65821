//! Accounts: making one, logging in, changing and ending one's own.

use uuid::Uuid;

use crate::model::{
    ChosenPassword, Email, Role, ShownName, User, UserEdit, UserId, Username, cut, name_key,
};
use crate::store::{Guarded, NewUser};

use super::hasher::Lane;
use super::limits::{client_network, keys};
use super::outbox::Closing;
use super::sessions::{Grant, Grantor};
use super::visitor::Visitor;
use super::{Caller, Chat, ChatError, Cost};

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
    pub password: ChosenPassword,
}

impl Registration {
    /// Refuses a password that would be among the first to be tried.
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
    /// Makes an ordinary account.
    ///
    /// # Errors
    /// [`ChatError::RegistrationClosed`], [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn register(&self, new: Registration, visitor: &Visitor) -> Result<User, ChatError> {
        self.may_register(visitor)?;
        self.add_registered(Role::User, new, visitor).await
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
        self.add_registered(role, new, visitor).await
    }

    /// A user name nobody had, made from a name to show.
    ///
    /// # Errors
    /// [`ChatError::Taken`] if none can be found, or whatever keeps the store from answering.
    pub async fn free_username(&self, name: &str) -> Result<Username, ChatError> {
        let plain = name.replace('@', "");
        let plain = Username::parse(cut(plain.trim(), 40).trim())
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
        let adding = self.add(NewUser {
            role: Role::Guest,
            ..NewUser::named(username, email, display_name)
        });
        self.newcomer(visitor, adding).await
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

    /// Changes the caller's own account; a role cannot be changed this way.
    ///
    /// # Errors
    /// [`ChatError::Taken`], [`ChatError::Limited`].
    pub async fn edit_me(&self, caller: &Caller, edit: UserEdit) -> Result<User, ChatError> {
        self.count_action(caller, Cost::Account)?;
        self.edit_counted(caller, edit).await
    }

    /// The same for an action that was counted before.
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

    async fn add_registered(
        &self,
        role: Role,
        new: Registration,
        visitor: &Visitor,
    ) -> Result<User, ChatError> {
        let adding = async {
            let new = self.hashed(role, new, visitor).await?;
            self.add(new).await
        };
        self.newcomer(visitor, adding).await
    }

    /// Makes an account under the limits for that: how many from one address, and how often one may learn that a name
    /// or an e-mail address is taken.
    pub(super) async fn newcomer<T>(
        &self,
        visitor: &Visitor,
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

    /// An account to be made, its password hashed in the queue for new ones.
    pub(super) async fn hashed(
        &self,
        role: Role,
        new: Registration,
        visitor: &Visitor,
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

    /// Changes an account and tells the rooms, also if whoever asked goes away before it is stored. Changes at the same
    /// time may be told in any order: the rooms follow `Person::updated_at`.
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

    /// Ends an account: its sessions, its connections, its places in rooms.
    pub(super) async fn end_account(&self, id: UserId) -> Result<(), ChatError> {
        match self.core.store.end_user(id).await? {
            Guarded::Done(()) => {}
            Guarded::Missing => return Err(ChatError::NotFound("user")),
            Guarded::LastAdmin => return Err(ChatError::LastAdmin),
        }
        self.core.people.close(id, Closing::SessionEnded, |_| true);
        self.sweep_soon();
        self.retire(id).await
    }
}
