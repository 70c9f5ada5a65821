//! `/users`: account management for admins: edit, log out, create a password link, delete.

use askama::Template;
use uuid::Uuid;

use crate::chat::{Caller, ChatError, UserUsage};
use crate::dialect::kit::{Call, Fault, StatusCode};
use crate::model::{Role, User, UserEdit, UserId, Username, Viewer};

use super::flash::Notice;
use super::form::Form;
use super::form_fields::{Fields, Input, Refused, status_of};
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::respond::{Answer, Stop, admin, done, found, page};
use super::room_details::not_offered;
use super::views::{Clock, Face};

/// Accounts per page.
const PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    shell: Shell,
    users: Vec<UserView>,
    query: String,
    /// Start of the next page, if there is one.
    after: Option<i64>,
}

struct UserView {
    uuid: Uuid,
    face: Face,
    name: String,
    username: String,
    email: String,
    role: &'static str,
    last_seen: Option<Clock>,
    sessions: u32,
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    shell: Shell,
    uuid: Uuid,
    face: Face,
    name: String,
    is_guest: bool,
    fields: Fields,
    /// URL of a password link just created, or empty.
    link: String,
}

pub(super) async fn list(call: Call) -> Answer {
    let me = admin(&call).await?;
    let t = i18n::of();
    let query = call.query_value("q").unwrap_or_default().trim().to_owned();
    let after = call.query_number("after", 0, i64::MAX)?.unwrap_or(0);
    let chat = &call.kit.chat;
    let mut users = chat.roster(&me, &query, UserId(after), PAGE + 1).await?;
    let more = users.len() > PAGE as usize;
    users.truncate(PAGE as usize);
    let last = users.last().filter(|_| more);
    let template = UsersPage {
        shell: Shell::inside(&call, &me, t.users).await?,
        after: last.map(|last| last.user.id().0),
        users: users
            .iter()
            .filter(|standing| standing.user.id() != me.id())
            .map(|standing| UserView::new(t, standing, me.viewer()))
            .collect(),
        query,
    };
    page(StatusCode::OK, &call, &template)
}

impl UserView {
    fn new(t: &'static Texts, standing: &UserUsage, viewer: Viewer) -> Self {
        let (user, person) = (&standing.user, &standing.user.person);
        Self {
            uuid: person.uuid,
            face: Face::of_person(person),
            name: person.display_name.clone(),
            username: person.username.clone(),
            email: user.private(viewer).email.unwrap_or_default().to_owned(),
            role: t.role(person.role),
            last_seen: standing.last_seen.map(Clock::new),
            sessions: standing.sessions,
        }
    }
}

pub(super) async fn show(call: Call) -> Answer {
    let me = admin(&call).await?;
    let user = user_of(&call).await?;
    view(&call, &me, &user, None).await
}

async fn view(call: &Call, me: &Caller, user: &User, refused: Option<&Refused<'_>>) -> Answer {
    let t = i18n::of();
    let person = &user.person;
    let template = UserPage {
        shell: Shell::inside(call, me, &person.display_name).await?,
        uuid: person.uuid,
        face: Face::of_person(person),
        name: person.display_name.clone(),
        is_guest: person.role == Role::Guest,
        fields: Fields::of("user", inputs(t, user, me.viewer()), refused),
        link: link_of(call).await?,
    };
    page(status_of(t, refused), call, &template)
}

/// Returns the URL of the password link just created; empty if there is none.
async fn link_of(call: &Call) -> Result<String, ChatError> {
    let code = call.query_value("link").unwrap_or_default();
    match !code.is_empty()
        && call
            .kit
            .chat
            .is_password_link(&code, &call.visitor())
            .await?
    {
        true => Ok(format!("{}/password?code={code}", call.base_url())),
        false => Ok(String::new()),
    }
}

fn inputs(t: &'static Texts, user: &User, viewer: Viewer) -> Vec<Input> {
    let roles = [Role::Admin, Role::User, Role::Guest].map(|role| (role.as_str(), t.role(role)));
    vec![
        Input::new("username", t.username, 48).value(&user.person.username),
        Input::new("email", t.email, 254)
            .kind("email")
            .optional()
            .value(user.private(viewer).email.unwrap_or_default()),
        Input::select("role", t.role_of_account, roles).value(user.role().as_str()),
    ]
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let (me, user, form) = form_of(&mut call).await?;
    let edited = match edit_of(&form) {
        Ok(edit) => call.kit.chat.edit_user(&me, user.id(), edit).await,
        Err(error) => Err(error),
    };
    match edited {
        Ok(_) => Ok(done("/users", Notice::Saved)),
        Err(error) => {
            let (which, form, error) = ("user", &form, &error);
            view(&call, &me, &user, Some(&Refused { which, form, error })).await
        }
    }
}

/// Fields missing in the form stay unchanged.
fn edit_of(form: &Form) -> Result<UserEdit, ChatError> {
    let role = form.given("role");
    let role = role.map(|word| Role::parse(word).ok_or(not_offered("role")));
    let name = form.given("username").map(|_| form.text("username"));
    Ok(UserEdit {
        username: name.map(Username::parse).transpose()?,
        email: form.given("email").map(|_| form.email()).transpose()?,
        role: role.transpose()?,
        ..UserEdit::default()
    })
}

pub(super) async fn end_sessions(mut call: Call) -> Answer {
    let (me, user, _) = form_of(&mut call).await?;
    call.kit.chat.end_user_sessions(&me, user.id()).await?;
    Ok(done(&address(&user), Notice::SessionsEnded))
}

pub(super) async fn make_link(mut call: Call) -> Answer {
    let (me, user, _) = form_of(&mut call).await?;
    let link = call.kit.chat.create_password_link(&me, user.id()).await?;
    Ok(found(&format!("{}?link={}", address(&user), link.code)))
}

pub(super) async fn delete(mut call: Call) -> Answer {
    let (me, user, _) = form_of(&mut call).await?;
    call.kit.chat.end_user(&me, user.id()).await?;
    Ok(done("/users", Notice::UserDeleted))
}

fn address(user: &User) -> String {
    format!("/users/edit/{}", user.person.uuid)
}

/// Reads an admin's form about the account in the path.
async fn form_of(call: &mut Call) -> Result<(Caller, User, Form), Stop> {
    admin(call).await?;
    let (me, form) = Form::of_caller(call).await?;
    Ok((me, user_of(call).await?, form))
}

async fn user_of(call: &Call) -> Result<User, Stop> {
    let uuid = Uuid::parse_str(call.param(0)).map_err(|_| Fault::NoRoute)?;
    Ok(call.kit.chat.user_by_uuid(uuid).await?)
}
