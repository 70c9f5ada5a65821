//! `/settings`: settings of the account and of the browser.

use askama::Template;
use uuid::Uuid;

use crate::chat::{Caller, ChatError, Session};
use crate::dialect::kit::{Call, Fault, StatusCode};
use crate::model::{ChosenPassword, Invalid, Notify, Role, ShownName, UserEdit, Username};

use super::appearance;
use super::auth::password_hint;
use super::flash::Notice;
use super::form::{Form, sender};
use super::form_fields::{Fields, Input, Refused, status_of};
use super::i18n::{self, Texts};
use super::image_form;
use super::layout::Shell;
use super::respond::{Answer, Stop, done, page, visitor, with_cookie};
use super::room_details::not_offered;
use super::views::{Clock, Face};

/// Path of the page.
const HERE: &str = "/settings";

/// Page for visitors who are not logged in.
#[derive(Template)]
#[template(path = "look.html")]
struct LookPage {
    shell: Shell,
    look: Fields,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    face: Face,
    has_picture: bool,
    is_guest: bool,
    is_admin: bool,
    profile: Fields,
    picture: Fields,
    /// `None` for accounts without a password.
    password: Option<Fields>,
    look: Fields,
    notify: Fields,
    sessions: Vec<SessionView>,
    removal: Fields,
    /// Whether deletion was tried and refused.
    removal_open: bool,
}

struct SessionView {
    uuid: Uuid,
    program: String,
    ip: String,
    last: Clock,
    is_this: bool,
}

pub(super) async fn show(call: Call) -> Answer {
    match visitor(&call).await? {
        Some(me) => view(&call, &me, None).await,
        None => {
            let t = i18n::of();
            let shell = Shell::outside(t.look);
            let look = Fields::new(appearance::inputs(t));
            page(StatusCode::OK, &call, &LookPage { shell, look })
        }
    }
}

async fn view(call: &Call, me: &Caller, refused: Option<&Refused<'_>>) -> Answer {
    let t = i18n::of();
    let user = call.kit.chat.user(me.id()).await?;
    let told = call.kit.chat.notify_default(me).await?;
    let notify = Input::select("notify", t.notify, t.notify_choices()).value(told.as_str());
    let password = user
        .has_password()
        .then(|| Fields::of("password", password_inputs(call, t), refused));
    let template = SettingsPage {
        shell: Shell::inside(call, me, t.settings).await?,
        face: Face::of_person(&user.person),
        has_picture: user.person.avatar_url.is_some(),
        is_guest: me.role() == Role::Guest,
        is_admin: me.role() == Role::Admin,
        profile: Fields::of("profile", profile_inputs(t, &user), refused),
        picture: Fields::of("picture", image_form::inputs(t), refused),
        password,
        look: Fields::new(appearance::inputs(t)),
        notify: Fields::of("notify", vec![notify], refused),
        sessions: sessions(call, me, t).await?,
        removal: Fields::of("delete", removal_inputs(t, user.has_password()), refused),
        removal_open: refused.is_some_and(|refused| refused.which == "delete"),
    };
    page(status_of(t, refused), call, &template)
}

fn profile_inputs(t: &'static Texts, user: &crate::model::User) -> Vec<Input> {
    vec![
        Input::new("username", t.username, 48)
            .autocomplete("username")
            .hint(t.rename_hint)
            .value(&user.person.username),
        Input::new("display_name", t.display_name, 100)
            .autocomplete("name")
            .hint(t.display_name_hint)
            .value(&user.person.display_name),
        Input::new("email", t.email, 254)
            .kind("email")
            .autocomplete("email")
            .optional()
            .value(user.private(user.own()).email.unwrap_or_default()),
    ]
}

fn password_inputs(call: &Call, t: &'static Texts) -> Vec<Input> {
    let new = Input::new("new_password", t.new_password, 128)
        .kind("password")
        .autocomplete("new-password")
        .hint(password_hint(call, t));
    vec![current_password(t), new]
}

fn current_password(t: &'static Texts) -> Input {
    Input::new("current_password", t.current_password, 128)
        .kind("password")
        .autocomplete("current-password")
}

/// Guests have no password for confirming the deletion.
fn removal_inputs(t: &'static Texts, has_password: bool) -> Vec<Input> {
    has_password
        .then(|| current_password(t))
        .into_iter()
        .collect()
}

async fn sessions(
    call: &Call,
    me: &Caller,
    t: &'static Texts,
) -> Result<Vec<SessionView>, ChatError> {
    let mut sessions = call.kit.chat.sessions(me).await?;
    sessions.sort_by_key(|session| std::cmp::Reverse(session.last_at.0));
    let view = |session: &Session| SessionView {
        uuid: session.uuid,
        program: program(t, session),
        ip: session.ip.clone(),
        last: Clock::new(session.last_at),
        is_this: session.id == me.session(),
    };
    Ok(sessions.iter().map(view).collect())
}

/// Returns browser and system of a session's client, as its user agent says.
fn program(t: &'static Texts, session: &Session) -> String {
    let agent = session.user_agent.as_str();
    let first = |known: &[&'static str]| known.iter().copied().find(|word| agent.contains(word));
    let browser = first(&["Firefox", "Edg", "OPR", "Chrome", "Safari"]);
    let system = first(&["Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux"]);
    match (browser, system) {
        (Some(browser), Some(system)) => {
            let browser = match browser {
                "Edg" => "Edge",
                "OPR" => "Opera",
                other => other,
            };
            format!("{browser}, {}", system.replace(" OS X", ""))
        }
        _ if agent.is_empty() => t.unknown_program.to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

pub(super) async fn save_profile(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let saved = match profile_of(&form) {
        Ok(edit) => call.kit.chat.edit_me(&me, edit).await.map(drop),
        Err(invalid) => Err(invalid.into()),
    };
    after(&call, &me, "profile", &form, saved, Notice::Saved).await
}

fn profile_of(form: &Form) -> Result<UserEdit, Invalid> {
    Ok(UserEdit {
        username: Some(Username::parse(form.text("username"))?),
        display_name: Some(ShownName::of_person(form.text("display_name"))?),
        email: Some(form.email()?),
        ..UserEdit::default()
    })
}

pub(super) async fn save_password(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let chat = &call.kit.chat;
    let chosen = ChosenPassword::parse(form.raw("new_password"), chat.settings().password_min)
        .and_then(|new| new.refuse_guessable(&me.user().names()));
    let saved = match chosen {
        Ok(new) => {
            chat.change_password(&me, form.raw("current_password"), new)
                .await
        }
        Err(bad) => Err(bad.of("new_password").into()),
    };
    let saved = saved.map_err(is_current);
    after(&call, &me, "password", &form, saved, Notice::PasswordSaved).await
}

/// Attributes wrong credentials to the field of the current password.
fn is_current(error: ChatError) -> ChatError {
    match error {
        ChatError::BadCredentials => Invalid::new("current_password", "is wrong").into(),
        other => other,
    }
}

pub(super) async fn delete(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let password = form.given("current_password");
    let ended = call.kit.chat.end_me(&me, password).await;
    match ended.map_err(is_current) {
        Ok(()) => {
            let response = done("/auth/login", Notice::UserDeleted);
            Ok(with_cookie(&call, response, &call.cookie_name(), ""))
        }
        Err(error) => {
            let (which, form, error) = ("delete", &form, &error);
            view(&call, &me, Some(&Refused { which, form, error })).await
        }
    }
}

pub(super) async fn save_picture(mut call: Call) -> Answer {
    let me = sender(&call).await?;
    let chat = call.kit.chat.clone();
    let by = call.sender(&me);
    let saved = image_form::take(&mut call, &me, |bytes| chat.set_avatar(by, bytes)).await?;
    let saved = saved.map(drop);
    after(
        &call,
        &me,
        "picture",
        &Form::default(),
        saved,
        Notice::Saved,
    )
    .await
}

pub(super) async fn clear_picture(mut call: Call) -> Answer {
    let (me, _) = Form::of_caller(&mut call).await?;
    let edit = UserEdit {
        avatar_url: Some(None),
        ..UserEdit::default()
    };
    call.kit.chat.edit_me(&me, edit).await?;
    Ok(done(HERE, Notice::Saved))
}

/// Sets the notification setting of all rooms. Each room can also be set on its own page.
pub(super) async fn save_notify(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let saved = match Notify::parse(form.raw("notify")) {
        Some(notify) => call.kit.chat.set_notify_everywhere(&me, notify).await,
        None => Err(not_offered("notify").into()),
    };
    after(&call, &me, "notify", &form, saved, Notice::Saved).await
}

pub(super) async fn end_session(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let chat = &call.kit.chat;
    let sessions = chat.sessions(&me).await?;
    let session = Uuid::parse_str(form.raw("session"))
        .ok()
        .and_then(|uuid| sessions.iter().find(|session| session.uuid == uuid))
        .ok_or(Stop::Fault(Fault::NoRoute))?;
    chat.end_session(&me, session.id).await?;
    Ok(done(HERE, Notice::SessionsEnded))
}

pub(super) async fn end_other_sessions(mut call: Call) -> Answer {
    let (me, _) = Form::of_caller(&mut call).await?;
    call.kit.chat.end_other_sessions(&me).await?;
    Ok(done(HERE, Notice::SessionsEnded))
}

/// Redirects to the page on success, else renders it with the error.
async fn after(
    call: &Call,
    me: &Caller,
    which: &'static str,
    form: &Form,
    saved: Result<(), ChatError>,
    notice: Notice,
) -> Answer {
    match saved {
        Ok(()) => Ok(done(HERE, notice)),
        Err(error) => {
            let error = &error;
            view(call, me, Some(&Refused { which, form, error })).await
        }
    }
}
