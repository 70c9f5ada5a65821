//! `/settings`: what one decides about oneself and one's browser.

use askama::Template;

use crate::dialect::kit::{Call, StatusCode};

use super::answer::{Answer, page, visitor};
use super::look;
use super::select::Select;
use super::shell::Shell;
use super::texts;

/// For those who are not logged in.
#[derive(Template)]
#[template(path = "look.html")]
struct LookPage {
    shell: Shell,
    look: Vec<Select>,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    look: Vec<Select>,
}

pub(super) async fn show(call: Call) -> Answer {
    let t = texts::of();
    let look = look::inputs(t);
    let Some(me) = visitor(&call).await? else {
        let shell = Shell::outside(&call, t.look);
        return page(StatusCode::OK, &call, &LookPage { shell, look });
    };
    let shell = Shell::inside(&call, &me, t.settings).await?;
    page(StatusCode::OK, &call, &SettingsPage { shell, look })
}
