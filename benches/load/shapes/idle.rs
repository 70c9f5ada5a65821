//! Shape D: what an idle connection costs in memory.

use std::time::Duration;

use tokio::time::sleep;

use super::super::api;
use super::super::crowd::{Crowd, Stretches};
use super::super::process::Process;
use super::super::table::Table;
use super::{CHEAP, db, folder, watch};

/// By then every connection has been pinged.
const SETTLE: Duration = Duration::from_secs(12);

/// Measures connections that watch one room.
pub async fn connections(_: Stretches, table: &mut Table) {
    for count in [1000, 10_000] {
        let folder = folder();
        let maker = Process::parlor(&db(&folder), CHEAP);
        let (room, owner) = api::room(maker.address, "idle").await;
        let people = api::guests(maker.address, "guest", count, room).await;
        maker.stop();
        // Anew, so that what making people left behind hides nothing.
        let process = Process::parlor(&db(&folder), CHEAP);
        let empty = process.rss();
        let first = watch(&process, &owner, room).await;
        let before = process.rss();
        let mut clients = vec![first];
        for person in &people {
            clients.push(watch(&process, person, room).await);
        }
        let _listening = Crowd::new(clients);
        sleep(SETTLE).await;
        let each = (process.rss() - before) / count as f64 / 1000.0;
        let remark = format!(
            "resident: server alone {:.1} MB, with its room loaded {:.1} MB, with all {:.1} MB",
            empty / 1e6,
            before / 1e6,
            process.rss() / 1e6
        );
        table.row(
            "D",
            &format!("KB per idle connection, {count}"),
            format!("{each:.2}"),
            remark,
        );
        process.stop();
    }
}
