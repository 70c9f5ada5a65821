//! Ties the WAL to its database. SQLite replays any valid WAL beside a file; this module checks that it belongs there.
//!
//! SQLite gives the WAL another salt each time it restarts. The row `generation` of `settings` holds the salt of the
//! WAL that it was written in, and the salt that the row had before. So a database is in one of two states: as it was
//! when its WAL started, with the salt that the WAL records as the previous one; or partly checkpointed, in which case
//! the row may hold the WAL's own salt. Copies made by [`copied`] have a number that no WAL knows. A WAL without such a
//! row proves nothing and is accepted: it comes from an earlier version, or from a process that died between the first
//! commit of the WAL, which was not acknowledged, and the row.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;
use super::schema;
use super::{paths, wal_file};

/// Prefix of the row, to find it in a page of the WAL without knowing the tables.
const MARK: &str = "parlor-log";
/// Hexadecimal digits of each number.
const DIGITS: usize = 16;
/// Attempts to tie a WAL that restarts in the meantime.
const TRIES: u32 = 4;

/// Keeps the row in step with the WAL.
pub(super) struct Generation {
    path: PathBuf,
    log: Option<File>,
    tied: Option<u64>,
}

impl Generation {
    pub(super) fn new(db: &Path) -> Self {
        Self {
            path: paths::beside(db, "-wal"),
            log: None,
            tied: None,
        }
    }

    /// Writes the row if the WAL has restarted. Must be called after a COMMIT on `conn`, before it is acknowledged.
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

    /// Returns the salt of the current WAL.
    fn salt(&mut self) -> Option<u64> {
        if self.log.is_none() {
            self.log = File::open(&self.path).ok();
        }
        let mut header = [0; wal_file::HEADER];
        self.log.as_ref()?.read_exact_at(&mut header, 0).ok()?;
        Some(wal_file::salt_of(&header))
    }
}

/// Refuses a database with a WAL that does not belong to it. Must be called while no process writes to either.
pub(super) fn check(db: &Path) -> Result<(), StoreError> {
    let path = paths::beside(db, "-wal");
    let mark = |salt| format!("{MARK} {salt:016x} ").into_bytes();
    let log = wal_file::read(&path, mark, DIGITS).map_err(|e| StoreError::io(&path, e))?;
    let Some((log, before)) = log.and_then(|log| {
        let before = parse_number(log.marked.as_deref()?)?;
        Some((log, before))
    }) else {
        return Ok(());
    };
    // A file that cannot be read without its WAL is partly checkpointed, which says nothing against the WAL.
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

/// Makes a copy independent: no existing WAL belongs to it.
pub(super) fn copied(copy: &Connection) -> Result<(), StoreError> {
    write(copy, rand::random::<u64>())
}

/// Writes the row unless it is up to date.
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

/// Returns the salt in the row, 0 if there is none yet.
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
