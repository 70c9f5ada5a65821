//! Shape E: from exec to the first answered request.

use super::super::crowd::Stretches;
use super::super::meter::median;
use super::super::process::Process;
use super::super::table::Table;
use super::{CHEAP, db, folder};

const TIMES: usize = 11;

/// Measures, on a file that is there already.
pub async fn start(_: Stretches, table: &mut Table) {
    let folder = folder();
    Process::parlor(&db(&folder), CHEAP).stop();
    let mut times = Vec::new();
    let mut rss = 0.0;
    for _ in 0..TIMES {
        let process = Process::parlor(&db(&folder), CHEAP);
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
        "ms from exec, empty file",
        format!("{:.1}", median(times)),
        remark,
    );
}
