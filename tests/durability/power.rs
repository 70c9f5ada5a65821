//! Power cuts during writes, also after a failed sync of the database: no acknowledged message is lost.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;

use super::disk::{Disk, messages};
use super::replay::{Mark, Replay, Unsynced};
use super::support::*;

/// Number of messages in flight.
const WINDOW: usize = 32;

/// A client that writes long messages without pause, and the acknowledged ones with the length of the recording then.
struct Writer {
    socket: Socket,
    asked: HashMap<i64, Uuid>,
    told: Vec<(Uuid, u64)>,
}

impl Writer {
    async fn new(server: &Process) -> Self {
        let ann = register(server.address, "ann").await;
        Self {
            socket: ann.connect().await,
            asked: HashMap::new(),
            told: Vec::new(),
        }
    }

    /// Writes until `is_so` is true.
    async fn write_until(&mut self, disk: &Disk, what: &str, is_so: impl Fn() -> bool) {
        let writing = async {
            while !is_so() {
                while self.asked.len() < WINDOW {
                    let uuid = Uuid::new_v4();
                    let op = json!({ "op": "send", "room": 1, "uuid": uuid, "content": "x".repeat(3900) });
                    let number = self.socket.send(op).await;
                    self.asked.insert(number, uuid);
                }
                let frame = self.socket.next("an answer").await;
                let Some(uuid) = frame["re"].as_i64().and_then(|re| self.asked.remove(&re)) else {
                    continue;
                };
                if frame.get("ok").is_some() {
                    // Acknowledged now, so all of it must have been on the disk by this position.
                    self.told.push((uuid, disk.recorded()));
                }
            }
        };
        within(what, writing).await;
    }
}

/// Cuts the power wherever the log restarts or a sync failed, at other positions in between, and at the end.
fn cut_everywhere(disk: &Disk, told: &[(Uuid, u64)]) {
    let record = &disk.record();
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("chat.db");
    let mut replay = Replay::new(record, disk.base());
    let every = record.len() as u64 / 4;
    let (mut next, mut cuts) = (every, 0);
    let cut = |replay: &Replay<'_>| {
        for unsynced in [Unsynced::Lost, Unsynced::Kept, Unsynced::Torn] {
            replay.cut(unsynced, &db);
            let here = format!("{unsynced:?} at {} of {}", replay.position(), record.len());
            let found = messages(&db).unwrap_or_else(|e| panic!("{here}: {e}"));
            let found: HashSet<_> = found.into_iter().collect();
            let told = told.iter().filter(|(_, by)| *by <= replay.position());
            let missing = told.filter(|(uuid, _)| !found.contains(uuid)).count();
            assert_eq!(missing, 0, "{here}");
        }
    };
    while let Some(mark) = replay.step() {
        // The first start of the log belongs to the creation of the database.
        let telling = mark != Mark::Other && !told.is_empty() && replay.position() > told[0].1;
        if telling || replay.position() >= next {
            next = replay.position() + every;
            cuts += 1;
            cut(&replay);
        }
    }
    cut(&replay);
    assert!(cuts > 3, "{cuts}");
}

/// Whether the log has restarted after a failed sync of the database.
fn begun_after_failure(record: &[u8]) -> bool {
    let mut replay = Replay::new(record, &[]);
    let mut failed = false;
    while let Some(mark) = replay.step() {
        match mark {
            Mark::SyncFailed => failed = true,
            Mark::LogBegun if failed => return true,
            _ => {}
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_in_a_checkpoint_loses_nothing_in_a_power_cut() {
    let disk = Disk::with_database().await;
    let server = disk.server();
    let mut ann = Writer::new(&server).await;
    disk.set("slow");
    disk.set("fail-sync");
    ann.write_until(&disk, "the failed sync", || !disk.is("fail-sync"))
        .await;
    disk.unset("slow");
    let seen = std::cell::Cell::new(disk.recorded());
    let begun = || {
        // The recording is large, so it is not searched after each message.
        let grown = disk.recorded() > seen.get() + 4_000_000;
        if grown {
            seen.set(disk.recorded());
        }
        grown && begun_after_failure(&disk.record())
    };
    ann.write_until(&disk, "a new beginning of the log", begun)
        .await;
    server.kill();
    cut_everywhere(&disk, &ann.told);
    assert!(disk.log().contains("moved its whole log again"));
    // The same without a power cut.
    let found = messages(&disk.db()).unwrap();
    assert!(ann.told.iter().all(|(uuid, _)| found.contains(uuid)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_after_a_failed_sync_loses_nothing_in_a_power_cut() {
    let disk = Disk::with_database().await;
    let server = disk.server();
    let mut ann = Writer::new(&server).await;
    disk.set("slow");
    disk.set("fail-sync");
    ann.write_until(&disk, "the failed sync", || !disk.is("fail-sync"))
        .await;
    disk.unset("slow");
    server.terminate();
    assert!(server.wait().await.success());
    assert!(!disk.beside("-wal").exists());
    cut_everywhere(&disk, &ann.told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_with_failing_syncs_keeps_its_log() {
    let disk = Disk::with_database().await;
    let server = disk.server();
    let mut ann = Writer::new(&server).await;
    disk.set("slow");
    disk.set("fail-syncs");
    ann.write_until(&disk, "the failed sync", || {
        disk.log().contains("disk I/O error")
    })
    .await;
    server.terminate();
    assert!(server.wait().await.success());
    cut_everywhere(&disk, &ann.told);
    assert!(disk.log().contains("do not remove it"));
    // The next server checkpoints the log from its beginning.
    disk.unset("fail-syncs");
    let server = disk.server();
    server.terminate();
    assert!(server.wait().await.success());
    assert!(!disk.beside("-wal").exists());
    cut_everywhere(&disk, &ann.told);
}
