//! Recovery of the writer: detects removed files, reopens everything after a failed sync or when a full disk has space
//! again, and closes such that a bad file gets no worse. Must not depend on jobs.

use std::time::{Duration, Instant};

use super::error::StoreError;
use super::file_identity::{Files, Lost};
use super::generation::Generation;
use super::write_connection::{Link, configure};
use super::writer::Writer;
use super::{schema, wal};

/// Interval between two attempts to reopen all connections.
const START_OVER_EVERY: Duration = Duration::from_secs(5);
/// Interval between two log lines about failed attempts.
const SAY_EVERY: Duration = Duration::from_secs(60);

impl Writer {
    /// Refuses all writes from now on if a file of the database is no longer at its path: data written to it would be
    /// lost when it is closed.
    pub(super) fn look_for_files(&mut self) -> Result<(), StoreError> {
        if let Some(reason) = self.health.stopped() {
            return Err(reason);
        }
        let lost = match self.files.check() {
            Err(lost) if lost == Lost::Database || self.link.is_ok() => lost,
            _ => return Ok(()),
        };
        let reason = StoreError::Lost(match lost {
            Lost::Database => "the database file",
            Lost::Companion => "the log of the database",
        });
        tracing::error!(path = %self.path.display(), "{reason}");
        self.health.stop(reason.clone());
        if lost == Lost::Companion {
            self.rescue();
        }
        Err(reason)
    }

    /// Checkpoints a WAL that was removed but is still open here, so that its content reaches the database.
    fn rescue(&mut self) {
        if let Ok(Link {
            conn,
            checkpoints: Some(checkpoints),
            ..
        }) = &mut self.link
            && checkpoints.rescue(conn)
        {
            tracing::error!("moved the log into the database file");
        }
    }

    /// Closes and reopens all connections, so that SQLite counts nothing in the WAL as checkpointed, and checkpoints
    /// all of it: see `checkpoint`.
    pub(super) async fn start_over(&mut self) {
        self.start_over_at = Instant::now() + START_OVER_EVERY;
        let readers = self.readers.upgrade();
        let paused = match &readers {
            Some(readers) => readers.pause().await,
            None => None,
        };
        let done = self.reopen();
        if let (Some(readers), Some(paused)) = (&readers, paused) {
            readers.resume(paused, self.link.is_err());
        }
        match done {
            Ok(()) => {
                self.told = None;
                tracing::info!("reopened the database and moved its whole log again");
            }
            Err(error) if self.told.is_none_or(|at| at.elapsed() >= SAY_EVERY) => {
                self.told = Some(Instant::now());
                tracing::error!(%error, "cannot reopen the database: retrying every few seconds");
            }
            Err(_) => {}
        }
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        if let Ok(link) = std::mem::replace(&mut self.link, Err(StoreError::Unsynced)) {
            link.let_go();
        }
        if !Files::of(&self.path).same_database(&self.files) {
            return Err(self.look_for_files().err().unwrap_or(StoreError::Unsynced));
        }
        let begun = match self.open() {
            Ok((link, begun)) => {
                self.link = Ok(link);
                begun
            }
            Err(error) => {
                self.link = Err(error.clone());
                return Err(error);
            }
        };
        self.files = Files::of(&self.path);
        self.generation = Generation::new(&self.path);
        // Changes in the meantime went unnoticed.
        self.foreign_changes.send_modify(|count| *count += 1);
        let Ok(Link {
            conn,
            checkpoints: Some(checkpoints),
            ..
        }) = &mut self.link
        else {
            return Ok(());
        };
        if begun {
            // Another process keeps the file open, and with it the old WAL index.
            checkpoints.fail(StoreError::Unsynced);
            return Err(StoreError::Busy);
        }
        checkpoints.finish(conn);
        match checkpoints.failed() {
            true => Err(StoreError::Unsynced),
            false => Ok(()),
        }
    }

    /// Returns a connection, and whether part of the WAL counts as checkpointed.
    fn open(&self) -> Result<(Link, bool), StoreError> {
        let conn = schema::open_existing(&self.path)?;
        configure(&conn, super::BRIEF)?;
        let begun = wal::is_begun(&conn)?;
        let link = Link::of(&self.path, conn, self.lock.is_some(), &self.health)?;
        Ok((link, begun))
    }

    /// Closes the file; checkpoints nothing that might be incomplete.
    pub(super) async fn end(mut self) {
        if let Some(reason) = self.health.stopped() {
            tracing::error!(%reason, "what was stored since may be lost");
            if let Ok(link) = self.link {
                link.let_go();
            }
            return;
        }
        if self.link.as_ref().map_or(true, Link::failed) {
            self.start_over().await;
        }
        if let Ok(link) = &self.link
            && let Err(error) = link.give_back(&self.reservation)
        {
            tracing::warn!(%error, "cannot return unused ids");
        }
        self.tie_log();
        let Ok(link) = self.link else {
            tracing::error!("the log file beside the database is part of it: do not remove it");
            return;
        };
        link.close(&self.path);
    }
}
