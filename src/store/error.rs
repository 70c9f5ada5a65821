//! What can go wrong in the store. Must not know who asks, nor how a client is told.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

/// Why the store did not do what was asked; every text is one line.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk is full; nothing was stored, and it works again by itself when there is room.
    #[error("the disk is full")]
    Full,
    /// Too much is waiting, or another process holds the file; worth a retry.
    #[error("the database is busy")]
    Busy,
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// A query was interrupted because it took too long.
    #[error("the query took too long")]
    Timeout,
    /// A file of the database was removed or replaced while it was open; nothing is stored until the process is
    /// started anew.
    #[error(
        "{0} was removed or replaced while the server ran: nothing is stored until it is restarted"
    )]
    Lost(&'static str),
    /// The log has reached its limit because another process has been reading an old state of the database.
    #[error("the log is full: another program has been reading the database for too long")]
    LogFull,
    /// A sync of the database file failed; the log is kept.
    #[error(
        "a sync of the database failed: the log is kept until it can be moved again from its beginning"
    )]
    Unsynced,
    /// The log could not be moved into the database, for this reason.
    #[error("the log cannot be moved into the database: {0}")]
    Checkpoint(String),
    /// Something with this name, key or id is there already; says what.
    #[error("{0} is taken")]
    Conflict(&'static str),
    /// A server owns the file.
    #[error("{} is in use by another parlor{}", .path.display(), holder_text(*.holder))]
    Locked {
        /// The database file.
        path: PathBuf,
        /// The process that holds it, where known.
        holder: Option<u32>,
    },
    /// The file was written by a later version of this program; it was not touched.
    #[error("{} has schema version {found}, this program knows {known}: use a newer parlor", .path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The version of this program.
        known: i32,
    },
    /// The file must be migrated, which only its owner may do.
    #[error("{} has schema version {found}, this program needs {known}: restart its server with this version first", .path.display())]
    Older {
        /// The database file.
        path: PathBuf,
        /// Its schema version, 0 for a file without tables.
        found: i32,
        /// The version of this program.
        known: i32,
    },
    /// The file must be migrated, which was not asked for; it was not touched.
    #[error(
        "{} was written by an earlier version (schema {found}, this program needs {known}), nothing was changed: start the server or add --migrate to bring it up to date, a copy of it is kept",
        .path.display()
    )]
    Outdated {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The version of this program.
        known: i32,
    },
    /// The file is not a database of this program; it was not touched.
    #[error("{} is {what}, not a parlor database", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// There is something already where a new file should be.
    #[error("{} is there already: choose another name or use --force", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be used for what was asked; says why and what to do.
    #[error("{} {why}", .path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Goes on after the name.
        why: Cow<'static, str>,
    },
    /// The file is ours and has no tables: they were in its log when it was copied.
    #[error(
        "{} has no tables, it was copied without its log: copy {}-wal too, or bring back a backup with parlor restore; if nothing was ever in it, remove it",
        .path.display(), .path.display()
    )]
    Torn {
        /// The database file.
        path: PathBuf,
    },
    /// The log was written to another file, maybe an earlier state of this one; neither was touched.
    #[error(
        "{} does not belong to {}, which was replaced or copied alone: bring back a backup with parlor restore, or put back the file and its log together",
        .log.display(), .db.display()
    )]
    ForeignLog {
        /// The database file.
        db: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// There is a log and no database.
    #[error(
        "{} is left of a database that is not at {}: put that back, or move the log away to begin anew",
        .log.display(), .db.display()
    )]
    LoneLog {
        /// The database file.
        db: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// The work was stopped from outside.
    #[error("stopped before it was done")]
    Stopped,
    /// There is not enough room on the disk.
    #[error("{what} needs {needed} bytes free, there are {free}: {mend}")]
    NoRoom {
        /// What needs it.
        what: String,
        /// Bytes it needs.
        needed: u64,
        /// Bytes that are free.
        free: u64,
        /// What to do.
        mend: &'static str,
    },
    /// The content of a database is not sound; says how.
    #[error("{} is damaged: {detail}", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// The first thing that is wrong.
        detail: String,
    },
    /// A file could not be made, read or renamed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// A fault of this program, not of the caller nor of the disk.
    #[error("internal error: {0}")]
    Internal(&'static str),
    /// Anything else that SQLite reports.
    #[error("database error: {0}")]
    Sqlite(#[source] Arc<rusqlite::Error>),
}

impl StoreError {
    /// A failed file operation on `path`.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            return Self::Full;
        }
        Self::Io {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Whether the content of the file is not sound.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
            _ => false,
        }
    }

    /// What is wrong, for a stranger: without paths.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            error if error.is_damage() => "the database is damaged".to_owned(),
            error => error.to_string(),
        }
    }

    /// SQLite does not say which file is damaged.
    pub(super) fn naming_damage(self, path: &Path) -> Self {
        match self {
            Self::Sqlite(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) =>
            {
                Self::Damaged {
                    path: path.to_owned(),
                    detail: format!("{error}; bring back a backup with parlor restore"),
                }
            }
            error => error,
        }
    }

    /// Whether this is the violation of a unique index, named as SQLite does (`users.email`).
    fn violates(&self, columns: &str) -> bool {
        let Self::Sqlite(error) = self else {
            return false;
        };
        let rusqlite::Error::SqliteFailure(_, Some(text)) = &**error else {
            return false;
        };
        text.strip_prefix("UNIQUE constraint failed: ") == Some(columns)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match (error.sqlite_error_code(), error.sqlite_error()) {
            (Some(ErrorCode::DiskFull), _) => Self::Full,
            // The shared-memory file is the one write for which SQLite does not say "full".
            (_, Some(e)) if e.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => Self::Busy,
            (Some(ErrorCode::OperationInterrupted), _) => Self::Timeout,
            _ => Self::Sqlite(Arc::new(error)),
        }
    }
}

/// Turns the violation of one unique index into a [`StoreError::Conflict`].
pub(super) trait OnConstraint<T> {
    /// `columns` as SQLite names them: `users.username_key`, or `members.room_id, members.user_id`,
    /// or `index 'name'` for an index on an expression; `what` is told to the caller.
    fn on_constraint(self, columns: &str, what: &'static str) -> Result<T, StoreError>;
}

impl<T, E: Into<StoreError>> OnConstraint<T> for Result<T, E> {
    fn on_constraint(self, columns: &str, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| match error.into() {
            error if error.violates(columns) => StoreError::Conflict(what),
            error => error,
        })
    }
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |id| format!(" (process {id})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn only_the_named_index_becomes_a_conflict() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE t (a UNIQUE, b UNIQUE, c, d, UNIQUE (c, d)); INSERT INTO t VALUES (1, 2, 3, 4)",
        )
        .unwrap();
        let insert = |values: &str| {
            conn.execute(&format!("INSERT INTO t VALUES {values}"), [])
                .on_constraint("t.a", "the name")
                .on_constraint("t.c, t.d", "the pair")
        };
        let told = |values: &str| insert(values).unwrap_err().to_string();
        assert_eq!(told("(1, 0, 0, 0)"), "the name is taken");
        assert_eq!(told("(0, 0, 3, 4)"), "the pair is taken");
        assert!(matches!(insert("(0, 2, 0, 0)"), Err(StoreError::Sqlite(_))));
        assert!(insert("(0, 0, 3, 3)").is_ok());
    }

    #[test]
    fn every_text_names_the_file_and_stays_on_one_line() {
        let path = PathBuf::from("/srv/chat.db");
        let locked = StoreError::Locked {
            path: path.clone(),
            holder: Some(7),
        };
        assert_eq!(
            locked.to_string(),
            "/srv/chat.db is in use by another parlor (process 7)"
        );
        let foreign = StoreError::ForeignLog {
            log: "/srv/chat.db-wal".into(),
            db: path.clone(),
        };
        let torn = StoreError::Torn { path };
        for text in [foreign.to_string(), torn.to_string()] {
            assert!(
                text.contains("/srv/chat.db-wal") && text.contains("parlor restore"),
                "{text}"
            );
            assert_eq!(text.lines().count(), 1);
        }
    }
}
