//! The write connection and its checkpoints. Must not depend on jobs.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::checkpoint::Checkpoints;
use super::error::StoreError;
use super::health::Health;
use super::ids::Reservation;
use super::wal;

pub(super) struct Link {
    pub(super) conn: Connection,
    /// `None` beside a server: the server checkpoints.
    pub(super) checkpoints: Option<Checkpoints>,
    pub(super) data_version: i64,
}

impl Link {
    pub(super) fn of(
        path: &Path,
        conn: Connection,
        owner: bool,
        health: &Health,
    ) -> Result<Self, StoreError> {
        let checkpoints = match owner {
            true => Some(
                Checkpoints::start(path, &conn, health.clone())
                    .map_err(|e| StoreError::io(path, e))?,
            ),
            false => None,
        };
        Ok(Self {
            data_version: data_version(&conn)?,
            conn,
            checkpoints,
        })
    }

    pub(super) fn failed(&self) -> bool {
        self.checkpoints.as_ref().is_some_and(Checkpoints::failed)
    }

    /// Returns reserved ids that were not used.
    pub(super) fn give_back(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let tx = self.conn.unchecked_transaction()?;
        reservation.give_back(&tx)?;
        Ok(tx.commit()?)
    }

    /// Closes the connection and leaves the WAL as it is.
    pub(super) fn let_go(self) {
        if let Some(checkpoints) = self.checkpoints {
            // Nothing is checkpointed here, so the result does not matter.
            let _ = checkpoints.end();
        }
        if let Err((_, error)) = self.conn.close() {
            tracing::error!(%error, "cannot close the database");
        }
    }

    /// Checkpoints the whole WAL and closes the connection.
    pub(super) fn close(self, path: &Path) {
        let moved = match self.checkpoints {
            Some(checkpoints) => checkpoints.end().and_then(|()| wal::empty(&self.conn)),
            None => Ok(()),
        };
        if let Err(error) = moved.and_then(|()| wal::close(self.conn, path)) {
            tracing::error!(%error, "the log file beside the database is part of it: do not remove it");
        }
    }
}

/// Configures `conn` for durable, batched writes, with `patience` as its busy timeout.
pub(super) fn configure(conn: &Connection, patience: Duration) -> Result<(), StoreError> {
    conn.busy_timeout(patience)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Internal("the file system cannot hold a WAL"));
    }
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA trusted_schema = OFF;
         PRAGMA secure_delete = ON;",
    )?;
    conn.set_prepared_statement_cache_capacity(256);
    keep_plans(conn)?;
    Ok(())
}

/// Makes SQLite plan a statement once, not again whenever a value is bound to its LIMIT.
pub(super) fn keep_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

pub(super) fn data_version(conn: &Connection) -> Result<i64, StoreError> {
    let mut read = conn.prepare_cached("PRAGMA data_version")?;
    Ok(read.query_row([], |row| row.get(0))?)
}
