//! Errors of the store. Must not depend on callers or on how clients are told.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

/// Error of a store operation. Every text is one line.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Nothing was stored; writes succeed again as soon as there is free space.
    #[error("the disk is full")]
    Full,
    /// Too many requests are waiting, or another process holds the file. Worth a retry.
    #[error("the database is busy")]
    Busy,
    #[error("the database is closed")]
    Closed,
    /// A query was interrupted because it took too long.
    #[error("the query took too long")]
    Timeout,
    /// A file of the database was removed or replaced while it was open. Nothing is stored until the process is
    /// restarted.
    #[error(
        "{0} was removed or replaced while the server ran: nothing is stored until it is restarted"
    )]
    Lost(&'static str),
    /// The WAL has reached its size limit because another process has been reading an old snapshot.
    #[error("the log is full: another program has been reading the database for too long")]
    LogFull,
    /// A sync of the database file failed. The WAL is kept.
    #[error(
        "a sync of the database failed: the log is kept until it can be moved again from its beginning"
    )]
    Unsynced,
    /// A checkpoint failed, with the reason.
    #[error("the log cannot be moved into the database: {0}")]
    Checkpoint(String),
    /// A unique name, key or id exists already; the value says which.
    #[error("{0} is taken")]
    Conflict(&'static str),
    /// Another process owns the database.
    #[error("{} is in use by another parlor{}", .path.display(), holder_text(*.holder))]
    Locked {
        path: PathBuf,
        /// Id of the owning process, if known.
        holder: Option<u32>,
    },
    /// A later version of this program wrote the file. It was not changed.
    #[error("{} has schema version {found}, this program knows {known}: use a newer parlor", .path.display())]
    Newer {
        path: PathBuf,
        found: i32,
        /// Newest schema version that this program knows.
        known: i32,
    },
    /// The file needs a migration, which only its owner may run.
    #[error("{} has schema version {found}, this program needs {known}: restart its server with this version first", .path.display())]
    Older {
        path: PathBuf,
        /// Its schema version, 0 for a file without tables.
        found: i32,
        known: i32,
    },
    /// The file needs a migration, which was not requested. It was not changed.
    #[error(
        "{} was written by an earlier version (schema {found}, this program needs {known}), nothing was changed: start the server or add --migrate to migrate it after a backup",
        .path.display()
    )]
    Outdated {
        path: PathBuf,
        found: i32,
        known: i32,
    },
    /// The file is not a database of this program. It was not changed.
    #[error("{} is {what}, not a parlor database", .path.display())]
    Foreign {
        path: PathBuf,
        /// Noun phrase for what the file is instead.
        what: &'static str,
    },
    /// There is a file already where a new one should be created.
    #[error("{} exists: choose another name or use --force", .path.display())]
    Exists {
        /// Path of the existing file.
        path: PathBuf,
    },
    /// A file cannot be used for the requested purpose.
    #[error("{} {why}", .path.display())]
    Unfit {
        path: PathBuf,
        /// Reason and remedy; follows the path in the error text.
        why: Cow<'static, str>,
    },
    /// The database has no tables: they were in its WAL when the file was copied.
    #[error(
        "{} has no tables: it was copied without its log. Copy {}-wal too, or restore a backup with parlor restore; if it never held data, remove it",
        .path.display(), .path.display()
    )]
    Torn {
        /// The database file.
        path: PathBuf,
    },
    /// The WAL was written for another file, possibly an earlier state of this one. Neither was changed.
    #[error(
        "{} does not belong to {}, which was replaced or copied without it: restore a backup with parlor restore, or put back the file together with its log",
        .log.display(), .db.display()
    )]
    ForeignLog {
        db: PathBuf,
        /// Path of the WAL.
        log: PathBuf,
    },
    /// There is a WAL or journal without a database.
    #[error(
        "{} is left of a database that is not at {}: put that back, or move the log away to begin anew",
        .log.display(), .db.display()
    )]
    LoneLog {
        db: PathBuf,
        /// Path of the WAL or journal.
        log: PathBuf,
    },
    /// A [`Stop`](super::Stop) was requested.
    #[error("stopped before it was done")]
    Stopped,
    /// The disk has too little free space.
    #[error("{what} needs {needed} bytes free, there are {free}: {mend}")]
    NoRoom {
        /// Operation that needs the space.
        what: String,
        /// In bytes.
        needed: u64,
        /// In bytes.
        free: u64,
        /// Remedy.
        mend: &'static str,
    },
    /// The content of a database is corrupt.
    #[error("{} is damaged: {detail}", .path.display())]
    Damaged {
        path: PathBuf,
        /// First problem that was found.
        detail: String,
    },
    /// A file could not be created, read or renamed.
    #[error("{}: {source}", .path.display())]
    Io {
        path: PathBuf,
        source: Arc<io::Error>,
    },
    /// A bug in this program, not a fault of the caller or the disk.
    #[error("internal error: {0}")]
    Internal(&'static str),
    /// Any other SQLite error.
    #[error("database error: {0}")]
    Sqlite(#[source] Arc<rusqlite::Error>),
}

impl StoreError {
    /// Wraps a failed file operation on `path`; a full disk becomes [`StoreError::Full`].
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            return Self::Full;
        }
        Self::Io {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Whether the content of the file is corrupt.
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

    /// Returns the error text without paths, for untrusted readers.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            error if error.is_damage() => "the database is damaged".to_owned(),
            error => error.to_string(),
        }
    }

    /// Adds the path to a corruption error: SQLite does not say which file is damaged.
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

    /// Whether this is a violation of a unique index, with columns named as in SQLite (`users.email`).
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
            // A full disk while growing the shared-memory file is the one case that SQLite does not report as "full".
            (_, Some(e)) if e.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => Self::Busy,
            (Some(ErrorCode::OperationInterrupted), _) => Self::Timeout,
            _ => Self::Sqlite(Arc::new(error)),
        }
    }
}

/// Maps the violation of one unique index to [`StoreError::Conflict`].
pub(super) trait OnConstraint<T> {
    /// `columns` are named as in SQLite: `users.username_key`, or `members.room_id, members.user_id`, or `index 'name'`
    /// for an index on an expression. `what` becomes the value of the conflict.
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
    fn only_the_named_constraint_becomes_a_conflict() {
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
    fn error_texts_name_the_file_on_one_line() {
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
