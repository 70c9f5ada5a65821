//! Checkpoints of the WAL.

use std::io::Read;
use std::time::Instant;

use super::*;
use crate::store::checkpoint::{Checkpoints, Limits};
use crate::store::write_connection::configure;

/// Returns how often the WAL of `bench` has restarted: the checkpoint sequence number in its header.
fn beginnings(bench: &Bench) -> u32 {
    let mut log = std::fs::File::open(paths::beside(&bench.path(), "-wal")).unwrap();
    let mut header = [0; 16];
    log.read_exact(&mut header).unwrap();
    u32::from_be_bytes(header[12..].try_into().unwrap())
}

#[tokio::test]
async fn the_log_restarts_during_writes_without_losing_any() {
    let bench = Bench::new();
    let store = bench.open();
    let mut written = Vec::new();
    let writing = async {
        let first = loop {
            let id = written.len() as i64 + 1;
            let name = format!("{id} {}", "x".repeat(1024 * 1024));
            store.append(add(id, &name)).await.await.unwrap();
            written.push(name);
            match beginnings(&bench) {
                0 => {}
                first => break first,
            }
        };
        assert_eq!(first, 1);
    };
    timeout(DEADLINE, writing).await.unwrap();
    let crashed = Bench::new();
    crashed.take_files_of(&bench);
    assert_eq!(names(&crashed.open()).await, written);
}

const SMALL: Limits = Limits {
    begin: 4,
    slow_down: 64,
    refuse: 128,
};

/// A database with a WAL, used in the way of its writer.
struct Log {
    folder: TempDir,
    conn: Connection,
    checkpoints: Checkpoints,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        paths::create_private(&path).unwrap();
        let conn = schema::open_existing(&path).unwrap();
        configure(&conn, BRIEF).unwrap();
        conn.execute_batch("CREATE TABLE t (a)").unwrap();
        let checkpoints = Checkpoints::start_with(SMALL, &path, &conn, Health::default()).unwrap();
        Self {
            folder,
            conn,
            checkpoints,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("chat.db")
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.checkpoints.check_room()?;
        self.conn
            .execute("INSERT INTO t VALUES (zeroblob(9000))", [])?;
        self.checkpoints.committed(&self.conn);
        Ok(())
    }

    fn size(&self) -> u64 {
        std::fs::metadata(paths::beside(&self.path(), "-wal"))
            .unwrap()
            .len()
    }
}

#[test]
fn an_endless_reader_lets_the_log_grow_only_to_its_limit() {
    let mut log = Log::new();
    let reader = schema::open_existing(&log.path()).unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    let count = |conn: &Connection| -> i64 {
        conn.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(&snapshot), 0);
    let refused = (0..1000).find_map(|_| log.write().err()).unwrap();
    assert!(matches!(refused, StoreError::LogFull));
    let most = u64::try_from(SMALL.refuse + 16).unwrap() * 4200;
    assert!(log.size() < most, "{}", log.size());
    log.checkpoints.tick(&log.conn);
    assert!(log.write().is_err(), "the reader has not ended");
    let written = count(&log.conn);
    drop(snapshot);
    // The WAL shrinks by itself, without a write.
    let deadline = Instant::now() + Duration::from_secs(60);
    while log.write().is_err() {
        assert!(Instant::now() < deadline);
        log.checkpoints.tick(&log.conn);
    }
    assert_eq!(count(&log.conn), written + 1);
    assert!(log.size() < most / 2, "{}", log.size());
}

#[test]
fn checkpointed_frames_count_until_the_log_index_is_rebuilt() {
    let log = Log::new();
    let path = log.path();
    // Its thread would empty the WAL as soon as nothing is written.
    log.checkpoints.end().unwrap();
    log.conn
        .execute("INSERT INTO t VALUES (zeroblob(9000))", [])
        .unwrap();
    wal::copy(&log.conn).unwrap();
    assert!(wal::is_begun(&log.conn).unwrap());
    log.conn.close().unwrap();
    let conn = schema::open_existing(&path).unwrap();
    configure(&conn, BRIEF).unwrap();
    assert!(!wal::is_begun(&conn).unwrap());
}
