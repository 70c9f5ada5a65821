//! `/admin`: overview of the server, for admins.

use askama::Template;

use crate::chat::{Caller, ServerStats};
use crate::dialect::kit::Call;

use super::admin_rooms::{self, GroupView};
use super::flash::Notice;
use super::form::Form;
use super::form_fields::{Refused, status_of};
use super::i18n;
use super::invites::{self, InvitesView};
use super::layout::Shell;
use super::respond::{Answer, admin, done, found, page};

/// Number of days in the chart.
const DAYS: u32 = 14;

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    shell: Shell,
    census: ServerStats,
    days: Vec<Bar>,
    database: String,
    free: String,
    file_bytes: String,
    version: &'static str,
    /// Dialects that `compat.open` lets callers use without authentication.
    open: String,
    rooms: Vec<GroupView>,
    more_rooms: bool,
    invites: InvitesView,
}

/// Bar of the chart: the messages of one day.
struct Bar {
    day: String,
    count: i64,
    /// Percent of the chart's height.
    height: i64,
    /// Space above the bar, percent.
    top: i64,
    /// Horizontal position in the chart.
    x: usize,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = admin(&call).await?;
    view(&call, &me, None).await
}

async fn view(call: &Call, me: &Caller, refused: Option<&Refused<'_>>) -> Answer {
    let t = i18n::of();
    let census = call.kit.chat.census(me, DAYS).await?;
    let (rooms, after) = admin_rooms::rooms(call, me).await?;
    let template = AdminPage {
        shell: Shell::inside(call, me, t.admin).await?,
        days: bars(&census),
        database: size(census.database),
        free: size(census.free),
        file_bytes: size(census.file_bytes),
        version: env!("CARGO_PKG_VERSION"),
        open: call.kit.compat_open.join(", "),
        rooms,
        more_rooms: after.is_some(),
        invites: invites::of_server(call, me, refused).await?,
        census,
    };
    page(status_of(t, refused), call, &template)
}

pub(super) async fn invite(mut call: Call) -> Answer {
    admin(&call).await?;
    let (me, form) = Form::of_caller(&mut call).await?;
    match invites::make(&call, &me, None, &form).await {
        Ok(code) => Ok(found(&format!("/admin?invite={code}#invites"))),
        Err(error) => {
            let (which, form, error) = ("invite", &form, &error);
            view(&call, &me, Some(&Refused { which, form, error })).await
        }
    }
}

pub(super) async fn revoke(mut call: Call) -> Answer {
    admin(&call).await?;
    let (me, form) = Form::of_caller(&mut call).await?;
    invites::revoke_by(&call, &me, &form).await?;
    Ok(done("/admin", Notice::Revoked))
}

fn bars(census: &ServerStats) -> Vec<Bar> {
    let most = census.days.iter().map(|(_, count)| *count).max();
    let most = most.unwrap_or(0).max(1);
    let bar = |(x, (day, count)): (usize, &(crate::model::Millis, i64))| {
        let height = (count * 100 + most - 1) / most;
        Bar {
            day: crate::dialect::kit::rfc3339(*day)
                .chars()
                .take(10)
                .collect(),
            count: *count,
            height,
            top: 100 - height,
            x: x * 10,
        }
    };
    census.days.iter().enumerate().map(bar).collect()
}

/// Formats a number of bytes in the units of the settings.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while size >= 1024.0 && units.len() > 0 {
        size /= 1024.0;
        unit = units.next();
    }
    format!("{size:.1} {}", unit.unwrap_or(&"TiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_with_one_decimal() {
        for (bytes, text) in [
            (0, "0.0 KiB"),
            (4096, "4.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (26_843_545_600, "25.0 GiB"),
            (5_497_558_138_880_000, "5000.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
