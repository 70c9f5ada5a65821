//! `/auth`: registration, login, logout and sessions.

use serde::{Deserialize, Serialize};

use crate::chat::{ChatError, Login, Registration, TokenPair, TokenProfile};
use crate::dialect::kit::{Answer, Call, Response, StatusCode, empty, json, json_body};
use crate::model::{ChosenPassword, Email, Invalid, SessionId, ShownName, Username};

use super::caller;
use super::wire::{List, SessionJson, UserJson};

/// Format of this protocol's tokens.
pub(super) static TOKEN_PROFILE: TokenProfile = TokenProfile {
    dialect: "native",
    sub: |user| user.id().to_string(),
    user_id: false,
};

#[derive(Deserialize)]
pub(super) struct NewAccount {
    username: String,
    password: String,
    email: Option<String>,
    display_name: Option<String>,
}

impl NewAccount {
    pub(super) fn parse(&self, call: &Call) -> Result<Registration, ChatError> {
        let min = call.kit.chat.settings().password_min;
        Registration {
            username: Username::parse(&self.username)?,
            email: parse_email(self.email.as_deref())?,
            display_name: parse_display_name(self.display_name.as_deref())?,
            password: ChosenPassword::parse(&self.password, min)?,
        }
        .refuse_guessable()
    }
}

#[derive(Deserialize)]
struct Registering {
    #[serde(flatten)]
    account: NewAccount,
    invite: Option<String>,
}

#[derive(Deserialize)]
struct NewGuest {
    username: String,
    email: Option<String>,
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct LoginJson {
    username: String,
    password: String,
}

#[derive(Deserialize)]
struct Refresh {
    refresh_token: String,
}

#[derive(Serialize)]
struct GrantJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserJson<'a>>,
    access_token: &'a str,
    refresh_token: &'a str,
    expires_in: u64,
}

pub(super) async fn register(mut call: Call) -> Answer {
    let body: Registering = json_body(&mut call).await?;
    let (new, visitor, chat) = (body.account.parse(&call)?, call.visitor(), &call.kit.chat);
    let user = match body.invite.as_deref() {
        Some(code) => chat.register_invited(new, code, &visitor).await?,
        None => chat.register(new, &visitor).await?,
    };
    let grant = call
        .kit
        .chat
        .first_login(user, &visitor, &TOKEN_PROFILE)
        .await?;
    Ok(granted(StatusCode::CREATED, &grant))
}

pub(super) async fn log_in(mut call: Call) -> Answer {
    let body: LoginJson = json_body(&mut call).await?;
    let login = Login::new(&body.username, &body.password);
    let chat = &call.kit.chat;
    let grant = chat.log_in(login, &call.visitor(), &TOKEN_PROFILE).await?;
    Ok(granted(StatusCode::OK, &grant))
}

pub(super) async fn guest(mut call: Call) -> Answer {
    let new: NewGuest = json_body(&mut call).await?;
    let username = Username::parse(&new.username)?;
    let email = parse_email(new.email.as_deref())?;
    let display_name = parse_display_name(new.display_name.as_deref())?;
    let visitor = call.visitor();
    let user = call
        .kit
        .chat
        .register_guest(username, email, display_name, &visitor)
        .await?;
    let grant = call
        .kit
        .chat
        .first_login(user, &visitor, &TOKEN_PROFILE)
        .await?;
    Ok(granted(StatusCode::CREATED, &grant))
}

pub(super) async fn refresh(mut call: Call) -> Answer {
    let body: Refresh = json_body(&mut call).await?;
    let grant = call
        .kit
        .chat
        .refresh(&body.refresh_token, &TOKEN_PROFILE)
        .await?;
    Ok(json(
        StatusCode::OK,
        &GrantJson {
            user: None,
            ..shape(&grant)
        },
    ))
}

pub(super) async fn log_out(call: Call) -> Answer {
    let caller = caller(&call).await?;
    match call.kit.chat.log_out(&caller).await {
        // The session has ended in the meantime, which is the requested result.
        Ok(()) | Err(ChatError::NotFound(_)) => Ok(empty(StatusCode::NO_CONTENT)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn sessions(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let sessions = call.kit.chat.sessions(&caller).await?;
    let current = |id| id == caller.session();
    let items = sessions
        .iter()
        .map(|session| SessionJson::new(session, current(session.id)))
        .collect();
    Ok(json(StatusCode::OK, &List { items, more: false }))
}

pub(super) async fn end(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit
        .chat
        .end_session(&caller, SessionId(call.id(0, "session")?))
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn end_others(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit.chat.end_other_sessions(&caller).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) fn granted(status: StatusCode, grant: &TokenPair) -> Response {
    json(status, &shape(grant))
}

fn shape(grant: &TokenPair) -> GrantJson<'_> {
    GrantJson {
        user: Some(UserJson::new(&grant.user, grant.user.own())),
        access_token: &grant.access_token,
        refresh_token: &grant.refresh_token,
        expires_in: grant.expires_in.as_secs(),
    }
}

/// Parses an e-mail address. An empty text counts as absent.
pub(super) fn parse_email(text: Option<&str>) -> Result<Option<Email>, Invalid> {
    text.filter(|text| !text.trim().is_empty())
        .map(Email::parse)
        .transpose()
}

fn parse_display_name(text: Option<&str>) -> Result<Option<ShownName>, Invalid> {
    text.filter(|text| !text.trim().is_empty())
        .map(ShownName::of_person)
        .transpose()
}
