//! Users and connected users.

use serde::Serialize;
use uuid::Uuid;

use crate::chat::ChatError;
use crate::dialect::kit::{Answer, Call, Fault, PEOPLE_MAX, StatusCode, json, json_body, rfc3339};
use crate::model::{Millis, Profile, RoomId, ShownName, User, UserEdit, UserId, Username};

use super::caller;
use super::encode::{LOBBY, NOTIFICATIONS};
use super::wire::{UserBody, UserJson};

/// Longest profile field, in characters.
const FIELD_MAX: usize = 100;

#[derive(Serialize)]
struct Health {
    version: &'static str,
}

#[derive(Serialize)]
struct Msg {
    msg: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    name: String,
    status: &'static str,
    last_connection: String,
}

#[derive(Serialize)]
struct Names {
    connected_users: Vec<String>,
}

#[derive(Serialize)]
struct Info<'a> {
    id: i64,
    sub: Uuid,
    preferred_username: &'a str,
    name: &'a str,
    email: Option<&'a str>,
    role: &'static str,
}

#[derive(Serialize)]
struct Nothing {}

pub(super) async fn health(_: Call) -> Answer {
    Ok(json(
        StatusCode::OK,
        &Health {
            version: env!("CARGO_PKG_VERSION"),
        },
    ))
}

/// Creates an account without a password. It cannot log in until an admin sets one.
pub(super) async fn add(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: UserBody = json_body(&mut call).await?;
    let made = match (Username::parse(&body.name), profile(&body)) {
        (Ok(name), Ok(profile)) => call.kit.chat.make_account(&caller, name, profile).await,
        (Err(invalid), _) | (_, Err(invalid)) => Err(invalid.into()),
    };
    let said = |status, msg: String| Ok(json(status, &Msg { msg }));
    match made {
        Ok(user) => said(
            StatusCode::OK,
            format!(
                "Added user {}:{} to database.",
                user.id(),
                user.person.username
            ),
        ),
        Err(ChatError::Taken(_)) => said(StatusCode::OK, "The user already exists!".to_owned()),
        Err(ChatError::Invalid(invalid)) => said(StatusCode::NOT_FOUND, invalid.to_string()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let (after, limit) = call.people_page()?;
    let users = call.kit.chat.users("", after, limit).await?;
    let list: Vec<_> = users
        .iter()
        .map(|user| UserJson::new(user, caller.viewer()))
        .collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let id = UserId(call.id(0, "user")?);
    let body: UserBody = json_body(&mut call).await?;
    let display_name = Some(ShownName::of_person(&body.name)?);
    let edit = UserEdit {
        display_name,
        profile: Some(profile(&body)?),
        ..UserEdit::default()
    };
    let user = call.kit.chat.edit_own_or(&caller, id, edit).await?;
    Ok(json(StatusCode::OK, &UserJson::new(&user, caller.viewer())))
}

pub(super) async fn end(call: Call) -> Answer {
    let caller = caller(&call).await?;
    if !is_integer(call.param(0)) {
        return Ok(json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &"The id is not an integer",
        ));
    }
    let id = UserId(call.id(0, "user")?);
    call.kit.chat.end_own_or(&caller, id).await?;
    Ok(json(StatusCode::OK, &"User deleted"))
}

/// Whether the text is an integer of any size.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) async fn info(call: Call) -> Answer {
    match call.caller().await {
        Ok(caller) => Ok(json(StatusCode::OK, &config(caller.user()))),
        Err(Fault::Chat(ChatError::Unauthenticated(_))) => {
            Ok(json(StatusCode::BAD_REQUEST, &Nothing {}))
        }
        Err(fault) => Err(fault),
    }
}

fn config(user: &User) -> Info<'_> {
    Info {
        id: user.id().0,
        sub: user.person.uuid,
        preferred_username: &user.person.username,
        name: &user.person.display_name,
        email: user.private(user.own()).email,
        role: user.role().as_str(),
    }
}

pub(super) async fn connected(call: Call) -> Answer {
    caller(&call).await?;
    let last_connection = rfc3339(Millis::now());
    let entry = |name| Connected {
        name,
        status: "online",
        last_connection: last_connection.clone(),
    };
    let list: Vec<_> = names(&call).await.into_iter().map(entry).collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn connected_names(call: Call) -> Answer {
    caller(&call).await?;
    Ok(json(
        StatusCode::OK,
        &Names {
            connected_users: names(&call).await,
        },
    ))
}

/// Usernames of the people with an open socket of this dialect, each once, never with an address.
async fn names(call: &Call) -> Vec<String> {
    let chat = &call.kit.chat;
    let mut there = chat.watching_anybody(RoomId::LOBBY, LOBBY).await;
    there.extend(chat.watching_anybody(RoomId::LOBBY, NOTIFICATIONS).await);
    there.sort_by_key(|person| person.id);
    there.dedup_by_key(|person| person.id);
    there
        .iter()
        .take(PEOPLE_MAX as usize)
        .map(|person| person.username.clone())
        .collect()
}

fn profile(body: &UserBody) -> Result<Profile, crate::model::Invalid> {
    let field = |name, text: &Option<String>| {
        let text = text
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        match text {
            Some(text)
                if text.chars().count() > FIELD_MAX || text.chars().any(char::is_control) =>
            {
                Err(crate::model::Invalid::new(
                    name,
                    "is too long or has control characters",
                ))
            }
            text => Ok(text.map(str::to_owned)),
        }
    };
    Ok(Profile {
        postal_code: field("postal_code", &body.postal_code)?,
        city: field("city", &body.city)?,
    })
}
