//! `/auth/token`, `/auth/refresh`, `/auth/check` and their bare forms.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chat::{ChatError, Login};
use crate::dialect::kit::{Answer, Call, Fault, Response, StatusCode, json, json_body, text_of};

use super::TOKEN_PROFILE;

#[derive(Deserialize, Default)]
struct LoginJson {
    email: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Msg {
    msg: &'static str,
}

#[derive(Serialize)]
struct Checked {
    authenticated: bool,
    message: &'static str,
    user: Uuid,
}

#[derive(Serialize)]
struct NotChecked {
    authenticated: bool,
    message: &'static str,
    msg: String,
}

pub(super) async fn grant(mut call: Call) -> Answer {
    // A GET without a body counts as one with an empty object.
    let login = if call.has_body() {
        json_body(&mut call).await?
    } else {
        LoginJson::default()
    };
    let Some(name) = login
        .email
        .or(login.username)
        .filter(|name| !name.is_empty())
    else {
        return Ok(json(
            StatusCode::UNAUTHORIZED,
            &Msg {
                msg: "Email is required.",
            },
        ));
    };
    let Some(password) = login.password.filter(|password| !password.is_empty()) else {
        return Ok(json(
            StatusCode::UNAUTHORIZED,
            &Msg {
                msg: "Password is required.",
            },
        ));
    };
    let grant = call
        .kit
        .chat
        .log_in(
            Login::new(&name, &password),
            &call.visitor(),
            &TOKEN_PROFILE,
        )
        .await?;
    let tokens = Tokens {
        access_token: &grant.access_token,
        refresh_token: Some(&grant.refresh_token),
    };
    Ok(json(StatusCode::OK, &tokens))
}

pub(super) async fn options(call: Call) -> Answer {
    let mut response = call.options("GET, HEAD, OPTIONS, POST");
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

pub(super) async fn refresh(call: Call) -> Answer {
    let token = call.bearer()?.ok_or(crate::chat::TokenFault::Missing)?;
    let grant = call.kit.chat.refresh(token, &TOKEN_PROFILE).await?;
    Ok(json(
        StatusCode::OK,
        &Tokens {
            access_token: &grant.access_token,
            refresh_token: grant.rotated.then_some(grant.refresh_token.as_str()),
        },
    ))
}

pub(super) async fn check(call: Call) -> Answer {
    match call.caller().await {
        Ok(caller) => Ok(checked(caller.person().uuid)),
        Err(fault @ Fault::Chat(ChatError::Unauthenticated(_))) => Ok(not_checked(&fault)),
        Err(fault) => Err(fault),
    }
}

fn checked(user: Uuid) -> Response {
    json(
        StatusCode::OK,
        &Checked {
            authenticated: true,
            message: "User is authenticated",
            user,
        },
    )
}

fn not_checked(fault: &Fault) -> Response {
    let refused = NotChecked {
        authenticated: false,
        message: "Authentication failed",
        msg: text_of(fault),
    };
    json(StatusCode::UNAUTHORIZED, &refused)
}
