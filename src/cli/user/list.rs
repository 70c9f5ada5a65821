//! Lists of accounts: a table in local time, or JSON in UTC.

use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::json;

use crate::model::{Millis, Viewer};
use crate::store::UserUsage;

const HEAD: [&str; 7] = [
    "ID",
    "NAME",
    "E-MAIL",
    "ROLE",
    "CREATED",
    "LAST SEEN",
    "SESSIONS",
];

/// Formats a table with a header row. Missing values are shown as a dash.
pub(super) fn table(all: &[UserUsage]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(all.iter().map(row));
    let widths: [usize; HEAD.len()] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| width(&row[column]))
            .max()
            .unwrap_or(0)
    });
    rows.iter().map(|row| line(row, &widths)).collect()
}

/// Formats a JSON array of objects on one line.
pub(super) fn json(all: &[UserUsage]) -> String {
    let objects: Vec<_> = all.iter().map(object).collect();
    format!("{}\n", serde_json::Value::from(objects))
}

fn row(one: &UserUsage) -> [String; HEAD.len()] {
    let user = &one.user;
    [
        user.id().to_string(),
        user.person.username.clone(),
        user.private(Viewer::Operator)
            .email
            .map_or_else(dash, str::to_owned),
        user.role().as_str().to_owned(),
        local(user.created_at),
        one.last_seen.map_or_else(dash, local),
        one.sessions.to_string(),
    ]
}

fn line(row: &[String; HEAD.len()], widths: &[usize; HEAD.len()]) -> String {
    let mut line = String::new();
    for (text, to) in row.iter().zip(widths) {
        line.push_str(text);
        line.extend(std::iter::repeat_n(' ', to - width(text) + 2));
    }
    format!("{}\n", line.trim_end())
}

fn object(one: &UserUsage) -> serde_json::Value {
    let user = &one.user;
    json!({
        "id": user.id().0,
        "uuid": user.person.uuid,
        "username": user.person.username,
        "display_name": user.person.display_name,
        "email": user.private(Viewer::Operator).email,
        "role": user.role().as_str(),
        "created_at": utc(user.created_at),
        "last_seen_at": one.last_seen.map(utc),
        "sessions": one.sessions,
    })
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn dash() -> String {
    "-".to_owned()
}

fn local(time: Millis) -> String {
    let time = moment(time).with_timezone(&Local);
    time.format("%Y-%m-%d %H:%M").to_string()
}

fn utc(time: Millis) -> String {
    moment(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn moment(time: Millis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.0).unwrap_or_default()
}
