//! Who asks. Only authentication makes a [`Caller`], so no handler can forget it.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::{
    Millis, Person, Private, Role, RoomKind, SessionId, User, UserId, Viewer, name_key,
};
use crate::store::Session;

use super::token::TokenKind;
use super::{Chat, ChatError, TokenFault};

/// A session is noted as used when the last note is older than this, milliseconds.
const TOUCH: i64 = 60_000;

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Caller {
    user: Arc<User>,
    session: SessionId,
    session_uuid: Uuid,
    /// When the session began.
    began: Option<Millis>,
    /// Where the request comes from, where that matters.
    address: Option<IpAddr>,
    dialect: String,
    /// The name in the token, which is an older one after a change of name.
    claimed: Option<String>,
    /// Whether the account was only named, where an operator has switched proof off.
    believed: bool,
}

/// What somebody shows to prove who they are.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A signed access token.
    Token(&'a str),
    /// The value of the session cookie.
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

    /// The account.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// What others see of the account.
    pub fn person(&self) -> &Arc<Person> {
        &self.user.person
    }

    /// Whether that is the account's name, or the one its token was made with.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name_key(name);
        let is_name = |own: &str| name_key(own) == name;
        is_name(&self.person().username) || self.claimed.as_deref().is_some_and(is_name)
    }

    /// The account's number.
    pub fn id(&self) -> UserId {
        self.user.id()
    }

    /// The account's server-wide role.
    pub fn role(&self) -> Role {
        self.user.role()
    }

    /// The session.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The same caller with the address their request comes from.
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

    /// When the session began; `None` for who was believed without proof.
    pub(super) fn began(&self) -> Option<Millis> {
        self.began
    }

    /// The dialect in which the session was opened, or `web`; empty for who was believed without proof.
    pub fn dialect(&self) -> &str {
        &self.dialect
    }

    /// Whether the caller proved who they are.
    pub fn is_proven(&self) -> bool {
        self.session != SessionId::NONE
    }

    /// Whether the caller may enter rooms of that kind at all: who was only believed enters none that needs proof.
    pub(super) fn may_enter(&self, kind: RoomKind) -> bool {
        !(self.believed && kind.needs_proof())
    }

    /// Whether the caller was only believed.
    pub(super) fn is_believed(&self) -> bool {
        self.believed
    }

    /// Whose eyes accounts are shown to: who did not prove who they are sees what everybody sees.
    pub fn viewer(&self) -> Viewer {
        match self.is_proven() {
            true => Viewer::Account(self.id(), self.role()),
            false => Viewer::Anybody,
        }
    }

    /// Anybody at all, where an operator has switched proof off: may do what admins do, but nothing to an admin.
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

    /// Somebody who is believed without a session.
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

    /// `Forbidden` unless the caller is an admin.
    pub(super) fn need_admin(&self) -> Result<(), ChatError> {
        if self.role() == Role::Admin {
            Ok(())
        } else {
            Err(ChatError::Forbidden)
        }
    }

    /// `Forbidden` for guests.
    pub(super) fn need_account(&self) -> Result<(), ChatError> {
        if self.role() == Role::Guest {
            Err(ChatError::Forbidden)
        } else {
            Ok(())
        }
    }
}

impl Chat {
    /// Who shows `credential`.
    ///
    /// # Errors
    /// [`ChatError::Unauthenticated`] with what is wrong with it, or whatever keeps the store from answering.
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

    /// Believes that somebody is who they say, where an operator has switched proof off. Nobody becomes an admin so.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if nobody has that name, or an admin.
    pub async fn trust(&self, username: &str) -> Result<Caller, ChatError> {
        let found = self.core.store.user_by_login(username.to_owned()).await?;
        believe(found.map(|(user, _)| user))
    }

    /// The same for somebody who gives their uuid.
    ///
    /// # Errors
    /// As [`Chat::trust`].
    pub async fn trust_uuid(&self, uuid: Uuid) -> Result<Caller, ChatError> {
        believe(self.core.store.user_by_uuid(uuid).await?)
    }

    /// The token that forms and cookie-authenticated writes carry: one per session.
    pub fn csrf_token(&self, caller: &Caller) -> String {
        self.core
            .tokens
            .seal(&[b"csrf", caller.session_uuid.as_bytes()])
    }

    /// Whether `token` is the caller's [`csrf_token`](Self::csrf_token).
    pub fn is_csrf_token(&self, caller: &Caller, token: &str) -> bool {
        // Compared by their hashes: how long it takes says nothing of the token.
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
                tracing::warn!(%error, "a session's use was not noted");
            }
        });
    }
}

/// What the store keeps of a cookie's value.
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
