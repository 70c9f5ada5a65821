//! Ties the log to its database. SQLite replays whatever sound log lies beside a file; this finds out whether it belongs
//! there.
//!
//! Each time the log begins anew, SQLite gives it another salt. The row `generation` of `settings` has the salt of the log
//! that it is written in, and what the row had before. So a file is either as it was when its log began, and its row has
//! what that log calls "before", or part of the log was moved into it, and its row may have the log's own salt. Copies made
//! by [`copied`] have a number that no log knows. A log without such a row tells nothing and is taken as it is: it comes
//! from an earlier version, or from a process that died between the log's first commit, of which nobody was told, and the
//! row.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;
use super::schema;
use super::{log_file, paths};

/// Begins the row, so that it is found in a page of the log without knowing tables.
const MARK: &str = "parlor-log";
/// Digits of each number.
const DIGITS: usize = 16;
/// How often a log may begin anew while it is tied.
const TRIES: u32 = 4;

/// Keeps the row in step with the log.
pub(super) struct Generation {
    path: PathBuf,
    log: Option<File>,
    tied: Option<u64>,
}

impl Generation {
    /// Of the database at `db`.
    pub(super) fn new(db: &Path) -> Self {
        Self {
            path: paths::beside(db, "-wal"),
            log: None,
            tied: None,
        }
    }

    /// Writes the row if the log has begun anew. To be called after a COMMIT on `conn`, before anybody is told of it.
    pub(super) fn tie(&mut self, conn: &Connection) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(salt) = self.salt().filter(|salt| self.tied != Some(*salt)) else {
                break;
            };
            conn.execute_batch("BEGIN IMMEDIATE")?;
            let written = write(conn, salt).and_then(|()| Ok(conn.execute_batch("COMMIT")?));
            if written.is_err() && !conn.is_autocommit() {
                let _ = conn.execute_batch("ROLLBACK");
            }
            written?;
            self.tied = Some(salt);
        }
        Ok(())
    }

    /// The salt of the log that is there now.
    fn salt(&mut self) -> Option<u64> {
        if self.log.is_none() {
            self.log = File::open(&self.path).ok();
        }
        let mut header = [0; log_file::HEADER];
        self.log.as_ref()?.read_exact_at(&mut header, 0).ok()?;
        Some(log_file::salt_of(&header))
    }
}

/// Refuses a database with a log that does not belong to it. Only while nobody writes to either.
pub(super) fn check(db: &Path) -> Result<(), StoreError> {
    let path = paths::beside(db, "-wal");
    let mark = |salt| format!("{MARK} {salt:016x} ").into_bytes();
    let log = log_file::read(&path, mark, DIGITS).map_err(|e| StoreError::io(&path, e))?;
    let Some((log, before)) = log.and_then(|log| {
        let before = parse_number(log.marked.as_deref()?)?;
        Some((log, before))
    }) else {
        return Ok(());
    };
    // A file that cannot be read without its log is half moved, which says nothing against the log.
    let Ok(found) = schema::open_alone(db).and_then(|conn| read(&conn)) else {
        return Ok(());
    };
    if [log.salt, before].contains(&found) {
        return Ok(());
    }
    Err(StoreError::ForeignLog {
        db: db.to_owned(),
        log: path,
    })
}

/// Makes a copy a file of its own: no log that is there by now belongs to it.
pub(super) fn copied(copy: &Connection) -> Result<(), StoreError> {
    write(copy, rand::random::<u64>())
}

/// Writes the row unless it is there.
fn write(conn: &Connection, salt: u64) -> Result<(), StoreError> {
    let before = read(conn)?;
    if before == salt {
        return Ok(());
    }
    let row = format!("{MARK} {salt:016x} {before:016x}");
    conn.execute(
        "INSERT INTO settings (key, value) VALUES ('generation', ?1) ON CONFLICT DO UPDATE SET value = excluded.value",
        [row],
    )?;
    Ok(())
}

/// The row's number, 0 where there is none yet.
fn read(conn: &Connection) -> Result<u64, StoreError> {
    let row: Option<String> = conn
        .query_row(
            "SELECT value FROM settings WHERE key = 'generation'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let number =
        row.and_then(|row| parse_number(row.as_bytes().get(MARK.len() + 1..)?.get(..DIGITS)?));
    Ok(number.unwrap_or(0))
}

fn parse_number(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
