//! Shape G: a page of history and the unread counts, in a file with ten million messages.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Advice, fadvise};
use serde_json::Value;

use super::super::api::{Api, Person};
use super::super::crowd::Stretches;
use super::super::filled::Filled;
use super::super::meter::median;
use super::super::process::Process;
use super::super::table::Table;
use super::CHEAP;

const MESSAGES: i64 = 10_000_000;
/// Number of requested pages, spread over the file.
const PAGES: i64 = 500;
/// Number of cold requests, each to a newly started server.
const COLD: i64 = 11;

pub async fn pages(_: Stretches, table: &mut Table) {
    let filled = Filled::with(MESSAGES, CHEAP).await;
    let process = Process::parlor(&filled.path, CHEAP);
    let owner = Filled::owner(&process).await;
    let mut api = Api::open(process.address).await;
    for number in 0..PAGES {
        page(&mut api, &owner, &filled, number).await;
    }
    let mut warm = Vec::new();
    for number in 0..PAGES {
        warm.push(page(&mut api, &owner, &filled, number).await);
    }
    row(table, "a page of 50, warm", warm);
    let mut unread = Vec::new();
    for _ in 0..PAGES / 10 {
        unread.push(get(&mut api, "rooms", &owner).await);
    }
    row(table, "unread messages of 100 rooms, warm", unread);
    process.stop();
    let mut cold = Vec::new();
    for number in 0..COLD {
        forget(&filled.path);
        let process = Process::parlor(&filled.path, CHEAP);
        let owner = Filled::owner(&process).await;
        let mut api = Api::open(process.address).await;
        cold.push(page(&mut api, &owner, &filled, number * 41).await);
        process.stop();
    }
    row(table, "a page of 50, cold", cold);
    let scattered = (0..COLD).map(|number| scattered(&filled.path, number).expect("50 reads"));
    row(
        table,
        "floor: 50 single reads all over the cold file",
        scattered.collect(),
    );
}

/// Reads as many scattered pages as a history page needs: its messages lie between those of other rooms. Returns
/// milliseconds.
fn scattered(path: &Path, number: i64) -> io::Result<f64> {
    forget(path);
    let file = File::open(path)?;
    let pages = file.metadata()?.len() / 4096;
    let begun = Instant::now();
    for read in 0..50 {
        let page = (number as u64 * 50 + read) * 7919 * 1009 % pages;
        file.read_exact_at(&mut [0; 4096], page * 4096)?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

fn row(table: &mut Table, what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let worst = times.last().copied().unwrap_or(f64::NAN);
    let remark = format!("the worst of {}: {worst:.2} ms", times.len());
    let figure = format!("{what}, {} million messages: ms", MESSAGES / 1_000_000);
    table.row("G", &figure, format!("{:.2}", median(times)), remark);
}

/// Requests a history page of some room at some position. Returns milliseconds.
async fn page(api: &mut Api, person: &Person, filled: &Filled, number: i64) -> f64 {
    let room = filled.rooms[number as usize % filled.rooms.len()];
    let before = MESSAGES - number * 7919 * 1009 % (MESSAGES - 100_000);
    let path = format!("rooms/{room}/messages?before={before}&limit=50");
    get(api, &path, person).await
}

async fn get(api: &mut Api, path: &str, person: &Person) -> f64 {
    let begun = Instant::now();
    api.send("GET", path, &person.token, Value::Null).await;
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Drops a file from the page cache.
fn forget(path: &Path) {
    let file = File::open(path).expect("the file");
    file.sync_all().expect("its end on disk");
    fadvise(&file, 0, None, Advice::DontNeed).expect("a system that can forget");
}
