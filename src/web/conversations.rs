//! `/conversations`: the caller's rooms, unread first.

use std::collections::HashSet;

use askama::Template;

use crate::dialect::kit::{Call, StatusCode};

use super::admin_rooms;
use super::i18n;
use super::layout::Shell;
use super::respond::{Answer, caller, found, page};

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
    let mut shell = Shell::inside(&call, &me, i18n::of().conversations).await?;
    shell.list_first = true;
    if let Some(side) = shell.side.as_mut().filter(|side| side.is_admin) {
        let mine: HashSet<_> = side.rooms.iter().map(|room| room.uuid).collect();
        side.others = admin_rooms::rooms(&call, &me).await?.0;
        side.others.retain(|group| !mine.contains(&group.uuid));
    }
    page(StatusCode::OK, &call, &ListPage { shell })
}
