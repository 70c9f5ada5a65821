//! `/users/auth-user`: the caller's own account.

use serde::Deserialize;

use crate::chat::ChatError;
use crate::dialect::kit::{Call, StatusCode, json, json_body};
use crate::model::ChosenPassword;

use super::error::Refusal;
use super::users::Edit;
use super::wire::{OneUser, Said, UserJson};
use super::{Answer, NAME};

#[derive(Deserialize)]
struct Passwords {
    current_password: Option<String>,
    new_password: Option<String>,
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = call.caller().await?;
    let user = UserJson::new(caller.user(), caller.viewer(), &call.base_url());
    let message = None;
    Ok(json(StatusCode::OK, &OneUser { message, user }))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let body: Edit = json_body(&mut call).await?;
    let base = call.base_url();
    let user = call.kit.chat.edit_me(&caller, body.parse(&call)?).await?;
    let message = Some("User updated successfully");
    let user = UserJson::new(&user, caller.viewer(), &base);
    Ok(json(StatusCode::OK, &OneUser { message, user }))
}

pub(super) async fn change_password(mut call: Call) -> Answer {
    const WRONG: Refusal = Refusal::Said(StatusCode::UNAUTHORIZED, "Current password is incorrect");
    let caller = call.caller().await?;
    let body: Passwords = json_body(&mut call).await?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (current, new) = given(body.current_password)
        .zip(given(body.new_password))
        .ok_or(Refusal::bad("Current and new password are required"))?;
    let new = ChosenPassword::parse(&new, call.kit.password_min(NAME))?;
    match call.kit.chat.change_password(&caller, &current, new).await {
        Err(ChatError::BadCredentials) => return Err(WRONG),
        changed => changed?,
    }
    let message = "Password changed successfully";
    Ok(json(StatusCode::OK, &Said { message }))
}
