//! Identity of the files of the open database, to notice when one is removed or replaced.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::paths;

/// Device and inode.
type Identity = (u64, u64);

/// Files of an open database as they were when it was opened. Never opens them: closing a descriptor of one of these
/// files would drop the locks that SQLite holds on it.
#[derive(Debug)]
pub(super) struct Files {
    database: (PathBuf, Option<Identity>),
    companions: [(PathBuf, Option<Identity>); 2],
}

/// File that was removed or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The database itself.
    Database,
    /// Only the WAL or its index.
    Companion,
}

impl Files {
    /// Identifies the files at `path`. The database must be open already, so that all of them exist.
    pub(super) fn of(path: &Path) -> Self {
        let known = |suffix| {
            let path = paths::beside(path, suffix);
            let identity = identity(&path).ok();
            (path, identity)
        };
        Self {
            database: known(""),
            companions: [known("-wal"), known("-shm")],
        }
    }

    /// Whether `other` is the same database file.
    pub(super) fn same_database(&self, other: &Self) -> bool {
        self.database == other.database
    }

    /// Checks that each file is still where it was.
    pub(super) fn check(&self) -> Result<(), Lost> {
        if moved(&self.database) {
            return Err(Lost::Database);
        }
        match self.companions.iter().any(moved) {
            true => Err(Lost::Companion),
            false => Ok(()),
        }
    }
}

fn moved((path, was): &(PathBuf, Option<Identity>)) -> bool {
    let Some(was) = was else { return false };
    match identity(path) {
        Ok(now) => now != *was,
        // Other errors, such as an unreadable disk, say nothing about the file.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let file = fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}
