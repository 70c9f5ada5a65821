//! The one-time link that creates the first admin. Must not know how it is shown.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::accounts::Registration;
use super::client_info::ClientInfo;
use super::sessions::{TokenPair, TokenProfile};
use super::{Caller, Chat, ChatError};
use crate::model::{Role, User};

/// Lifetime of the set-up link.
const GOOD_FOR: Duration = Duration::from_secs(24 * 3600);

/// Token of the set-up link; `None` once there is an admin.
pub(super) struct Setup {
    token: Mutex<Option<(String, Instant)>>,
}

impl Setup {
    pub(super) fn new(needed: bool) -> Self {
        let token = needed.then(|| (random_token(), Instant::now() + GOOD_FOR));
        Self {
            token: Mutex::new(token),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_good(&self, token: &str) -> bool {
        self.lock().as_ref().is_some_and(|(good, until)| {
            *until > Instant::now() && Sha256::digest(good) == Sha256::digest(token)
        })
    }
}

impl Chat {
    /// Returns the token of the set-up link until there is an admin.
    pub fn setup_token(&self) -> Option<String> {
        self.core
            .setup
            .lock()
            .as_ref()
            .map(|(token, _)| token.clone())
    }

    /// Checks the token of the set-up link.
    ///
    /// # Errors
    /// [`ChatError::BadSetupToken`], [`ChatError::Limited`] after too many wrong tokens.
    pub async fn check_setup_token(
        &self,
        token: &str,
        visitor: &ClientInfo,
    ) -> Result<(), ChatError> {
        let check = async { self.good_setup_token(token) };
        self.guess_code(visitor, check).await
    }

    fn good_setup_token(&self, token: &str) -> Result<(), ChatError> {
        match self.core.setup.is_good(token) {
            true => Ok(()),
            false => Err(ChatError::BadSetupToken),
        }
    }

    /// Creates the first admin and logs them in.
    ///
    /// # Errors
    /// [`ChatError::BadSetupToken`], also if there is an admin already; those of [`Chat::register`].
    pub async fn set_up(
        &self,
        token: &str,
        new: Registration,
        visitor: &ClientInfo,
        grantor: &TokenProfile,
    ) -> Result<TokenPair, ChatError> {
        let user = self.first_admin(token, new, visitor).await?;
        self.grant(user, visitor, grantor).await
    }

    /// Creates the first admin and logs them in with a cookie; returns the value of the cookie too.
    ///
    /// # Errors
    /// As [`Chat::set_up`].
    pub async fn set_up_cookie(
        &self,
        token: &str,
        new: Registration,
        visitor: &ClientInfo,
    ) -> Result<(Caller, String), ChatError> {
        let user = self.first_admin(token, new, visitor).await?;
        self.open_cookie(user, visitor).await
    }

    async fn first_admin(
        &self,
        token: &str,
        new: Registration,
        visitor: &ClientInfo,
    ) -> Result<User, ChatError> {
        self.check_setup_token(token, visitor).await?;
        let new = self.hashed(Role::Admin, new, visitor).await?;
        let user = self
            .core
            .store
            .add_first_admin(new)
            .await?
            .ok_or(ChatError::BadSetupToken)?;
        *self.core.setup.lock() = None;
        self.welcome_to_lobby(&user);
        Ok(user)
    }

    /// Invalidates the link if an admin was created in another way.
    pub(super) async fn recheck_setup(&self) -> Result<(), ChatError> {
        if self.core.setup.lock().is_some() && self.core.store.has_admin().await? {
            *self.core.setup.lock() = None;
        }
        Ok(())
    }
}

/// Returns a random token of 128 bits, as 32 hexadecimal digits.
pub(super) fn random_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}
