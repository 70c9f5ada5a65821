//! The measured shapes, one per file.

mod dialects;
mod fanout;
mod idle;
mod many;
mod past;
mod peer;
mod start;

use std::cell::RefCell;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;

use tempfile::TempDir;

use super::api::Person;
use super::client::{Client, append};
use super::crowd::Stretches;
use super::process::Process;
use super::table::Table;

/// The function that measures a shape.
pub type Measure = for<'t> fn(Stretches, &'t mut Table) -> Pin<Box<dyn Future<Output = ()> + 't>>;

/// All shapes, in the order in which they are measured.
pub const ALL: &[(&str, Measure)] = &[
    ("A", |stretches, table| {
        Box::pin(fanout::crowds(stretches, table))
    }),
    ("dialects", |stretches, table| {
        Box::pin(dialects::crowds(stretches, table))
    }),
    ("floor", |stretches, table| {
        Box::pin(fanout::floor(stretches, table))
    }),
    ("C", |stretches, table| {
        Box::pin(fanout::latency(stretches, table))
    }),
    ("H", |stretches, table| {
        Box::pin(fanout::logins(stretches, table))
    }),
    ("peer", |stretches, table| {
        Box::pin(peer::same(stretches, table))
    }),
    ("B", |stretches, table| {
        Box::pin(many::rooms(stretches, table))
    }),
    ("F", |stretches, table| {
        Box::pin(fanout::uploads(stretches, table))
    }),
    ("D", |stretches, table| {
        Box::pin(idle::connections(stretches, table))
    }),
    ("G", |stretches, table| {
        Box::pin(past::pages(stretches, table))
    }),
    ("E", |stretches, table| {
        Box::pin(start::start(stretches, table))
    }),
];

/// Settings for cheap password hashes.
const CHEAP: &[(&str, &str)] = &[("PARLOR_AUTH__PBKDF2_ROUNDS", "1000")];

/// Makes a temporary folder on a real disk, next to the build.
fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

fn db(folder: &TempDir) -> PathBuf {
    folder.path().join("chat.db")
}

/// Opens an authenticated connection that watches a room.
async fn watch(process: &Process, person: &Person, room: i64) -> Client {
    let client = Client::open(process.address, "/api/v1/ws", Some(&person.token)).await;
    let client = client.expect("a connection");
    let mut frame = Vec::new();
    append(
        &mut frame,
        &format!(r#"{{"id":0,"op":"resume","room":{room},"after":0}}"#),
    );
    client.send(&frame).await.expect("a frame");
    let scratch = Rc::new(RefCell::new(vec![0; 64 * 1024]));
    let live = |payload: &[u8]| payload.starts_with(br#"{"re":0,"ok""#);
    client.listen(&scratch, live).await.expect("an answer");
    client
}
