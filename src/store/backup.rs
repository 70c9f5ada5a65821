//! A sound copy of a database while others read and write it. Must not know tables.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::schema::{self, Found};
use super::{paths, wal};

/// Pages copied between two looks at the progress: 16 MiB.
const PAGES: i32 = 4096;

/// Names of the database and of the files beside it that make it whole, each after the database's own.
const COMPANIONS: [&str; 4] = ["", "-wal", "-shm", ".lock"];

/// Copies the database at `db` to `dest`, which appears only when the copy is complete, checked and
/// on disk. Blocks; works while a server writes to `db`.
///
/// # Errors
/// [`StoreError::Foreign`] if `db` is no database, [`StoreError::Full`], [`StoreError::Damaged`] if the copy does not pass the integrity check, and I/O errors.
pub fn backup(db: &Path, dest: &Path) -> Result<(), StoreError> {
    let db = paths::resolve(db)?;
    if schema::inspect(&db, schema::CURRENT.version)? == Found::Nothing {
        return Err(schema::foreign(&db, "empty or missing"));
    }
    let dest = paths::resolve(dest)?;
    if COMPANIONS
        .iter()
        .any(|suffix| dest == paths::beside(&db, suffix))
    {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "part of what is to be copied");
        return Err(StoreError::io(&dest, error));
    }
    let source = schema::open_existing(&db)?;
    source.busy_timeout(Duration::from_secs(5))?;
    copy(&source, &dest)?;
    wal::close(source, &db)
}

/// Copies what `source` sees now to `dest`, over a temporary file beside it.
pub(super) fn copy(source: &Connection, dest: &Path) -> Result<(), StoreError> {
    let draft = paths::beside(dest, ".tmp");
    paths::remove(&draft)?;
    let made = write(source, &draft).and_then(|()| paths::publish(&draft, dest));
    if made.is_err() {
        // The reason is worth more than that half a file stays.
        let _ = fs::remove_file(&draft);
    }
    made
}

fn write(source: &Connection, draft: &Path) -> Result<(), StoreError> {
    paths::create_private(draft)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut dest = Connection::open_with_flags(draft, flags)?;
    // Made durable in one go when it is complete.
    dest.execute_batch("PRAGMA synchronous = OFF")?;
    // One snapshot: otherwise each write by the server would start the copy from the beginning.
    let snapshot = source.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    copy_pages(&snapshot, &mut dest)?;
    drop(snapshot);
    // A copy is one file, without a log beside it.
    dest.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    check(&dest, draft)?;
    dest.close().map_err(|(_, e)| e.into())
}

fn copy_pages(source: &Connection, dest: &mut Connection) -> Result<(), StoreError> {
    let copying = Backup::new(source, dest)?;
    let mut told = 0;
    loop {
        match copying.step(PAGES)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => thread::sleep(Duration::from_millis(50)),
            _ => {}
        }
        let at = copying.progress();
        let percent = 100 - i64::from(at.remaining) * 100 / i64::from(at.pagecount.max(1));
        if percent >= told + 10 {
            told = percent;
            tracing::info!(percent, "copying the database");
        }
    }
}

fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Damaged {
        path: path.to_owned(),
        detail: found,
    })
}
