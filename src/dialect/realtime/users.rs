//! `/users`: list, show, edit and delete accounts.

use serde::{Deserialize, Serialize};

use crate::chat::Caller;
use crate::dialect::kit::{Call, StatusCode, json, json_body};
use crate::model::{Email, Invalid, Role, UserEdit, UserId, Username, Viewer, WebUrl};

use super::error::Refusal;
use super::wire::{OneUser, Said, UserJson};
use super::{Answer, NAME};

/// Edit of an account. Absent fields remain unchanged, empty ones are cleared.
#[derive(Deserialize)]
pub(super) struct Edit {
    username: Option<String>,
    email: Option<String>,
    avatar_url: Option<String>,
}

impl Edit {
    pub(super) fn parse(&self, call: &Call) -> Result<UserEdit, Invalid> {
        let parse_email = |text: &str| match text.trim() {
            "" => Ok(None),
            text => Email::parse(text).map(Some),
        };
        Ok(UserEdit {
            username: self.username.as_deref().map(Username::parse).transpose()?,
            email: self.email.as_deref().map(parse_email).transpose()?,
            avatar_url: parse_avatar(self.avatar_url.as_deref(), call)?,
            ..UserEdit::default()
        })
    }
}

#[derive(Serialize)]
struct AllUsers {
    users: Vec<UserJson>,
}

pub(super) async fn list(call: Call) -> Answer {
    let (viewer, base) = (viewer(&call).await?, call.base_url());
    let (after, limit) = call.people_page()?;
    let users = call.kit.chat.users("", after, limit).await?;
    let users = users
        .iter()
        .map(|user| UserJson::new(user, viewer, &base))
        .collect();
    Ok(json(StatusCode::OK, &AllUsers { users }))
}

pub(super) async fn show(call: Call) -> Answer {
    let (viewer, id) = (viewer(&call).await?, UserId(call.id(0, "user")?));
    let user = call.kit.chat.user(id).await?;
    let user = UserJson::new(&user, viewer, &call.base_url());
    let message = None;
    Ok(json(StatusCode::OK, &OneUser { message, user }))
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let id = UserId(call.id(0, "user")?);
    let caller = caller_for(&call, id).await?;
    let body: Edit = json_body(&mut call).await?;
    let base = call.base_url();
    let edit = body.parse(&call)?;
    let user = call.kit.chat.edit_own_or(&caller, id, edit).await?;
    let message = Some("User updated successfully");
    let user = UserJson::new(&user, caller.viewer(), &base);
    Ok(json(StatusCode::OK, &OneUser { message, user }))
}

pub(super) async fn end(call: Call) -> Answer {
    let id = UserId(call.id(0, "user")?);
    let caller = caller_for(&call, id).await?;
    call.kit.chat.end_own_or(&caller, id).await?;
    let message = "User deleted successfully";
    Ok(json(StatusCode::OK, &Said { message }))
}

/// Returns the viewer of a list. No token is needed on the local network.
async fn viewer(call: &Call) -> Result<Viewer, Refusal> {
    let caller = call.caller_or_local().await?;
    Ok(caller.map_or(Viewer::Anybody, |caller| caller.viewer()))
}

/// Checks that the account exists and returns the caller who edits it. If the dialect is open, this is the anonymous
/// caller for requests that lack permission.
async fn caller_for(call: &Call, id: UserId) -> Result<Caller, Refusal> {
    let (caller, open) = (call.optional_caller().await?, call.is_open(NAME));
    if caller.is_none() && !open {
        return Err(call.token_fault(call.kit.is_open(NAME)).into());
    }
    call.kit.chat.user(id).await?;
    let may = |caller: &Caller| caller.id() == id || caller.role() == Role::Admin || !open;
    Ok(caller.filter(may).unwrap_or_else(Caller::anybody))
}

/// Parses an avatar URL. A path other than that of a file means no avatar: front ends use such paths for own images.
pub(super) fn parse_avatar(
    text: Option<&str>,
    call: &Call,
) -> Result<Option<Option<WebUrl>>, Invalid> {
    let Some(text) = text.map(str::trim) else {
        return Ok(None);
    };
    let is_path = text.starts_with('/') && !text.starts_with("//");
    if text.is_empty() || (is_path && !text.starts_with("/files/")) {
        return Ok(Some(None));
    }
    Ok(Some(Some(call.web_url("avatar_url", text)?)))
}
