//! `/setup`: one-time link that creates the first admin.

use crate::chat::ChatError;
use crate::dialect::kit::{Call, StatusCode};

use super::auth::{EntryPage, account, let_in, registration_of};
use super::form::Form;
use super::form_fields::Fields;
use super::i18n;
use super::layout::Shell;
use super::respond::{Answer, found, page};

pub(super) async fn show(call: Call) -> Answer {
    let token = call.query_value("token").unwrap_or_default();
    call.kit
        .chat
        .check_setup_token(&token, &call.visitor())
        .await?;
    let form = Form::with("token", &token);
    page(StatusCode::OK, &call, &view(&call, &form, None))
}

pub(super) async fn set_up(mut call: Call) -> Answer {
    let form = Form::open(&mut call).await?;
    let chat = &call.kit.chat;
    let made = match registration_of(&call, &form) {
        Ok(new) => {
            chat.set_up_cookie(form.raw("token"), new, &call.visitor())
                .await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok((_, cookie)) => Ok(let_in(&call, found("/"), &cookie)),
        Err(ChatError::BadSetupToken) => Err(ChatError::BadSetupToken.into()),
        Err(error) => {
            let template = view(&call, &form, Some(&error));
            page(template.fields.status(), &call, &template)
        }
    }
}

fn view(call: &Call, form: &Form, error: Option<&ChatError>) -> EntryPage {
    let t = i18n::of();
    EntryPage {
        shell: Shell::outside(t.set_up),
        lead: t.set_up_lead,
        fields: Fields::only(account(call, t), form, error),
        hidden: ("token", form.raw("token").to_owned()),
        submit: t.set_up_submit,
        ways: Vec::new(),
    }
}
