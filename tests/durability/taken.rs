//! A file of the database is removed or replaced while the server runs: the server stops storing and reports it.

use std::fs;

use serde_json::json;
use uuid::Uuid;

use super::disk::{Disk, messages, readiness, say};
use super::support::*;

/// Starts a server, posts a message and applies `take` to its files. Nothing is acknowledged from then on, also after
/// `give_back`.
async fn without(take: impl Fn(&Disk), give_back: impl Fn(&Disk)) -> (Disk, Uuid) {
    let disk = Disk::new();
    let server = disk.server();
    let ann = register(server.address, "ann").await;
    let uuid = Uuid::new_v4();
    assert_eq!(say(&ann, uuid).await, 201);
    take(&disk);
    let refused = ann.post("rooms/1/messages", json!({ "content": "lost" }));
    refused.await.refused(503, "unavailable");
    let (status, text) = readiness(&server).await;
    assert_eq!(status, 503);
    assert!(text.contains("was removed or replaced"), "{text}");
    give_back(&disk);
    assert_eq!(say(&ann, Uuid::new_v4()).await, 503);
    let said = disk.log().matches("was removed or replaced").count();
    server.terminate();
    let end = server.wait().await;
    assert_eq!(end.code(), Some(1));
    // Logged once when it is noticed, and for each batch refused within the following second.
    assert!((1..=4).contains(&said), "{}", disk.log());
    (disk, uuid)
}

fn nothing(_: &Disk) {}

#[tokio::test]
async fn a_removed_database_acknowledges_nothing() {
    without(|disk| fs::remove_file(disk.db()).unwrap(), nothing).await;
}

#[tokio::test]
async fn a_database_moved_away_and_back_acknowledges_nothing() {
    let (disk, uuid) = without(
        |disk| fs::rename(disk.db(), disk.beside(".away")).unwrap(),
        |disk| fs::rename(disk.beside(".away"), disk.db()).unwrap(),
    )
    .await;
    // The log stayed where it was, so the message is there.
    assert!(messages(&disk.db()).unwrap().contains(&uuid));
}

#[tokio::test]
async fn a_replacement_database_and_its_log_are_not_touched() {
    let (disk, _) = without(
        |disk| {
            let other = disk.beside(".other");
            fs::copy(disk.db(), &other).unwrap();
            fs::rename(other, disk.db()).unwrap();
            fs::remove_file(disk.beside("-wal")).unwrap();
            fs::write(disk.beside("-wal"), "somebody's").unwrap();
        },
        nothing,
    )
    .await;
    assert_eq!(fs::read(disk.beside("-wal")).unwrap(), b"somebody's");
}

#[tokio::test]
async fn a_removed_log_is_checkpointed_before_the_server_stops_storing() {
    for suffix in ["-wal", "-shm"] {
        let (disk, uuid) = without(
            |disk| fs::remove_file(disk.beside(suffix)).unwrap(),
            nothing,
        )
        .await;
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        fs::copy(disk.db(), &copy).unwrap();
        assert!(messages(&copy).unwrap().contains(&uuid), "{suffix}");
    }
}
