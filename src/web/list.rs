//! `/conversations`: my rooms, unread first.

use askama::Template;

use crate::dialect::kit::{Call, StatusCode};

use super::answer::{Answer, caller, found, page};
use super::shell::Shell;
use super::texts;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    shell: Shell,
}

pub(super) async fn home(call: Call) -> Answer {
    caller(&call).await?;
    Ok(found("/conversations"))
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let mut shell = Shell::inside(&call, &me, texts::of().conversations).await?;
    shell.list_first = true;
    page(StatusCode::OK, &call, &ListPage { shell })
}
