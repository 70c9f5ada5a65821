//! `/auth`: register and log in with JSON. The web pages send forms to the same paths.

use serde::{Deserialize, Serialize};

use crate::chat::{ChatError, Login, Registration};
use crate::dialect::kit::{Answer, Call, Fault, StatusCode, json, json_body};
use crate::model::{ChosenPassword, Email, Invalid, Role, ShownName};

use super::{NAME, TOKEN_PROFILE};

#[derive(Deserialize)]
struct New {
    name: Option<String>,
    email: Option<String>,
    password: Option<String>,
    role: Option<String>,
}

#[derive(Deserialize)]
struct LoginJson {
    email: Option<String>,
    password: Option<String>,
    role: Option<String>,
}

#[derive(Serialize)]
struct Said {
    msg: &'static str,
}

#[derive(Serialize)]
struct GrantJson<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    name: &'a str,
}

pub(super) async fn register(mut call: Call) -> Answer {
    let new: New = json_body(&mut call).await?;
    let name = ShownName::of_person(required("name", new.name.as_deref())?)?;
    let email = Email::parse(required("email", new.email.as_deref())?)?;
    let password = required("password", new.password.as_deref())?;
    let password = ChosenPassword::parse(password, call.kit.password_min(NAME))?;
    let role = parse_role(required("role", new.role.as_deref())?)?;
    if role == Role::Admin && !call.is_open(NAME) {
        check_by_admin(&call).await?;
    }
    let chat = &call.kit.chat;
    let username = chat.free_username(name.as_str()).await?;
    let is_free = !chat.is_like_somebody(name.clone()).await?;
    let new = Registration {
        username,
        email: Some(email),
        // This protocol allows duplicate display names. A taken one is left out, so that the username is shown instead.
        display_name: Some(name).filter(|_| is_free),
        password,
    };
    chat.register_as(role, new, &call.visitor()).await?;
    Ok(json(
        StatusCode::CREATED,
        &Said {
            msg: "Registration successful",
        },
    ))
}

pub(super) async fn log_in(mut call: Call) -> Answer {
    let login: LoginJson = json_body(&mut call).await?;
    let (email, password) = (
        required("email", login.email.as_deref())?,
        required("password", login.password.as_deref())?,
    );
    let visitor = call.visitor();
    let login = Login {
        name: email,
        password,
        role: login.role.as_deref(),
    };
    let grant = call
        .kit
        .chat
        .log_in(login, &visitor, &TOKEN_PROFILE)
        .await?;
    let (access_token, refresh_token) = (grant.access_token.as_str(), grant.refresh_token.as_str());
    let name = &grant.user.person.display_name;
    Ok(json(
        StatusCode::OK,
        &GrantJson {
            access_token,
            refresh_token,
            name,
        },
    ))
}

/// Checks for an admin's bearer token, which creating an admin requires. Browsers send cookies on their own, so a
/// cookie is not enough.
async fn check_by_admin(call: &Call) -> Result<(), Fault> {
    let by_admin = call.bearer()?.is_some() && call.caller().await?.role() == Role::Admin;
    by_admin.then_some(()).ok_or(ChatError::Forbidden.into())
}

fn required<'a>(field: &'static str, value: Option<&'a str>) -> Result<&'a str, Fault> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(Invalid::new(field, "is missing").into())
}

fn parse_role(word: &str) -> Result<Role, Invalid> {
    Role::parse(word)
        .filter(|role| *role != Role::Guest)
        .ok_or(Invalid::new("role", "must be admin or user"))
}
