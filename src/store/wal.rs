//! One checkpoint: a move of the log into the database by one connection. Must not know when one is due.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::{paths, schema};

/// What a checkpoint found and did, in pages.
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

/// Copies what nobody reads the old state of; does not wait for anybody.
pub(super) fn copy(conn: &Connection) -> Report {
    run(conn, "PASSIVE").map(|(_, moved)| moved)
}

/// Moves the whole log into the database and empties it.
pub(super) fn empty(conn: &Connection) -> Result<(), StoreError> {
    let (busy, moved) = run(conn, "TRUNCATE")?;
    if busy != 0 || !moved.all() {
        tracing::info!("the log stays: another process reads the database");
    }
    Ok(())
}

/// The same where nothing depends on it: the log holds what could not be moved, and it is tried again.
pub(super) fn try_empty(conn: &Connection) {
    if let Err(error) = empty(conn) {
        tracing::error!(%error, "the log cannot be moved into the database");
    }
}

/// Closes `conn` and, if it is the last, removes the log; but not one that still holds something.
pub(super) fn close(conn: Connection, path: &Path) -> Result<(), StoreError> {
    let log = fs::metadata(paths::beside(path, "-wal"));
    let empty = log.map_or_else(
        |e| e.kind() == io::ErrorKind::NotFound,
        |log| log.len() == 0,
    );
    schema::keep_log(&conn, !empty)?;
    conn.close().map_err(|(_, error)| error.into())
}

/// Whether something in the log counts as moved already.
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
