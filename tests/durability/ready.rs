//! `/readyz` reports what is wrong, and a server that cannot write recovers.

use rusqlite::Connection;
use uuid::Uuid;

use super::disk::{Disk, becomes, messages, readiness, say};
use super::support::*;

#[tokio::test]
async fn a_full_disk_is_reported_and_does_not_prevent_a_start() {
    let disk = Disk::new();
    let server = disk.server();
    let ann = register(server.address, "ann").await;
    assert_eq!(say(&ann, Uuid::new_v4()).await, 201);
    assert_eq!(readiness(&server).await, (200, "ok\n".to_owned()));
    disk.set("full");
    assert_eq!(say(&ann, Uuid::new_v4()).await, 507);
    let full = (503, "the disk is full\n".to_owned());
    assert_eq!(readiness(&server).await, full);
    disk.unset("full");
    becomes(&server, 200, "ok").await;

    server.terminate();
    assert!(server.wait().await.success());
    disk.set("full");
    let server = disk.server();
    let ann = ann.at(server.address);
    becomes(&server, 503, "the disk is full").await;
    assert_eq!(ann.history(1).await.len(), 1);
    assert_eq!(say(&ann, Uuid::new_v4()).await, 507);
    disk.unset("full");
    becomes(&server, 200, "ok").await;
    assert_eq!(say(&ann, Uuid::new_v4()).await, 201);
    assert_eq!(ann.history(1).await.len(), 2);
}

#[tokio::test]
async fn a_server_killed_on_a_full_disk_starts_on_it() {
    let disk = Disk::new();
    let server = disk.server();
    let ann = register(server.address, "ann").await;
    assert_eq!(say(&ann, Uuid::new_v4()).await, 201);
    disk.set("full");
    server.kill();
    let server = disk.server();
    let ann = ann.at(server.address);
    becomes(&server, 503, "the disk is full").await;
    disk.unset("full");
    becomes(&server, 200, "ok").await;
    assert_eq!(ann.history(1).await.len(), 1);
}

#[tokio::test]
async fn failed_commits_and_checkpoints_are_reported_until_they_succeed() {
    let disk = Disk::new();
    let server = disk.server();
    let ann = register(server.address, "ann").await;
    becomes(&server, 200, "ok").await;
    disk.set("fail-commits");
    assert_eq!(say(&ann, Uuid::new_v4()).await, 500);
    let (status, text) = readiness(&server).await;
    assert!(status == 503 && text.contains("disk I/O error"), "{text}");
    disk.unset("fail-commits");
    becomes(&server, 200, "ok").await;

    disk.set("fail-syncs");
    assert_eq!(say(&ann, Uuid::new_v4()).await, 201);
    becomes(&server, 503, "a sync of the database failed").await;
    // The log is on the disk, so writes continue.
    assert_eq!(say(&ann, Uuid::new_v4()).await, 201);
    assert!(disk.log().contains("the log cannot be moved"));
    disk.unset("fail-syncs");
    becomes(&server, 200, "ok").await;
    assert_eq!(ann.history(1).await.len(), 2);
}

#[tokio::test]
async fn a_damaged_table_is_reported() {
    let disk = Disk::new();
    let server = disk.server();
    let ann = register(server.address, "ann").await;
    assert_eq!(say(&ann, Uuid::new_v4()).await, 201);
    server.terminate();
    assert!(server.wait().await.success());
    damage(&disk.db(), "messages");

    let server = disk.server();
    let ann = ann.at(server.address);
    assert_eq!(say(&ann, Uuid::new_v4()).await, 500);
    let damaged = (503, "the database is damaged\n".to_owned());
    assert_eq!(readiness(&server).await, damaged);
}

/// Overwrites the first page of a table.
fn damage(db: &std::path::Path, table: &str) {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let conn = Connection::open(db).unwrap();
    let root: u32 = conn.query_row(sql, [table], |row| row.get(0)).unwrap();
    conn.close().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(db).unwrap();
    let garbage = [0xa5; 4096];
    std::os::unix::fs::FileExt::write_all_at(&file, &garbage, u64::from(root - 1) * 4096).unwrap();
}

#[tokio::test]
async fn a_plain_copy_of_the_database_is_complete_soon_after_a_write() {
    let disk = Disk::new();
    let server = disk.server();
    let ann = register(server.address, "ann").await;
    let uuid = Uuid::new_v4();
    assert_eq!(say(&ann, uuid).await, 201);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    until("a whole copy", || {
        std::fs::copy(disk.db(), &copy).unwrap();
        messages(&copy).is_ok_and(|found| found.contains(&uuid))
    })
    .await;
}
