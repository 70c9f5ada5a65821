//! Registration, login and change of password.

use crate::chat::{ChatError, Login, Registration};
use crate::dialect::kit::{Call, Response, StatusCode, json};
use crate::model::{ChosenPassword, Username};

use super::error::{Answer, Refusal};
use super::params::Params;
use super::wire::{TokenJson, done};
use super::{NAME, TOKEN_PROFILE};

const NO_LOGIN: Refusal = Refusal::missing("Missing Login or password");
const NO_PASSWORD: Refusal = Refusal::missing("Missing password parameter");
const WRONG_PASSWORD: Refusal = Refusal::Said(StatusCode::UNAUTHORIZED, "Invalid old password");

pub(super) async fn register(mut call: Call) -> Answer {
    let params = Params::read(&mut call).await?;
    let (name, password) = login_of(&params)?;
    let new = Registration {
        username: Username::parse(name)?,
        email: None,
        display_name: None,
        password: ChosenPassword::parse(password, call.kit.password_min(NAME))?,
    };
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let user = chat.register(new, &visitor).await?;
    let grant = chat.first_login(user, &visitor, &TOKEN_PROFILE).await?;
    Ok(granted(StatusCode::CREATED, &grant.access_token))
}

pub(super) async fn log_in(mut call: Call) -> Answer {
    let params = Params::read(&mut call).await?;
    let (name, password) = login_of(&params)?;
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let grant = chat
        .log_in(Login::new(name, password), &visitor, &TOKEN_PROFILE)
        .await?;
    Ok(granted(StatusCode::OK, &grant.access_token))
}

pub(super) async fn change_password(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let params = Params::read(&mut call).await?;
    let old = params.text("old_password")?.ok_or(NO_PASSWORD)?;
    let new = params.text("new_password")?.ok_or(NO_PASSWORD)?;
    let new = ChosenPassword::parse(new, call.kit.password_min(NAME))?;
    match call.kit.chat.change_password(&caller, old, new).await {
        Ok(()) => Ok(done("Password changed successfully")),
        Err(ChatError::BadCredentials) => Err(WRONG_PASSWORD),
        Err(error) => Err(error.into()),
    }
}

fn login_of(params: &Params) -> Result<(&str, &str), Refusal> {
    let name = params.text("user_name")?.ok_or(NO_LOGIN)?;
    let password = params.text("password")?.ok_or(NO_LOGIN)?;
    Ok((name, password))
}

fn granted(status: StatusCode, access_token: &str) -> Response {
    json(status, &TokenJson { access_token })
}
