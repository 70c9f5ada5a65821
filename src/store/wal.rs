//! One checkpoint: moves the WAL into the database by one connection. Must not decide when one is due.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::{paths, schema};

/// Result of a checkpoint, in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) log: i32,
    pub(super) moved: i32,
}

impl Moved {
    pub(super) fn all(self) -> bool {
        self.log >= 0 && self.moved == self.log
    }
}

pub(super) type Report = Result<Moved, StoreError>;

/// Checkpoints as much as readers of old snapshots allow; does not wait.
pub(super) fn copy(conn: &Connection) -> Report {
    run(conn, "PASSIVE").map(|(_, moved)| moved)
}

/// Checkpoints the whole WAL and truncates it.
pub(super) fn empty(conn: &Connection) -> Result<(), StoreError> {
    let (busy, moved) = run(conn, "TRUNCATE")?;
    if busy != 0 || !moved.all() {
        tracing::info!("keeping the log file: another process reads the database");
    }
    Ok(())
}

/// Like [`empty`], but only logs an error: the WAL keeps its content, and a later checkpoint tries again.
pub(super) fn try_empty(conn: &Connection) {
    if let Err(error) = empty(conn) {
        tracing::error!(%error, "the log cannot be moved into the database");
    }
}

/// Closes `conn`. If it is the last connection, this removes the WAL, but only an empty one.
pub(super) fn close(conn: Connection, path: &Path) -> Result<(), StoreError> {
    let log = fs::metadata(paths::beside(path, "-wal"));
    let empty = log.map_or_else(
        |e| e.kind() == io::ErrorKind::NotFound,
        |log| log.len() == 0,
    );
    schema::keep_log(&conn, !empty)?;
    conn.close().map_err(|(_, error)| error.into())
}

/// Whether part of the WAL counts as checkpointed already.
pub(super) fn is_begun(conn: &Connection) -> Result<bool, StoreError> {
    run(conn, "NOOP").map(|(_, moved)| moved.moved > 0)
}

pub(super) fn run(conn: &Connection, mode: &str) -> Result<(i32, Moved), StoreError> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    Ok(conn.query_row(&sql, [], |row| {
        let (log, moved) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, Moved { log, moved }))
    })?)
}
