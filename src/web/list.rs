//! `/conversations`: the caller's rooms, unread first.

use std::collections::HashSet;

use askama::Template;

use crate::dialect::kit::{Call, StatusCode};

use super::answer::{Answer, caller, found, page};
use super::groups;
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
    if let Some(side) = shell.side.as_mut().filter(|side| side.is_admin) {
        let mine: HashSet<_> = side.rooms.iter().map(|room| room.uuid).collect();
        side.others = groups::rooms(&call, &me).await?.0;
        side.others.retain(|group| !mine.contains(&group.uuid));
    }
    page(StatusCode::OK, &call, &ListPage { shell })
}
