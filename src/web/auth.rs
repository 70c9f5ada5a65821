//! `/auth`: log-in, log-out, registration and guest access.

use askama::Template;

use crate::chat::{Caller, ChatError, Login, Registration};
use crate::dialect::kit::{Call, Response, StatusCode};
use crate::model::{ChosenPassword, Username};

use super::accept_invite::after_login;
use super::flash::Notice;
use super::form::Form;
use super::form_fields::{Fields, Input};
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::respond::{Answer, found, is_local, page, saying, visitor, with_cookie};

/// Page with one form, for people who are not logged in.
#[derive(Template)]
#[template(path = "entry.html")]
pub(super) struct EntryPage {
    pub shell: Shell,
    pub lead: &'static str,
    pub fields: Fields,
    /// Name and value of a hidden field.
    pub hidden: (&'static str, String),
    pub submit: &'static str,
    /// URL and text of links to the other forms.
    pub ways: Vec<(String, &'static str)>,
}

#[derive(Clone, Copy, PartialEq)]
enum EntryForm {
    LogIn,
    Register,
    Guest,
}

pub(super) async fn login(call: Call) -> Answer {
    show(&call, EntryForm::LogIn).await
}

pub(super) async fn registration(call: Call) -> Answer {
    show(&call, EntryForm::Register).await
}

pub(super) async fn guest(call: Call) -> Answer {
    show(&call, EntryForm::Guest).await
}

pub(super) async fn log_in(mut call: Call) -> Answer {
    let form = Form::open(&mut call).await?;
    let name = Some(form.text("username")).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| form.text("email"));
    let chat = &call.kit.chat;
    match chat
        .log_in_cookie(Login::new(name, form.raw("password")), &call.visitor())
        .await
    {
        Ok((me, cookie)) => come_in(&call, &me, &form, &cookie).await,
        Err(error) => refuse(&call, EntryForm::LogIn, &form, &error),
    }
}

pub(super) async fn register(mut call: Call) -> Answer {
    let form = Form::open(&mut call).await?;
    let visitor = call.visitor();
    let chat = &call.kit.chat;
    let user = match registration_of(&call, &form) {
        Ok(new) => chat.register(new, &visitor).await,
        Err(invalid) => Err(invalid),
    };
    match user {
        // The documented target is the log-in page, which redirects on because there is a session now.
        Ok(user) => {
            let (me, cookie) = chat.first_login_cookie(user, &visitor).await?;
            match form.raw("next") {
                "" => Ok(let_in(&call, found("/auth/login"), &cookie)),
                _ => come_in(&call, &me, &form, &cookie).await,
            }
        }
        Err(error) => refuse(&call, EntryForm::Register, &form, &error),
    }
}

pub(super) async fn enter(mut call: Call) -> Answer {
    let form = Form::open(&mut call).await?;
    match register_guest(&call, &form).await {
        Ok((me, cookie)) => come_in(&call, &me, &form, &cookie).await,
        Err(error) => refuse(&call, EntryForm::Guest, &form, &error),
    }
}

async fn register_guest(call: &Call, form: &Form) -> Result<(Caller, String), ChatError> {
    let visitor = call.visitor();
    let (name, email) = (Username::parse(form.text("username"))?, form.email()?);
    let chat = &call.kit.chat;
    let user = chat
        .register_guest(name, email, form.display_name()?, &visitor)
        .await?;
    chat.first_login_cookie(user, &visitor).await
}

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutPage {
    shell: Shell,
    csrf: String,
}

/// Ends the session if the request comes from a link on an own page or from a program. Anything else, such as a picture
/// or a link on another site, gets a page that asks for confirmation (CSRF protection).
pub(super) async fn log_out(call: Call) -> Answer {
    let caller = visitor(&call).await?;
    if call.is_own_navigation() || call.is_from_program() {
        return end_session(&call, caller).await;
    }
    let Some(caller) = caller else {
        return Ok(found("/auth/login"));
    };
    let template = LogoutPage {
        shell: Shell::outside(i18n::of().log_out),
        csrf: call.kit.chat.csrf_token(&caller),
    };
    page(StatusCode::OK, &call, &template)
}

pub(super) async fn log_out_by_form(mut call: Call) -> Answer {
    let (caller, _) = Form::of_caller(&mut call).await?;
    end_session(&call, Some(caller)).await
}

async fn end_session(call: &Call, caller: Option<Caller>) -> Answer {
    if let Some(caller) = caller {
        match call.kit.chat.log_out(&caller).await {
            // The session was ended by another request meanwhile; the result is the same.
            Ok(()) | Err(ChatError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // Scripts load this URL when they learn that the session is over.
    let notice = match call.query_value("note").as_deref() {
        Some("session-ended") => Notice::SessionEnded,
        _ => Notice::LoggedOut,
    };
    let response = with_cookie(call, found("/auth/login"), &call.cookie_name(), "");
    Ok(saying(response, notice))
}

/// Parses a new account with a password from a form.
pub(super) fn registration_of(call: &Call, form: &Form) -> Result<Registration, ChatError> {
    let min = call.kit.chat.settings().password_min;
    Registration {
        username: Username::parse(form.text("username"))?,
        email: form.email()?,
        display_name: form.display_name()?,
        password: ChosenPassword::parse(form.raw("password"), min)?,
    }
    .refuse_guessable()
}

/// Sets the session cookie and redirects to the page that was wanted before log-in.
async fn come_in(call: &Call, me: &Caller, form: &Form, cookie: &str) -> Answer {
    let way = after_login(call, me, next(form)).await;
    Ok(let_in(call, found(&way), cookie))
}

/// Sets the session cookie.
pub(super) fn let_in(call: &Call, response: Response, cookie: &str) -> Response {
    with_cookie(call, response, &call.cookie_name(), cookie)
}

/// Returns the page wanted before log-in, `/` if there is none or it is not local.
fn next(form: &Form) -> &str {
    Some(form.raw("next"))
        .filter(|path| is_local(path))
        .unwrap_or("/")
}

async fn show(call: &Call, door: EntryForm) -> Answer {
    let next = call.query_value("next").unwrap_or_default();
    if visitor(call).await?.is_some() {
        return Ok(found(if is_local(&next) { &next } else { "/" }));
    }
    let form = Form::with("next", &next);
    let template = door.page(call, &form, None);
    page(StatusCode::OK, call, &template)
}

fn refuse(call: &Call, door: EntryForm, form: &Form, error: &ChatError) -> Answer {
    let template = door.page(call, form, Some(error));
    page(template.fields.status(), call, &template)
}

impl EntryForm {
    fn page(self, call: &Call, form: &Form, error: Option<&ChatError>) -> EntryPage {
        let t = i18n::of();
        let (title, lead, submit) = match self {
            EntryForm::LogIn if call.kit.chat.setup_token().is_some() => {
                (t.log_in, t.set_up_first, t.log_in)
            }
            EntryForm::LogIn => (t.log_in, "", t.log_in),
            EntryForm::Register => (t.register, "", t.register),
            EntryForm::Guest => (t.guest, t.guest_lead, t.enter),
        };
        EntryPage {
            shell: Shell::outside(title),
            lead,
            fields: Fields::only(self.inputs(call, t), form, error),
            hidden: ("next", form.raw("next").to_owned()),
            submit,
            ways: self.ways(call, t, form.raw("next")),
        }
    }

    fn inputs(self, call: &Call, t: &'static Texts) -> Vec<Input> {
        let name = Input::new("username", t.username, 48).autocomplete("username");
        match self {
            EntryForm::LogIn => vec![
                Input::new("username", t.name_or_email, 254).autocomplete("username"),
                password(t, "current-password"),
            ],
            EntryForm::Register => account(call, t),
            EntryForm::Guest => vec![name],
        }
    }

    /// Returns links to the other forms that this visitor may use.
    fn ways(self, call: &Call, t: &'static Texts, next: &str) -> Vec<(String, &'static str)> {
        let (chat, visitor) = (&call.kit.chat, call.visitor());
        let all = [
            (EntryForm::LogIn, "login", true, t.to_login),
            (
                EntryForm::Register,
                "register",
                chat.may_register(&visitor).is_ok(),
                t.to_register,
            ),
            (
                EntryForm::Guest,
                "guest",
                chat.may_visit(&visitor).is_ok(),
                t.to_guest,
            ),
        ];
        let query = match next {
            "" => String::new(),
            next => form_urlencoded::Serializer::new("?".to_owned())
                .append_pair("next", next)
                .finish(),
        };
        all.into_iter()
            .filter(|(door, _, open, _)| *open && *door != self)
            .map(|(_, path, _, text)| (format!("/auth/{path}{query}"), text))
            .collect()
    }
}

/// Returns the inputs for a new account with a password.
pub(super) fn account(call: &Call, t: &'static Texts) -> Vec<Input> {
    vec![
        Input::new("username", t.username, 48)
            .autocomplete("username")
            .hint(t.username_hint),
        Input::new("email", t.email, 254)
            .kind("email")
            .autocomplete("email")
            .optional(),
        new_password(call, t),
    ]
}

/// Returns the input for a new password.
pub(super) fn new_password(call: &Call, t: &'static Texts) -> Input {
    password(t, "new-password").hint(password_hint(call, t))
}

/// Returns the hint with the requirements on a password.
pub(super) fn password_hint(call: &Call, t: &'static Texts) -> String {
    let min = call.kit.chat.settings().password_min;
    t.password_hint.replace("{n}", &min.to_string())
}

/// Returns a password input.
fn password(t: &'static Texts, autocomplete: &'static str) -> Input {
    Input::new("password", t.password, 128)
        .kind("password")
        .autocomplete(autocomplete)
}
