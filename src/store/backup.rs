//! Consistent copies of a database while others read and write it. Must not depend on the tables.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::draft_file::{self, Draft};
use super::error::StoreError;
use super::lock::Lock;
use super::schema::{self, Found};
use super::{generation, paths, wal};

/// Pages copied between two progress checks: 16 MiB.
const PAGES: i32 = 4096;
/// SQLite VM instructions between two checks for a stop.
const STEPS: i32 = 10_000;

/// Suffixes of the database and of the files that belong to it.
const COMPANIONS: [&str; 5] = ["", "-wal", "-shm", "-journal", ".lock"];

/// Flag that tells long work to stop, from another thread.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Makes the work end soon with [`StoreError::Stopped`], without leaving anything behind.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Fails if a stop was requested.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(StoreError::Stopped),
            false => Ok(()),
        }
    }

    /// Interrupts queries on `conn` when a stop is requested.
    pub(super) fn interrupts(&self, conn: &Connection) -> Result<(), StoreError> {
        let stop = self.clone();
        Ok(conn.progress_handler(STEPS, Some(move || stop.check().is_err()))?)
    }
}

/// Copies the database at `db` to `dest`, which appears only when the copy is complete, checked and on disk; returns
/// its size in bytes. Blocks; works while a server writes to `db`. With `replace`, replaces a regular file that no
/// process uses as its database.
///
/// # Errors
///
/// [`StoreError::Foreign`] if `db` is not a database, [`StoreError::Exists`] and [`StoreError::Unfit`] if `dest` must
/// not be replaced, [`StoreError::Full`], [`StoreError::Damaged`] if the copy fails the integrity check,
/// [`StoreError::Stopped`], and I/O errors. Nothing of the copy is left then.
pub fn backup(db: &Path, dest: &Path, replace: bool, stop: &Stop) -> Result<u64, StoreError> {
    let db = paths::resolve(db)?;
    refuse_source(&db)?;
    let dest = paths::resolve_folder(dest)?;
    if COMPANIONS
        .iter()
        .any(|suffix| dest == paths::beside(&db, suffix))
    {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "part of what is to be copied");
        return Err(StoreError::io(&dest, error));
    }
    let source = schema::open_existing(&db)?;
    source.busy_timeout(Duration::from_secs(5))?;
    let copied = copy(&source, &dest, replace, stop);
    // Also after a failure, so that nothing is left beside the database.
    let closed = wal::close(source, &db);
    copied.and_then(|size| closed.map(|()| size))
}

/// Refuses a file that is not our database, or whose WAL is not its own: opening it would checkpoint that WAL into it.
fn refuse_source(db: &Path) -> Result<(), StoreError> {
    let known = schema::CURRENT.version;
    paths::refuse_other_names(db)?;
    schema::refuse_foreign(db, known)?;
    if paths::size(&paths::beside(db, "-wal"))? > 0 {
        // The WAL of a running server changes while it is read, and is its own.
        match Lock::acquire(db) {
            Ok(_lock) => generation::check(db)?,
            Err(StoreError::Locked { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    match schema::inspect(db, known)? {
        Found::Nothing => Err(schema::foreign(db, "empty or missing")),
        _ => Ok(()),
    }
}

/// Copies the current snapshot of `source` to `dest`.
pub(super) fn copy(
    source: &Connection,
    dest: &Path,
    replace: bool,
    stop: &Stop,
) -> Result<u64, StoreError> {
    refuse_target(dest, replace)?;
    let draft = Draft::create(dest)?;
    copy_into(source, &draft, stop)?;
    complete(&draft, dest, stop)?;
    let file = draft.publish(replace)?;
    let size = file.metadata().map_err(|e| StoreError::io(dest, e))?;
    Ok(size.len())
}

/// Refuses a destination where the copy would destroy something, or be destroyed.
fn refuse_target(dest: &Path, replace: bool) -> Result<(), StoreError> {
    draft_file::check_target(dest, replace)?;
    let unfit = |path: &Path, why: &'static str| StoreError::Unfit {
        path: path.to_owned(),
        why: why.into(),
    };
    if replace && draft_file::is_locked(dest) {
        return Err(unfit(
            dest,
            "is the database of a running parlor: choose another name",
        ));
    }
    for suffix in ["-wal", "-journal"] {
        let log = paths::beside(dest, suffix);
        if paths::size(&log)? > 0 {
            return Err(unfit(
                &log,
                "is left of another database: move it away or choose another name",
            ));
        }
    }
    Ok(())
}

fn copy_into(source: &Connection, draft: &Draft, stop: &Stop) -> Result<(), StoreError> {
    let mut dest = schema::open_draft(draft.path())?;
    // One snapshot: otherwise each write by the server would restart the copy.
    let snapshot = source.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    copy_pages(&snapshot, &mut dest, stop)?;
    drop(snapshot);
    dest.close().map_err(|(_, e)| e.into())
}

fn copy_pages(source: &Connection, dest: &mut Connection, stop: &Stop) -> Result<(), StoreError> {
    let copying = Backup::new(source, dest)?;
    let mut told = 0;
    loop {
        stop.check()?;
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

/// Turns the pages in `draft` into an independent database and checks it; errors name `named`.
pub(super) fn complete(draft: &Draft, named: &Path, stop: &Stop) -> Result<(), StoreError> {
    // Bytes 18 and 19 of the file, 1 for "without a WAL": a copy is one file.
    let patched = draft.file().write_all_at(&[1, 1], 18);
    patched.map_err(|e| StoreError::io(named, e))?;
    let conn = schema::open_draft(draft.path())?;
    generation::copied(&conn).map_err(|e| e.naming_damage(named))?;
    conn.close().map_err(|(_, e)| StoreError::from(e))?;
    check(draft.path(), named, stop)
}

fn check(path: &Path, named: &Path, stop: &Stop) -> Result<(), StoreError> {
    let conn = schema::open_alone(path)?;
    stop.interrupts(&conn)?;
    let found = conn.query_row("PRAGMA integrity_check(1)", [], |row| {
        row.get::<_, String>(0)
    });
    stop.check()?;
    let found = found?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Damaged {
        path: named.to_owned(),
        detail: found,
    })
}
