//! Account management: by admins on other accounts, and by people on their own.

use crate::model::{Profile, Role, ShownName, User, UserEdit, UserId, Username, WebUrl};
use crate::store::NewUser;

use super::outbox::CloseReason;
use super::{Caller, Chat, ChatError, Cost};

impl Chat {
    /// Edits an account. A new role closes its connections, which reconnect with that role.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin, [`ChatError::LastAdmin`], [`ChatError::Taken`].
    pub async fn edit_user(
        &self,
        caller: &Caller,
        id: UserId,
        edit: UserEdit,
    ) -> Result<User, ChatError> {
        self.may_act_on(caller, id, edit.role).await?;
        self.count_action(caller, Cost::Account)?;
        let before = self.user(id).await?.role();
        let user = self.edit_account(id, edit).await?;
        if user.role() != before {
            self.core.people.close(id, CloseReason::Changed, |_| true);
        }
        Ok(user)
    }

    /// Deletes an account.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin, [`ChatError::LastAdmin`].
    pub async fn end_user(&self, caller: &Caller, id: UserId) -> Result<(), ChatError> {
        self.may_act_on(caller, id, None).await?;
        self.count_action(caller, Cost::Account)?;
        self.end_account(id).await
    }

    /// Edits the caller's own account, or as an admin another one.
    ///
    /// # Errors
    /// As [`Chat::edit_user`].
    pub async fn edit_own_or(
        &self,
        caller: &Caller,
        id: UserId,
        edit: UserEdit,
    ) -> Result<User, ChatError> {
        match caller.id() == id {
            true => self.edit_me(caller, edit).await,
            false => self.edit_user(caller, id, edit).await,
        }
    }

    /// Deletes an account without asking for its password: the caller's own soon after a login, or as an admin another
    /// one.
    ///
    /// # Errors
    /// As [`Chat::end_user`], and [`ChatError::StaleLogin`].
    pub async fn end_own_or(&self, caller: &Caller, id: UserId) -> Result<(), ChatError> {
        match caller.id() == id {
            true => self.end_me_after_login(caller).await,
            false => self.end_user(caller, id).await,
        }
    }

    /// Whether a display name could be mistaken for that of another account.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn is_like_somebody(&self, name: ShownName) -> Result<bool, ChatError> {
        Ok(self.core.store.is_like_somebody(name).await?)
    }

    /// Sets the picture of a new account.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn first_picture(&self, user: &User, picture: WebUrl) -> Result<User, ChatError> {
        let avatar_url = Some(Some(picture));
        self.edit_account(
            user.id(),
            UserEdit {
                avatar_url,
                ..UserEdit::default()
            },
        )
        .await
    }

    /// Logs an account out everywhere.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin.
    pub async fn end_user_sessions(&self, caller: &Caller, id: UserId) -> Result<(), ChatError> {
        caller.need_admin()?;
        self.user(id).await?;
        self.core.store.end_sessions(id, None).await?;
        self.core
            .people
            .close(id, CloseReason::SessionEnded, |_| true);
        Ok(())
    }

    /// Creates an account without a password; an admin sets one later.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin, [`ChatError::Taken`] on the name.
    pub async fn make_account(
        &self,
        caller: &Caller,
        username: Username,
        profile: Profile,
    ) -> Result<User, ChatError> {
        caller.need_admin()?;
        self.count_action(caller, Cost::Place)?;
        self.add(NewUser {
            profile,
            ..NewUser::named(username, None, None)
        })
        .await
    }

    /// Requires an admin. An unauthenticated caller (`compat.open`) may neither act on an admin nor create one.
    async fn may_act_on(
        &self,
        caller: &Caller,
        id: UserId,
        role: Option<Role>,
    ) -> Result<(), ChatError> {
        caller.need_admin()?;
        if caller.is_proven() {
            return Ok(());
        }
        let touches_admin = role == Some(Role::Admin) || self.user(id).await?.role() == Role::Admin;
        if touches_admin {
            Err(ChatError::Forbidden)
        } else {
            Ok(())
        }
    }
}
