//! Shape B: 100 rooms of 5, everybody sends, one message in flight each.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::Value;

use super::super::api::{self, Api};
use super::super::crowd::Stretches;
use super::super::meter::median;
use super::super::process::Process;
use super::super::rooms::{Outcome, Room, measure};
use super::super::table::Table;
use super::{CHEAP, db, folder, watch};

const ROOMS: usize = 100;
const MEMBERS: usize = 5;

/// Measures.
pub async fn rooms(stretches: Stretches, table: &mut Table) {
    let folder = folder();
    let process = Process::parlor(&db(&folder), CHEAP);
    let done = Rc::new(Cell::new(0));
    let mut rooms = Vec::new();
    let mut api = Api::open(process.address).await;
    for number in 0..ROOMS {
        let (room, owner) = api::room(process.address, &format!("room{number}")).await;
        let mut clients = vec![watch(&process, &owner, room).await];
        for member in 1..MEMBERS {
            let guest = api.guest(&format!("guest{number}-{member}")).await;
            api.send(
                "POST",
                &format!("rooms/{room}/join"),
                &guest.token,
                Value::Null,
            )
            .await;
            clients.push(watch(&process, &guest, room).await);
        }
        rooms.push(Room::new(room, clients, done.clone()));
    }
    let outcomes = measure(&rooms, &done, &process, &stretches).await;
    let figure = |of: fn(&Outcome) -> f64| median(outcomes.iter().map(of).collect());
    let remark = outcomes
        .last()
        .map_or_else(String::new, |outcome| outcome.spent.remark());
    let cost = figure(|outcome| outcome.spent.server / outcome.messages * 1000.0);
    table.row(
        "B",
        "100 rooms of 5: server CPU ms per durable message",
        format!("{cost:.4}"),
        remark,
    );
    let rate = figure(|outcome| outcome.messages / outcome.spent.seconds);
    table.row(
        "B",
        "100 rooms of 5: durable messages/s",
        format!("{rate:.0}"),
        String::new(),
    );
    process.stop();
}
