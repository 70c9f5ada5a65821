//! `/people`: all accounts, with a button that opens a direct room.

use askama::Template;

use crate::dialect::kit::{Call, StatusCode};
use crate::model::UserId;

use super::form::Form;
use super::i18n;
use super::layout::Shell;
use super::respond::{Answer, caller, found, page};
use super::views::PersonView;

/// People per page.
const PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    people: Vec<PersonView>,
    query: String,
    /// Start of the next page, if there is one.
    after: Option<i64>,
    is_guest: bool,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let t = i18n::of();
    let query = call.query_value("q").unwrap_or_default().trim().to_owned();
    let after = call.query_number("after", 0, i64::MAX)?.unwrap_or(0);
    let mut users = call.kit.chat.users(&query, UserId(after), PAGE + 1).await?;
    let more = users.len() > PAGE as usize;
    users.truncate(PAGE as usize);
    let template = PeoplePage {
        shell: Shell::inside(&call, &me, t.people).await?,
        after: users.last().filter(|_| more).map(|user| user.id().0),
        people: users
            .iter()
            .filter(|user| user.id() != me.id())
            .map(|user| PersonView::new(t, &user.person, false))
            .collect(),
        query,
        is_guest: me.role() == crate::model::Role::Guest,
    };
    page(StatusCode::OK, &call, &template)
}

pub(super) async fn chat(mut call: Call) -> Answer {
    let (me, _) = Form::of_caller(&mut call).await?;
    let other = UserId(call.id(0, "user")?);
    let (room, _) = call.kit.chat.direct_room(&me, other).await?;
    Ok(found(&format!("/chat/{}", room.uuid)))
}
