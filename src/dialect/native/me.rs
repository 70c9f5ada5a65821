//! `/me`: the caller's own account.

use serde::Deserialize;

use crate::dialect::kit::{Answer, Call, StatusCode, empty, json, json_body};
use crate::model::{ChosenPassword, Email, Invalid, ShownName, UserEdit, Username};

use super::caller;
use super::wire::{UserJson, nullable};

/// Edit of an account, the caller's own or another.
#[derive(Deserialize)]
pub(super) struct Edit {
    username: Option<String>,
    display_name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    avatar_url: Option<Option<String>>,
}

impl Edit {
    pub(super) fn parse(&self, call: &Call) -> Result<UserEdit, Invalid> {
        let email = |text: &Option<String>| text.as_deref().map(Email::parse).transpose();
        let avatar = |url: &Option<String>| {
            url.as_deref()
                .map(|url| call.web_url("avatar_url", url))
                .transpose()
        };
        Ok(UserEdit {
            username: self.username.as_deref().map(Username::parse).transpose()?,
            display_name: self
                .display_name
                .as_deref()
                .map(ShownName::of_person)
                .transpose()?,
            email: self.email.as_ref().map(email).transpose()?,
            avatar_url: self.avatar_url.as_ref().map(avatar).transpose()?,
            profile: None,
            role: None,
        })
    }
}

#[derive(Deserialize)]
struct NewPassword {
    current_password: String,
    new_password: String,
}

#[derive(Deserialize)]
struct Farewell {
    password: Option<String>,
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = caller(&call).await?;
    Ok(json(
        StatusCode::OK,
        &UserJson::new(caller.user(), caller.viewer()),
    ))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let edit: Edit = json_body(&mut call).await?;
    let edit = edit.parse(&call)?;
    let user = call.kit.chat.edit_me(&caller, edit).await?;
    Ok(json(StatusCode::OK, &UserJson::new(&user, caller.viewer())))
}

pub(super) async fn change_password(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: NewPassword = json_body(&mut call).await?;
    let min = call.kit.chat.settings().password_min;
    let new = ChosenPassword::parse(&body.new_password, min)
        .and_then(|new| new.refuse_guessable(&caller.user().names()))
        .map_err(|bad| bad.of("new_password"))?;
    call.kit
        .chat
        .change_password(&caller, &body.current_password, new)
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn end(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: Farewell = json_body(&mut call).await?;
    call.kit
        .chat
        .end_me(&caller, body.password.as_deref())
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
