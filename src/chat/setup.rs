//! The one-time link that makes the first admin. Must not know how it is shown.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::model::{Role, User};
use crate::store::NewUser;

use super::accounts::Registration;
use super::sessions::{Grant, Grantor};
use super::visitor::Visitor;
use super::{Caller, Chat, ChatError};

/// How long a set-up link is good.
const GOOD_FOR: Duration = Duration::from_secs(24 * 3600);

/// The token of the link, while there is one.
pub(super) struct Setup {
    token: Mutex<Option<(String, Instant)>>,
}

impl Setup {
    pub(super) fn new(needed: bool) -> Self {
        let token = needed.then(|| (random_word(), Instant::now() + GOOD_FOR));
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
    /// The token of the set-up link, as long as nobody administers this server.
    pub fn setup_token(&self) -> Option<String> {
        self.core
            .setup
            .lock()
            .as_ref()
            .map(|(token, _)| token.clone())
    }

    /// Whether that is the token of the set-up link.
    pub fn is_setup_token(&self, token: &str) -> bool {
        self.core.setup.is_good(token)
    }

    /// Makes the first admin and logs them in.
    ///
    /// # Errors
    /// [`ChatError::BadSetupToken`], also when there is an admin already; those of [`Chat::register`].
    pub async fn set_up(
        &self,
        token: &str,
        new: Registration,
        visitor: &Visitor,
        grantor: &Grantor,
    ) -> Result<Grant, ChatError> {
        let user = self.first_admin(token, new).await?;
        self.grant(user, visitor, grantor).await
    }

    /// Makes the first admin and logs them in with a cookie, whose value comes second.
    ///
    /// # Errors
    /// As [`Chat::set_up`].
    pub async fn set_up_cookie(
        &self,
        token: &str,
        new: Registration,
        visitor: &Visitor,
    ) -> Result<(Caller, String), ChatError> {
        let user = self.first_admin(token, new).await?;
        self.open_cookie(user, visitor).await
    }

    async fn first_admin(&self, token: &str, new: Registration) -> Result<User, ChatError> {
        if !self.core.setup.is_good(token) {
            return Err(ChatError::BadSetupToken);
        }
        let password_hash = Some(self.core.hasher.hash(new.password).await?);
        let new = NewUser {
            password_hash,
            role: Role::Admin,
            ..NewUser::named(new.username, new.email, new.display_name)
        };
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

    /// Forgets the link when somebody else has made an admin.
    pub(super) async fn recheck_setup(&self) -> Result<(), ChatError> {
        if self.core.setup.lock().is_some() && self.core.store.has_admin().await? {
            *self.core.setup.lock() = None;
        }
        Ok(())
    }
}

/// A word that nobody guesses: 128 random bits.
pub(super) fn random_word() -> String {
    format!("{:032x}", rand::random::<u128>())
}
