//! Sessions: opened by every login, ended by logout, password change and deletion of the account.

use std::time::Duration;

use uuid::Uuid;

use crate::model::{Millis, SessionId, User};
use crate::store::{CheckedHash, NewSession, Rotation, Session};

use super::caller::cookie_hash;
use super::client_info::ClientInfo;
use super::outbox::CloseReason;
use super::setup_link::random_token;
use super::tokens::{Claims, TokenKind, span};
use super::{Caller, Chat, ChatError, TokenFault};

/// Time for which the previous refresh token stays valid, because the response with the new one may have been lost.
const GRACE: Duration = Duration::from_secs(60);

/// Format of one dialect's tokens.
pub struct TokenProfile {
    /// The dialect's name, used as kind of the session and as claim `dialect`.
    pub dialect: &'static str,
    /// Value of the claim `sub` for the dialect's clients.
    pub sub: fn(&User) -> String,
    /// Whether the claim `user_id` repeats `sub`.
    pub user_id: bool,
}

/// Session kinds whose refresh token stays valid until it expires, because their clients use it repeatedly.
const REUSABLE: [&str; 2] = ["team", "chat_app"];

/// Parameters of a new session.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    kind: &'static str,
    cookie_hash: Option<[u8; 32]>,
    refresh_jti: Option<Uuid>,
}

impl Opening {
    pub(super) fn with_tokens(grantor: &TokenProfile, jti: Uuid) -> Self {
        Self {
            kind: grantor.dialect,
            cookie_hash: None,
            refresh_jti: Some(jti),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn with_cookie(hash: [u8; 32]) -> Self {
        Self {
            kind: "web",
            cookie_hash: Some(hash),
            refresh_jti: None,
        }
    }
}

/// Result of a login or refresh.
#[derive(Clone, Debug)]
pub struct TokenPair {
    pub user: User,
    pub access_token: String,
    pub refresh_token: String,
    /// Whether the refresh token that was used is no longer valid.
    pub rotated: bool,
    /// Lifetime of the access token.
    pub expires_in: Duration,
}

impl Chat {
    /// Exchanges a refresh token for an access token, and unless it is reusable (`REUSABLE`), for a new refresh token.
    /// This depends on the dialect that opened the session, not on the one that asks.
    ///
    /// # Errors
    /// [`ChatError::Unauthenticated`]; a token that is used twice ends its session.
    pub async fn refresh(
        &self,
        refresh_token: &str,
        grantor: &TokenProfile,
    ) -> Result<TokenPair, ChatError> {
        let claims = self.core.tokens.verify(refresh_token, TokenKind::Refresh)?;
        let found = self.core.store.session(claims.session()).await?;
        let (session, user) = found
            .filter(|(_, user)| user.id() == claims.user())
            .ok_or(TokenFault::Revoked)?;
        let rotates = !REUSABLE.contains(&session.kind.as_str());
        let jti = match rotates {
            true => self.rotate(&session, &user, claims.jti).await?,
            false => claims.jti,
        };
        self.core
            .store
            .touch_session(session.id, self.session_end())
            .await?;
        let grant = self.sign_pair(&session, user, jti, grantor)?;
        Ok(TokenPair {
            rotated: rotates,
            ..grant
        })
    }

    async fn rotate(&self, session: &Session, user: &User, jti: Uuid) -> Result<Uuid, ChatError> {
        let grace = Millis(Millis::now().0 - GRACE.as_millis() as i64);
        match self
            .core
            .store
            .rotate(session.id, jti, Uuid::new_v4(), grace)
            .await?
        {
            Rotation::Good(jti) => Ok(jti),
            Rotation::Missing => Err(TokenFault::Revoked.into()),
            Rotation::Reused => {
                tracing::warn!(user = %user.id(), "refresh token reused: session ended");
                self.core
                    .people
                    .close(user.id(), CloseReason::SessionEnded, |open| {
                        open == session.id
                    });
                Err(TokenFault::Revoked.into())
            }
        }
    }

    /// Ends the caller's session and closes its connections.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), ChatError> {
        self.end_session(caller, caller.session()).await
    }

    /// Returns the caller's sessions.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>, ChatError> {
        Ok(self.core.store.sessions(caller.id()).await?)
    }

    /// Ends one of the caller's sessions and closes its connections.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it belongs to another account.
    pub async fn end_session(&self, caller: &Caller, session: SessionId) -> Result<(), ChatError> {
        if !self.core.store.end_session(caller.id(), session).await? {
            return Err(ChatError::NotFound("session"));
        }
        self.core
            .people
            .close(caller.id(), CloseReason::SessionEnded, |open| {
                open == session
            });
        Ok(())
    }

    /// Ends all sessions of the caller except the current one.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn end_other_sessions(&self, caller: &Caller) -> Result<(), ChatError> {
        self.core
            .store
            .end_sessions(caller.id(), Some(caller.session()))
            .await?;
        self.core
            .people
            .close(caller.id(), CloseReason::SessionEnded, |open| {
                open != caller.session()
            });
        Ok(())
    }

    /// Opens a session for a new account and signs its tokens.
    pub(super) async fn grant(
        &self,
        user: User,
        visitor: &ClientInfo,
        grantor: &TokenProfile,
    ) -> Result<TokenPair, ChatError> {
        let jti = Uuid::new_v4();
        let opening = Opening::with_tokens(grantor, jti);
        let opened = self.open_session(&user, None, visitor, opening).await?;
        let session = opened.ok_or(ChatError::BadCredentials)?;
        self.sign_pair(&session, user, jti, grantor)
    }

    /// Opens a browser session for a new account; returns the value of the session cookie too.
    pub(super) async fn open_cookie(
        &self,
        user: User,
        visitor: &ClientInfo,
    ) -> Result<(Caller, String), ChatError> {
        let value = random_token();
        let opening = Opening::with_cookie(cookie_hash(&value));
        let opened = self.open_session(&user, None, visitor, opening).await?;
        let session = opened.ok_or(ChatError::BadCredentials)?;
        Ok((Caller::new(&session, user), value))
    }

    /// Opens a session; `None` if the account was deleted or no longer has the password that was checked. If the
    /// account has too many sessions, ends the least recently used.
    pub(super) async fn open_session(
        &self,
        user: &User,
        checked: Option<CheckedHash>,
        visitor: &ClientInfo,
        opening: Opening,
    ) -> Result<Option<Session>, ChatError> {
        let new = NewSession {
            user_id: user.id(),
            kind: opening.kind,
            cookie_hash: opening.cookie_hash,
            refresh_jti: opening.refresh_jti,
            expires_at: self.session_end(),
            ip: visitor.address.to_string(),
            user_agent: visitor.user_agent.chars().take(200).collect(),
            checked,
        };
        let Some(opened) = self.core.store.open_session(new).await? else {
            return Ok(None);
        };
        self.core
            .people
            .close(user.id(), CloseReason::SessionEnded, |open| {
                opened.ended.contains(&open)
            });
        self.note_address(user.id(), visitor);
        Ok(Some(opened.session))
    }

    fn session_end(&self) -> Millis {
        Millis::now().after(self.core.settings.refresh_ttl)
    }

    pub(super) fn sign_pair(
        &self,
        session: &Session,
        user: User,
        jti: Uuid,
        grantor: &TokenProfile,
    ) -> Result<TokenPair, ChatError> {
        let settings = &self.core.settings;
        let sign = |typ, ttl, jti| {
            let (iat, exp) = span(ttl);
            let sub = (grantor.sub)(&user);
            let user_id = grantor.user_id.then(|| sub.clone());
            let (dialect, username) = (grantor.dialect.to_owned(), user.person.username.clone());
            let (sid, uid) = (session.id.0, user.id().0);
            self.core.tokens.sign(&Claims {
                sid,
                uid,
                typ,
                iat,
                exp,
                jti,
                username,
                dialect,
                sub,
                user_id,
            })
        };
        Ok(TokenPair {
            access_token: sign(TokenKind::Access, settings.access_ttl, Uuid::new_v4())?,
            refresh_token: sign(TokenKind::Refresh, settings.refresh_ttl, jti)?,
            expires_in: settings.access_ttl,
            rotated: false,
            user,
        })
    }
}
