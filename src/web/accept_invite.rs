//! `/invite?code=`: the page of an invite, where people register, visit as a guest or join.

use askama::Template;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, StatusCode};
use crate::model::Invite;

use super::auth::{account, let_in, registration_of};
use super::form::Form;
use super::form_fields::Fields;
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::respond::{Answer, found, page, visitor};
use super::views::person_name;

/// URL of an invite's page, without the code.
const HERE: &str = "/invite?code=";

#[derive(Template)]
#[template(path = "invited.html")]
struct InvitedPage {
    shell: Shell,
    /// Text that names the inviter and the room.
    lead: String,
    code: String,
    /// Label of the accept button, for callers with a session.
    accept: Option<String>,
    /// Registration form, for visitors who may register.
    account: Option<Fields>,
    may_visit: bool,
    /// Percent-encoded URL of this page.
    next: String,
}

pub(super) async fn show(call: Call) -> Answer {
    let code = call.query_value("code").unwrap_or_default().into_owned();
    let form = Form::with("code", &code);
    view(&call, &form, None).await
}

async fn view(call: &Call, form: &Form, error: Option<&ChatError>) -> Answer {
    let t = i18n::of();
    let chat = &call.kit.chat;
    let code = form.raw("code");
    let invite = invite_of(call, code).await?;
    let me = visitor(call).await?;
    let from = call.visitor();
    let account = (me.is_none() && chat.registers(&invite, &from))
        .then(|| Fields::only(account(call, t), form, error));
    let next = format!("{HERE}{code}");
    let status = account.as_ref().map_or(StatusCode::OK, Fields::status);
    let template = InvitedPage {
        shell: Shell {
            csrf: me.as_ref().map_or(String::new(), |me| chat.csrf_token(me)),
            ..Shell::outside(t.invitation)
        },
        lead: lead(t, &invite),
        code: code.to_owned(),
        may_visit: me.is_none() && chat.may_visit(&from).is_ok(),
        accept: me.map(|me| t.accept_as.replace("{me}", &person_name(t, me.person()))),
        account,
        next: form_urlencoded::byte_serialize(next.as_bytes()).collect(),
    };
    page(status, call, &template)
}

fn lead(t: &'static Texts, invite: &Invite) -> String {
    let by = &*person_name(t, &invite.created_by);
    match &invite.room {
        // The room's name is inserted last, so that placeholders in a name are not replaced.
        Some(room) => {
            let (before, after) = t.invited_to_room.split_once("{room}").unwrap_or_default();
            format!("{}{}{}", before.replace("{by}", by), room.name, after)
        }
        None => t.invited_to_server.replace("{by}", by),
    }
}

/// Registers an account that is a member of the room at once.
pub(super) async fn register(mut call: Call) -> Answer {
    let form = Form::open(&mut call).await?;
    let (chat, visitor) = (&call.kit.chat, call.visitor());
    let invite = invite_of(&call, form.raw("code")).await?;
    let made = match registration_of(&call, &form) {
        Ok(new) => chat.register_invited(new, form.raw("code"), &visitor).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(user) => {
            let (me, cookie) = chat.first_login_cookie(user, &visitor).await?;
            let way = way_into(&call, &me, &invite).await;
            Ok(let_in(&call, found(&way), &cookie))
        }
        Err(error) => view(&call, &form, Some(&error)).await,
    }
}

/// Adds the caller to the room.
pub(super) async fn join(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let way = arrive(&call, &me, form.raw("code")).await?;
    Ok(found(&way))
}

/// Returns the page to show after log-in instead of `next`: the room, if `next` is an invite.
pub(super) async fn after_login(call: &Call, me: &Caller, next: &str) -> String {
    let Some(code) = next.strip_prefix(HERE) else {
        return next.to_owned();
    };
    // On failure, the invite's page shows the error.
    arrive(call, me, code)
        .await
        .unwrap_or_else(|_| next.to_owned())
}

async fn arrive(call: &Call, me: &Caller, code: &str) -> Result<String, ChatError> {
    let chat = &call.kit.chat;
    let invite = invite_of(call, code).await?;
    if invite.room.is_some() {
        match chat.join_by_invite(me, code, &call.visitor()).await {
            Ok(_) | Err(ChatError::AlreadyMember) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(way_into(call, me, &invite).await)
}

async fn way_into(call: &Call, me: &Caller, invite: &Invite) -> String {
    let Some(room) = &invite.room else {
        return "/".to_owned();
    };
    let room = call.kit.chat.room(me, room.id).await;
    room.map_or("/".to_owned(), |(room, _)| format!("/chat/{}", room.uuid))
}

async fn invite_of(call: &Call, code: &str) -> Result<Invite, ChatError> {
    let found = call.kit.chat.invite(code, &call.visitor()).await;
    found.map_err(|error| match error {
        ChatError::NotFound(_) => ChatError::NotFound("invite"),
        other => other,
    })
}
