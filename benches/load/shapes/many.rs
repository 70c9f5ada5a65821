//! Shape B: 100 rooms of 5, everybody sends with one message in flight; and the time SQLite alone needs for the same
//! rows.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::Value;

use super::super::api::{self, Api};
use super::super::crowd::Stretches;
use super::super::meter::median;
use super::super::process::{Process, own_cpu};
use super::super::rooms::{Outcome, Room, measure};
use super::super::table::Table;
use super::{CHEAP, db, folder, watch};

const ROOMS: usize = 100;
const MEMBERS: usize = 5;

pub async fn rooms(stretches: Stretches, table: &mut Table) {
    let folder = folder();
    let process = Process::parlor(&db(&folder), CHEAP);
    report(table, "B", &all_send(&process, stretches).await);
    process.stop();
    ceiling(&db(&folder), table).expect("the same rows");
}

/// Makes all members of all rooms send.
pub async fn all_send(process: &Process, stretches: Stretches) -> Vec<Outcome> {
    let done = Rc::new(Cell::new(0));
    let mut rooms = Vec::new();
    let mut api = Api::open(process.address).await;
    for number in 0..ROOMS {
        let (room, owner) = api::room(process.address, &format!("room{number}")).await;
        let mut clients = vec![watch(process, &owner, room).await];
        for member in 1..MEMBERS {
            let guest = api.guest(&format!("guest{number}-{member}")).await;
            api.send(
                "POST",
                &format!("rooms/{room}/join"),
                &guest.token,
                Value::Null,
            )
            .await;
            clients.push(watch(process, &guest, room).await);
        }
        rooms.push(Room::new(room, clients, done.clone()));
    }
    measure(&rooms, &done, process, &stretches).await
}

/// Adds the results to the table.
pub fn report(table: &mut Table, shape: &str, outcomes: &[Outcome]) {
    let figure = |of: fn(&Outcome) -> f64| median(outcomes.iter().map(of).collect());
    let remark = outcomes
        .last()
        .map_or_else(String::new, |outcome| outcome.spent.remark());
    let cost = figure(|outcome| outcome.spent.server / outcome.messages * 1000.0);
    table.row(
        shape,
        "100 rooms of 5: server CPU ms per durable message",
        format!("{cost:.4}"),
        remark,
    );
    let rate = figure(|outcome| outcome.messages / outcome.spent.seconds);
    table.row(
        shape,
        "100 rooms of 5: durable messages/s",
        format!("{rate:.0}"),
        String::new(),
    );
}

/// Inserts the messages of that file into an empty one, in one transaction and without the search index.
fn ceiling(written: &Path, table: &mut Table) -> rusqlite::Result<()> {
    let folder = folder();
    let path = db(&folder);
    Process::parlor(&path, CHEAP).stop();
    let db = Connection::open(&path)?;
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")?;
    db.execute("ATTACH ?1 AS written", [written.to_string_lossy()])?;
    let (begun, used) = (Instant::now(), own_cpu());
    let rows = db.execute(
        "INSERT INTO main.messages SELECT * FROM written.messages",
        [],
    )? as f64;
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), own_cpu() - used);
    table.row(
        "ceiling of B",
        "one transaction of the same rows: CPU ms per message",
        format!("{:.4}", cpu / rows * 1000.0),
        format!(
            "{:.0} rows/s, {rows} rows, no index of words",
            rows / seconds
        ),
    );
    Ok(())
}
