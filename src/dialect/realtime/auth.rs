//! `/auth`: register, log in and log out.

use serde::{Deserialize, Serialize};

use crate::chat::{ChatError, Login, Registration};
use crate::dialect::kit::{Call, StatusCode, json, json_body};
use crate::model::{ChosenPassword, Email, Username};

use super::error::Refusal;
use super::users::parse_avatar;
use super::wire::{OneUser, Said, UserJson};
use super::{Answer, NAME, TOKEN_PROFILE};

#[derive(Deserialize)]
struct New {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct LoginJson {
    username: Option<String>,
    password: Option<String>,
}

#[derive(Serialize)]
struct GrantJson<'a> {
    message: &'static str,
    access_token: &'a str,
    user: UserJson,
}

pub(super) async fn register(mut call: Call) -> Answer {
    let new: New = json_body(&mut call).await?;
    let base = call.base_url();
    let avatar = parse_avatar(new.avatar_url.as_deref(), &call)?.flatten();
    let password = required(new.password.as_deref())?;
    let registration = Registration {
        username: Username::parse(required(new.username.as_deref())?)?,
        email: Some(Email::parse(required(new.email.as_deref())?)?),
        display_name: None,
        password: ChosenPassword::parse(password, call.kit.password_min(NAME))?,
    };
    let chat = &call.kit.chat;
    let mut user = chat.register(registration, &call.visitor()).await?;
    if let Some(avatar) = avatar {
        user = chat.first_picture(&user, avatar).await?;
    }
    let message = Some("User registered successfully");
    let user = UserJson::new(&user, user.own(), &base);
    Ok(json(StatusCode::CREATED, &OneUser { message, user }))
}

pub(super) async fn log_in(mut call: Call) -> Answer {
    let login: LoginJson = json_body(&mut call).await?;
    let (username, password) = (
        required(login.username.as_deref())?,
        required(login.password.as_deref())?,
    );
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let grant = chat
        .log_in(Login::new(username, password), &visitor, &TOKEN_PROFILE)
        .await?;
    let granted = GrantJson {
        message: "Login successful",
        access_token: &grant.access_token,
        user: UserJson::new(&grant.user, grant.user.own(), &call.base_url()),
    };
    Ok(json(StatusCode::OK, &granted))
}

pub(super) async fn log_out(call: Call) -> Answer {
    let caller = call.caller().await?;
    match call.kit.chat.log_out(&caller).await {
        // The session has ended in the meantime, which is the requested result.
        Ok(()) | Err(ChatError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let message = "Logout successful";
    Ok(json(StatusCode::OK, &Said { message }))
}

fn required(value: Option<&str>) -> Result<&str, Refusal> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(Refusal::bad("Missing required fields"))
}
