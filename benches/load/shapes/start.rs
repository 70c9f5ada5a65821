//! Shape E: time from exec to the first answered request.

use std::path::Path;

use super::super::crowd::Stretches;
use super::super::filled::Filled;
use super::super::meter::median;
use super::super::process::Process;
use super::super::table::Table;
use super::{CHEAP, db, folder};

const TIMES: usize = 11;
const MESSAGES: i64 = 1_000_000;

/// Measures starts on existing files.
pub async fn start(_: Stretches, table: &mut Table) {
    let folder = folder();
    Process::parlor(&db(&folder), CHEAP).stop();
    measure(&db(&folder), "empty file", table);
    let filled = Filled::with(MESSAGES, CHEAP).await;
    measure(&filled.path, "1,000,000 messages", table);
}

fn measure(path: &Path, what: &str, table: &mut Table) {
    let mut times = Vec::new();
    let mut rss = 0.0;
    for _ in 0..TIMES {
        let process = Process::parlor(path, CHEAP);
        times.push(process.ready.as_secs_f64() * 1000.0);
        rss = process.rss();
        process.stop();
    }
    let remark = format!(
        "to the first answered request; resident then {:.1} MB",
        rss / 1e6
    );
    table.row(
        "E",
        &format!("ms from exec, {what}"),
        format!("{:.1}", median(times)),
        remark,
    );
}
