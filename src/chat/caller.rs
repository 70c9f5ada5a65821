//! Authenticated callers. Only authentication makes a [`Caller`], so no handler can forget it.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::{
    Millis, Person, Private, Role, RoomKind, SessionId, User, UserId, Viewer, name_key,
};
use crate::store::Session;

use super::tokens::TokenKind;
use super::{Chat, ChatError, TokenFault};

/// Minimum interval in milliseconds between two updates of a session's last use.
const TOUCH: i64 = 60_000;

/// Account and session on whose behalf a request is made.
#[derive(Clone, Debug)]
pub struct Caller {
    user: Arc<User>,
    session: SessionId,
    session_uuid: Uuid,
    began: Option<Millis>,
    /// Address of the client, where it matters.
    address: Option<IpAddr>,
    dialect: String,
    /// Username in the token: an older one after a rename.
    claimed: Option<String>,
    /// Whether the caller was admitted by name only (`compat.open`).
    believed: bool,
}

/// Proof of a caller's identity.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// Signed access token.
    Token(&'a str),
    /// Value of the session cookie.
    Cookie(&'a str),
}

impl Caller {
    pub(super) fn new(session: &Session, user: User) -> Self {
        Self {
            user: Arc::new(user),
            session: session.id,
            session_uuid: session.uuid,
            began: Some(session.created_at),
            address: None,
            dialect: session.kind.clone(),
            claimed: None,
            believed: false,
        }
    }

    pub fn user(&self) -> &User {
        &self.user
    }

    /// Returns the part of the account that others see.
    pub fn person(&self) -> &Arc<Person> {
        &self.user.person
    }

    /// Whether `name` is the account's username, or the one in its token.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name_key(name);
        let is_name = |own: &str| name_key(own) == name;
        is_name(&self.person().username) || self.claimed.as_deref().is_some_and(is_name)
    }

    pub fn id(&self) -> UserId {
        self.user.id()
    }

    /// Returns the account's server-wide role.
    pub fn role(&self) -> Role {
        self.user.role()
    }

    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Sets the address of the client.
    #[must_use]
    pub fn at(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns when the session began; `None` for unauthenticated callers.
    pub(super) fn began(&self) -> Option<Millis> {
        self.began
    }

    /// Returns the dialect in which the session was opened, or `web`; empty for unauthenticated callers.
    pub fn dialect(&self) -> &str {
        &self.dialect
    }

    /// Whether the caller is authenticated.
    pub fn is_proven(&self) -> bool {
        self.session != SessionId::NONE
    }

    /// Whether the caller may enter rooms of that kind at all: not if admitted by name only and the kind requires
    /// authentication.
    pub(super) fn may_enter(&self, kind: RoomKind) -> bool {
        !(self.believed && kind.needs_proof())
    }

    /// Whether the caller was admitted by name only (`compat.open`).
    pub(super) fn is_believed(&self) -> bool {
        self.believed
    }

    /// Returns the viewer to whom accounts are shown. Unauthenticated callers see what everybody sees.
    pub fn viewer(&self) -> Viewer {
        match self.is_proven() {
            true => Viewer::Account(self.id(), self.role()),
            false => Viewer::Anybody,
        }
    }

    /// Creates the anonymous caller for `compat.open`, which disables authentication: admin rights, except over admins.
    pub fn anybody() -> Self {
        let person = Person {
            id: UserId(0),
            uuid: Uuid::nil(),
            username: String::new(),
            display_name: String::new(),
            avatar_url: None,
            role: Role::Admin,
            deleted: false,
            updated_at: Millis(0),
        };
        let private = Private::default();
        Self::unproven(User::new(Arc::new(person), private, Millis(0), Millis(0)))
    }

    /// Creates a caller without a session.
    pub(super) fn unproven(user: User) -> Self {
        let (session, session_uuid, dialect) = (SessionId::NONE, Uuid::nil(), String::new());
        Self {
            user: Arc::new(user),
            session,
            session_uuid,
            began: None,
            address: None,
            dialect,
            claimed: None,
            believed: false,
        }
    }

    /// Fails with [`ChatError::Forbidden`] unless the caller is an admin.
    pub(super) fn need_admin(&self) -> Result<(), ChatError> {
        if self.role() == Role::Admin {
            Ok(())
        } else {
            Err(ChatError::Forbidden)
        }
    }

    /// Fails with [`ChatError::Forbidden`] if the caller is a guest.
    pub(super) fn need_account(&self) -> Result<(), ChatError> {
        if self.role() == Role::Guest {
            Err(ChatError::Forbidden)
        } else {
            Ok(())
        }
    }
}

impl Chat {
    /// Returns the caller whom `credential` identifies.
    ///
    /// # Errors
    /// [`ChatError::Unauthenticated`], or if the store fails.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Caller, ChatError> {
        let mut claimed = None;
        let (session, user) = match credential {
            Credential::Token(token) => {
                let claims = self.core.tokens.verify(token, TokenKind::Access)?;
                claimed = Some(claims.username.clone());
                let store = &self.core.store;
                let found = store.session(claims.session()).await?;
                found.filter(|(_, user)| user.id() == claims.user())
            }
            Credential::Cookie(value) => {
                self.core
                    .store
                    .session_by_cookie(cookie_hash(value))
                    .await?
            }
        }
        .ok_or(TokenFault::Revoked)?;
        self.note_use(&session);
        Ok(Caller {
            claimed,
            ..Caller::new(&session, user)
        })
    }

    /// Admits a caller by login name only, where `compat.open` disables authentication. Never admits an admin.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if no account has that name, or an admin's has.
    pub async fn trust(&self, username: &str) -> Result<Caller, ChatError> {
        let found = self.core.store.user_by_login(username.to_owned()).await?;
        believe(found.map(|(user, _)| user))
    }

    /// Like [`Chat::trust`], by uuid.
    ///
    /// # Errors
    /// As [`Chat::trust`].
    pub async fn trust_uuid(&self, uuid: Uuid) -> Result<Caller, ChatError> {
        believe(self.core.store.user_by_uuid(uuid).await?)
    }

    /// Returns the CSRF token that forms and cookie-authenticated writes carry: one per session.
    pub fn csrf_token(&self, caller: &Caller) -> String {
        self.core
            .tokens
            .seal(&[b"csrf", caller.session_uuid.as_bytes()])
    }

    /// Whether `token` is the caller's [`csrf_token`](Self::csrf_token).
    pub fn is_csrf_token(&self, caller: &Caller, token: &str) -> bool {
        // Comparing hashes keeps the time taken from revealing the token.
        Sha256::digest(self.csrf_token(caller)) == Sha256::digest(token)
    }

    fn note_use(&self, session: &Session) {
        if Millis::now().0 - session.last_at.0 < TOUCH {
            return;
        }
        let (store, id) = (self.core.store.clone(), session.id);
        let expires_at = Millis::now().after(self.core.settings.refresh_ttl);
        tokio::spawn(async move {
            if let Err(error) = store.touch_session(id, expires_at).await {
                tracing::warn!(%error, "cannot store when a session was last used");
            }
        });
    }
}

/// Hashes a cookie's value for the store.
pub(super) fn cookie_hash(value: &str) -> [u8; 32] {
    Sha256::digest(value).into()
}

fn believe(user: Option<User>) -> Result<Caller, ChatError> {
    let user = user
        .filter(|user| user.role() != Role::Admin)
        .ok_or(ChatError::NotFound("user"))?;
    Ok(Caller {
        believed: true,
        ..Caller::unproven(user)
    })
}
