//! Invite links and password reset links. The code of a link is all that is needed to use it, so only the hash of the
//! code is stored, and the code is shown once.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::model::{
    Action, ChosenPassword, Invite, InviteId, Millis, Role, Room, RoomId, User, UserId, may_invite,
};
use crate::store::{CodeHash, NewInvite};

use super::accounts::Registration;
use super::client_info::ClientInfo;
use super::error::allowed;
use super::outbox::CloseReason;
use super::password_hasher::Lane;
use super::rate_limit::keys;
use super::room::Order;
use super::setup_link::random_token;
use super::{Caller, Chat, ChatError};

const NO_LINK: ChatError = ChatError::NotFound("password link");

/// Lifetime of a password reset link.
const PASSWORD_LINK_GOOD_FOR: Duration = Duration::from_secs(24 * 3600);

/// Parameters of a new invite.
#[derive(Clone, Copy, Debug)]
pub struct InviteOptions {
    /// Room that the invite leads to, if any.
    pub room: Option<RoomId>,
    /// Number of times it may be used, at most [`Invite::USES_MAX`].
    pub max_uses: u32,
    /// Lifetime.
    pub good_for: Duration,
}

/// A new object with its code, which cannot be read again later.
#[derive(Clone, Debug)]
pub struct WithCode<T> {
    pub made: T,
    /// 32 hexadecimal digits.
    pub code: String,
}

/// A link for choosing a new password.
#[derive(Clone, Debug)]
pub struct PasswordLink {
    pub user: User,
    pub expires_at: Millis,
}

impl Chat {
    /// Creates an invite.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`] if the caller cannot see the room, [`ChatError::Limited`].
    pub async fn create_invite(
        &self,
        caller: &Caller,
        wish: InviteOptions,
    ) -> Result<WithCode<Invite>, ChatError> {
        self.check_may_invite(caller, wish.room).await?;
        self.count_message(caller)?;
        let code = random_token();
        let new = NewInvite {
            code_hash: hash(&code),
            room_id: wish.room,
            created_by: caller.id(),
            max_uses: wish.max_uses,
            expires_at: Millis::now().after(wish.good_for),
        };
        let made = self.core.store.add_invite(new).await?;
        let made = made.ok_or(ChatError::NotFound("room"))?;
        Ok(WithCode { made, code })
    }

    /// Returns the invites that the caller may create and revoke, by id after `after`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn invites(
        &self,
        caller: &Caller,
        after: InviteId,
        limit: u32,
    ) -> Result<Vec<Invite>, ChatError> {
        let keeper = (caller.role() != Role::Admin).then(|| caller.id());
        Ok(self.core.store.invites(keeper, after, limit).await?)
    }

    /// Revokes an invite.
    ///
    /// # Errors
    /// [`ChatError::NotFound`], also if the caller may not create such an invite.
    pub async fn revoke_invite(&self, caller: &Caller, id: InviteId) -> Result<(), ChatError> {
        const NONE: ChatError = ChatError::NotFound("invite");
        let invite = self.core.store.invite(id).await?.ok_or(NONE)?;
        let room = invite.room.map(|room| room.id);
        self.check_may_invite(caller, room)
            .await
            .map_err(|_| NONE)?;
        match self.core.store.remove_invite(id).await? {
            true => Ok(()),
            false => Err(NONE),
        }
    }

    /// Returns the invite with that code.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it is not valid (any more), [`ChatError::Limited`] after too many such errors.
    pub async fn invite(&self, code: &str, visitor: &ClientInfo) -> Result<Invite, ChatError> {
        let look = async {
            let found = self.core.store.invite_by_code(hash(code)).await?;
            found
                .filter(|invite| invite.is_good(Millis::now()))
                .ok_or(ChatError::NotFound("invite"))
        };
        self.guess_code(visitor, look).await
    }

    /// Runs `doing`, whose result reveals whether the code of a link is valid, under the rate limit for wrong codes.
    pub(super) async fn guess_code<T>(
        &self,
        visitor: &ClientInfo,
        doing: impl Future<Output = Result<T, ChatError>>,
    ) -> Result<T, ChatError> {
        let keys = keys::of_client(visitor.address);
        self.core.limits.codes.attempt(keys, doing).await
    }

    /// Whether that client may create an account with the invite.
    pub fn registers(&self, invite: &Invite, visitor: &ClientInfo) -> bool {
        invite.registers() || self.may_register(visitor).is_ok()
    }

    /// Creates an ordinary account by an invite and adds it to the invite's room.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the invite is not valid (any more), and those of [`Chat::register`].
    pub async fn register_invited(
        &self,
        new: Registration,
        code: &str,
        visitor: &ClientInfo,
    ) -> Result<User, ChatError> {
        let invite = self.invite(code, visitor).await?;
        if !invite.registers() {
            self.may_register(visitor)?;
        }
        let adding = async {
            let user = self.hashed(Role::User, new, visitor).await?;
            let made = self.core.store.add_invited_user(user, hash(code)).await?;
            made.ok_or(ChatError::NotFound("invite"))
        };
        let user = self.newcomer(visitor, adding).await?;
        self.welcome_to_lobby(&user);
        if let Some(room) = invite.room {
            self.enter_invited(&user, room.id).await;
        }
        Ok(user)
    }

    /// Adds the caller to the room of an invite.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it is not valid (any more) or has no room, [`ChatError::AlreadyMember`].
    pub async fn join_by_invite(
        &self,
        caller: &Caller,
        code: &str,
        visitor: &ClientInfo,
    ) -> Result<Room, ChatError> {
        let invite = self.invite(code, visitor).await?;
        let room = invite.room.ok_or(ChatError::NotFound("invite"))?;
        let order = Order::JoinByInvite(hash(code));
        self.order_room(caller, room.id, order).await
    }

    /// Creates a link by which a person who forgot the password chooses a new one. It replaces an earlier link.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin, and for accounts of guests, who have no password.
    pub async fn create_password_link(
        &self,
        caller: &Caller,
        id: UserId,
    ) -> Result<WithCode<PasswordLink>, ChatError> {
        caller.need_admin()?;
        let user = self.user(id).await?;
        if user.role() == Role::Guest {
            return Err(ChatError::Forbidden);
        }
        let code = random_token();
        let expires_at = Millis::now().after(PASSWORD_LINK_GOOD_FOR);
        self.core
            .store
            .add_password_link(id, hash(&code), expires_at)
            .await?;
        tracing::info!(user = %id, by = %caller.id(), "password link created");
        let made = PasswordLink { user, expires_at };
        Ok(WithCode { made, code })
    }

    /// Whether `code` belongs to a password reset link that is still valid.
    ///
    /// # Errors
    /// [`ChatError::Limited`] after too many wrong codes.
    pub async fn is_password_link(
        &self,
        code: &str,
        visitor: &ClientInfo,
    ) -> Result<bool, ChatError> {
        match self.owner_of_link(code, visitor).await {
            Ok(_) => Ok(true),
            Err(ChatError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn owner_of_link(&self, code: &str, visitor: &ClientInfo) -> Result<UserId, ChatError> {
        let look = async {
            let found = self.core.store.password_link(hash(code)).await?;
            found.ok_or(NO_LINK)
        };
        self.guess_code(visitor, look).await
    }

    /// Uses up a password reset link: sets the new password and ends all sessions of the account.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it is not valid (any more), [`ChatError::Invalid`] if the password is easy to guess,
    /// [`ChatError::Limited`].
    pub async fn use_password_link(
        &self,
        code: &str,
        new: ChosenPassword,
        visitor: &ClientInfo,
    ) -> Result<(), ChatError> {
        // Hashing is expensive, so the code is checked first.
        let id = self.owner_of_link(code, visitor).await?;
        let new = new.refuse_guessable(&self.user(id).await?.names())?;
        let password_hash = self.core.hasher.hash(Lane::Known(id), &new).await?;
        let used = self
            .core
            .store
            .use_password_link(hash(code), password_hash)
            .await?;
        let user = used.ok_or(NO_LINK)?;
        tracing::info!(%user, "password link used");
        self.core
            .people
            .close(user, CloseReason::SessionEnded, |_| true);
        Ok(())
    }

    async fn check_may_invite(
        &self,
        caller: &Caller,
        room: Option<RoomId>,
    ) -> Result<(), ChatError> {
        let Some(room) = room else {
            return allowed(may_invite(caller.role(), None));
        };
        self.room_for(caller, room, Action::Keep).await.map(drop)
    }

    /// Joins the room of an invite. Only logs a failure, because the account exists already.
    async fn enter_invited(&self, user: &User, room: RoomId) {
        if let Err(error) = self.order_as(&user.person, room, Order::JoinInvited).await {
            tracing::info!(%error, %room, "cannot join a room by an invite");
        }
    }
}

fn hash(code: &str) -> CodeHash {
    Sha256::digest(code).into()
}
