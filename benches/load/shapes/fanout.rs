//! One room: cost of a delivery (A, and its floor) and latency (C), also during password hashing (H) and uploads (F).

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::api::{self, Api};
use super::super::client::Client;
use super::super::crowd::{Crowd, Dialect, Outcome, Pace, Stretches};
use super::super::meter::median;
use super::super::process::Process;
use super::super::table::Table;
use super::{CHEAP, db, folder, watch};

const IN_FLIGHT: [usize; 2] = [32, 1];
const EVERY_20_MS: Pace = Pace::Every(Duration::from_millis(20));

pub async fn crowds(stretches: Stretches, table: &mut Table) {
    for members in [500, 1000] {
        for most in IN_FLIGHT {
            let outcomes = room(members, Pace::InFlight(most), stretches).await;
            report(
                table,
                "A",
                &format!("{members} members, {most} in flight"),
                &outcomes,
            );
        }
    }
}

/// Shape A with the broadcast server, and shape C with it and with the disk alone.
pub async fn floor(stretches: Stretches, table: &mut Table) {
    for most in IN_FLIGHT {
        let outcomes = repeated(500, Pace::InFlight(most), stretches).await;
        report(
            table,
            "floor of A",
            &format!("500 members, {most} in flight"),
            &outcomes,
        );
    }
    let outcomes = repeated(100, EVERY_20_MS, stretches).await;
    report_latency(table, "floor of C", &outcomes);
    let mut synced = synced(stretches.each).expect("a file");
    synced.sort_unstable();
    let at =
        |share: f64| synced[((synced.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    table.row(
        "floor of C",
        "20 KB written and synced 50 times a second: p50 / p99 ms",
        format!("{:.2} / {:.2}", at(0.5), at(0.99)),
        String::new(),
    );
}

async fn repeated(members: usize, pace: Pace, stretches: Stretches) -> Vec<Outcome> {
    let process = Process::floor();
    let mut clients = Vec::new();
    for _ in 0..members {
        let client = Client::open(process.address, "/", None).await;
        clients.push(client.expect("a connection"));
    }
    let crowd = Crowd::new(clients, &Dialect::Repeat);
    crowd
        .measure(&process, Dialect::Repeat, pace, &stretches)
        .await
}

/// Repeatedly writes and syncs as many bytes as a commit does. Returns the times.
fn synced(long: Duration) -> io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
    let end = Instant::now() + long;
    let mut times = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        file.write_all(&[7; 20 * 1024])?;
        file.sync_all()?;
        times.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(20).saturating_sub(begun.elapsed()));
    }
    Ok(times)
}

/// Shapes A and C with the peer. Returns `None` if it cannot run.
pub async fn peer(stretches: Stretches, table: &mut Table) -> Option<()> {
    for most in IN_FLIGHT {
        let folder = folder();
        let process = Process::peer(&db(&folder), "NORMAL")?;
        let outcomes = one_sends(&process, 500, Pace::InFlight(most), stretches).await;
        let what = format!("500 members, {most} in flight");
        report(table, "peer in A", &what, &outcomes);
    }
    for (synchronous, shape) in [("NORMAL", "peer in C"), ("FULL", "peer in C, as durable")] {
        let folder = folder();
        let process = Process::peer(&db(&folder), synchronous)?;
        let outcomes = one_sends(&process, 100, EVERY_20_MS, stretches).await;
        report_latency(table, shape, &outcomes);
    }
    Some(())
}

pub async fn latency(stretches: Stretches, table: &mut Table) {
    let outcomes = room(100, EVERY_20_MS, stretches).await;
    report_latency(table, "C", &outcomes);
}

/// Shape H: C during as many full-cost logins as the server accepts.
pub async fn logins(stretches: Stretches, table: &mut Table) {
    let folder = folder();
    let process = Process::parlor(&db(&folder), &[]);
    let crowd = crowd(&process, 100).await;
    let done = Rc::new(Cell::new(0_u32));
    let mut logins = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (address, done) = (process.address, done.clone());
        logins.spawn_local(async move {
            let mut api = Api::open(address).await;
            let name = format!("login{number}");
            api.register(&name).await;
            loop {
                api.login(&name).await;
                done.set(done.get() + 1);
            }
        });
    }
    let (room, crowd) = crowd;
    let outcomes = crowd
        .measure(&process, Dialect::Native(room), EVERY_20_MS, &stretches)
        .await;
    report_latency(table, "H", &outcomes);
    table.row(
        "H",
        "logins meanwhile",
        done.get().to_string(),
        "600,000 rounds each".to_owned(),
    );
}

/// Shape F: C without uploads, then while five accounts each upload files of 25 MiB, one at a time, and delete them.
pub async fn uploads(stretches: Stretches, table: &mut Table) {
    const PEOPLE: usize = 5;
    const SIZE: usize = 25 * 1024 * 1024;
    report_latency(
        table,
        "F, no uploads",
        &room(100, EVERY_20_MS, stretches).await,
    );
    let folder = folder();
    let process = Process::parlor(&db(&folder), CHEAP);
    let (room, crowd) = crowd(&process, 100).await;
    let done = Rc::new(Cell::new(0_u32));
    let form = api::form(SIZE);
    let mut uploads = tokio::task::JoinSet::new();
    for number in 0..PEOPLE {
        let (address, done, form) = (process.address, done.clone(), form.clone());
        uploads.spawn_local(async move {
            let (shelf, owner) = api::room(address, &format!("shelf{number}")).await;
            let mut api = Api::open(address).await;
            loop {
                let message = api.upload(shelf, &owner.token, form.clone()).await;
                done.set(done.get() + 1);
                let path = format!("messages/{message}");
                api.send("DELETE", &path, &owner.token, Value::Null).await;
            }
        });
    }
    let outcomes = crowd
        .measure(&process, Dialect::Native(room), EVERY_20_MS, &stretches)
        .await;
    report_latency(table, "F, uploads", &outcomes);
    table.row(
        "F",
        "files of 25 MiB meanwhile",
        done.get().to_string(),
        format!("{PEOPLE} people, one at a time each"),
    );
    drop(uploads);
    process.stop();
}

async fn room(members: usize, pace: Pace, stretches: Stretches) -> Vec<Outcome> {
    let folder = folder();
    let process = Process::parlor(&db(&folder), CHEAP);
    let outcomes = one_sends(&process, members, pace, stretches).await;
    process.stop();
    outcomes
}

async fn one_sends(
    process: &Process,
    members: usize,
    pace: Pace,
    stretches: Stretches,
) -> Vec<Outcome> {
    let (room, crowd) = crowd(process, members).await;
    crowd
        .measure(process, Dialect::Native(room), pace, &stretches)
        .await
}

/// Makes a room and connections that watch it. The first is the owner's.
async fn crowd(process: &Process, members: usize) -> (i64, Crowd) {
    let (room, owner) = api::room(process.address, "crowd").await;
    let mut people = vec![owner];
    people.extend(api::guests(process.address, "guest", members - 1, room).await);
    let mut clients = Vec::with_capacity(members);
    for person in &people {
        clients.push(watch(process, person, room).await);
    }
    (room, Crowd::new(clients, &Dialect::Native(room)))
}

pub fn report(table: &mut Table, shape: &str, what: &str, outcomes: &[Outcome]) {
    let figure = |of: fn(&Outcome) -> f64| median(outcomes.iter().map(of).collect());
    let remark = outcomes
        .last()
        .map_or_else(String::new, |outcome| outcome.spent.remark());
    table.row(
        shape,
        &format!("{what}: server CPU s per 100,000 deliveries"),
        format!("{:.4}", figure(Outcome::cpu_per_100k)),
        remark,
    );
    let latency = format!("p50 {:.2} ms", figure(|outcome| outcome.latency(0.5)));
    table.row(
        shape,
        &format!("{what}: deliveries/s"),
        format!("{:.0}", figure(Outcome::rate)),
        latency,
    );
}

fn report_latency(table: &mut Table, shape: &str, outcomes: &[Outcome]) {
    let figure = |of: fn(&Outcome) -> f64| median(outcomes.iter().map(of).collect());
    let (p50, p99) = (
        figure(|outcome| outcome.latency(0.5)),
        figure(|outcome| outcome.latency(0.99)),
    );
    let remark = outcomes
        .last()
        .map_or_else(String::new, |outcome| outcome.spent.remark());
    table.row(
        shape,
        "50 messages/s into 100 members: p50 / p99 ms",
        format!("{p50:.2} / {p99:.2}"),
        remark,
    );
}
