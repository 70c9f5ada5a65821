//! `/password?code=`: one-time link to choose a new password.

use crate::chat::ChatError;
use crate::dialect::kit::{Call, StatusCode};
use crate::model::ChosenPassword;

use super::auth::{EntryPage, new_password};
use super::flash::Notice;
use super::form::Form;
use super::form_fields::Fields;
use super::i18n;
use super::layout::Shell;
use super::respond::{Answer, done, page};

const NONE: ChatError = ChatError::NotFound("password link");

pub(super) async fn show(call: Call) -> Answer {
    let code = call.query_value("code").unwrap_or_default();
    if !call
        .kit
        .chat
        .is_password_link(&code, &call.visitor())
        .await?
    {
        return Err(NONE.into());
    }
    page(
        StatusCode::OK,
        &call,
        &view(&call, &Form::with("code", &code), None),
    )
}

pub(super) async fn choose(mut call: Call) -> Answer {
    let form = Form::open(&mut call).await?;
    let chat = &call.kit.chat;
    let min = chat.settings().password_min;
    let chosen = match ChosenPassword::parse(form.raw("password"), min) {
        Ok(new) => {
            chat.use_password_link(form.raw("code"), new, &call.visitor())
                .await
        }
        Err(invalid) => Err(invalid.into()),
    };
    match chosen {
        Ok(()) => Ok(done("/auth/login", Notice::PasswordSaved)),
        Err(ChatError::NotFound(_)) => Err(NONE.into()),
        Err(error) => {
            let template = view(&call, &form, Some(&error));
            page(template.fields.status(), &call, &template)
        }
    }
}

fn view(call: &Call, form: &Form, error: Option<&ChatError>) -> EntryPage {
    let t = i18n::of();
    let inputs = vec![new_password(call, t)];
    EntryPage {
        shell: Shell::outside(t.choose_password),
        lead: t.choose_password_lead,
        fields: Fields::only(inputs, form, error),
        hidden: ("code", form.raw("code").to_owned()),
        submit: t.save,
        ways: Vec::new(),
    }
}
