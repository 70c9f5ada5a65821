//! Sessions: opened by every login, ended by logout, password change and the end of the account.

use std::time::Duration;

use uuid::Uuid;

use crate::model::{Millis, SessionId, User};
use crate::store::{NewSession, Rotation, Session};

use super::caller::cookie_hash;
use super::outbox::Closing;
use super::setup::random_word;
use super::token::{Claims, TokenKind, span};
use super::visitor::Visitor;
use super::{Caller, Chat, ChatError, TokenFault};

/// The refresh token before the newest is still good for so long: its answer may have been lost.
const GRACE: Duration = Duration::from_secs(60);

/// How one dialect's tokens look.
pub struct Grantor {
    /// The dialect's name: the session's kind and the token's `dialect`.
    pub dialect: &'static str,
    /// What its clients read in `sub`.
    pub sub: fn(&User) -> String,
    /// Whether `user_id` repeats `sub`.
    pub user_id: bool,
    /// Whether a refresh token is good only once.
    pub rotates: bool,
}

/// What a login gives.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who logged in.
    pub user: User,
    /// For doing things.
    pub access_token: String,
    /// For getting the next access token.
    pub refresh_token: String,
    /// How long the access token is good.
    pub expires_in: Duration,
}

impl Chat {
    /// Trades a refresh token for an access token, and where the dialect rotates them, for the next refresh token.
    ///
    /// # Errors
    /// [`ChatError::Unauthenticated`]; a token used twice ends its session.
    pub async fn refresh(
        &self,
        refresh_token: &str,
        grantor: &Grantor,
    ) -> Result<Grant, ChatError> {
        let claims = self.core.tokens.verify(refresh_token, TokenKind::Refresh)?;
        let found = self.core.store.session(claims.session()).await?;
        let (session, user) = found
            .filter(|(_, user)| user.id() == claims.user())
            .ok_or(TokenFault::Revoked)?;
        let jti = if grantor.rotates {
            self.rotate(&session, &user, claims.jti).await?
        } else {
            claims.jti
        };
        self.core
            .store
            .touch_session(session.id, self.session_end())
            .await?;
        self.sign_pair(&session, user, jti, grantor)
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
                tracing::warn!(user = %user.id(), "a refresh token was used twice, its session is ended");
                self.core
                    .people
                    .close(user.id(), Closing::SessionEnded, |open| open == session.id);
                Err(TokenFault::Revoked.into())
            }
        }
    }

    /// Ends the caller's session and closes its connections.
    ///
    /// # Errors
    /// Whatever keeps the store from it.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), ChatError> {
        self.end_session(caller, caller.session()).await
    }

    /// The caller's sessions.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>, ChatError> {
        Ok(self.core.store.sessions(caller.id()).await?)
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if it is none of theirs.
    pub async fn end_session(&self, caller: &Caller, session: SessionId) -> Result<(), ChatError> {
        if !self.core.store.end_session(caller.id(), session).await? {
            return Err(ChatError::NotFound("session"));
        }
        self.core
            .people
            .close(caller.id(), Closing::SessionEnded, |open| open == session);
        Ok(())
    }

    /// Ends all the caller's sessions but the one they use.
    ///
    /// # Errors
    /// Whatever keeps the store from it.
    pub async fn end_other_sessions(&self, caller: &Caller) -> Result<(), ChatError> {
        self.core
            .store
            .end_sessions(caller.id(), Some(caller.session()))
            .await?;
        self.core
            .people
            .close(caller.id(), Closing::SessionEnded, |open| {
                open != caller.session()
            });
        Ok(())
    }

    /// Opens a session and makes its tokens.
    pub(super) async fn grant(
        &self,
        user: User,
        visitor: &Visitor,
        grantor: &Grantor,
    ) -> Result<Grant, ChatError> {
        let jti = Uuid::new_v4();
        let session = self
            .core
            .store
            .open_session(NewSession {
                refresh_jti: Some(jti),
                ..self.new_session(&user, visitor, grantor.dialect)
            })
            .await?;
        self.sign_pair(&session, user, jti, grantor)
    }

    /// Opens a session for a browser; the cookie's value comes second.
    pub(super) async fn open_cookie(
        &self,
        user: User,
        visitor: &Visitor,
    ) -> Result<(Caller, String), ChatError> {
        let value = random_word();
        let cookie_hash = Some(cookie_hash(&value));
        let new = NewSession {
            cookie_hash,
            ..self.new_session(&user, visitor, "web")
        };
        let session = self.core.store.open_session(new).await?;
        Ok((Caller::new(&session, user), value))
    }

    fn new_session(&self, user: &User, visitor: &Visitor, kind: &'static str) -> NewSession {
        NewSession {
            user_id: user.id(),
            kind,
            cookie_hash: None,
            refresh_jti: None,
            expires_at: self.session_end(),
            ip: visitor.address.to_string(),
            user_agent: visitor.user_agent.chars().take(200).collect(),
        }
    }

    fn session_end(&self) -> Millis {
        Millis::now().after(self.core.settings.refresh_ttl)
    }

    fn sign_pair(
        &self,
        session: &Session,
        user: User,
        jti: Uuid,
        grantor: &Grantor,
    ) -> Result<Grant, ChatError> {
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
        Ok(Grant {
            access_token: sign(TokenKind::Access, settings.access_ttl, Uuid::new_v4())?,
            refresh_token: sign(TokenKind::Refresh, settings.refresh_ttl, jti)?,
            expires_in: settings.access_ttl,
            user,
        })
    }
}
