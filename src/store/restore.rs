//! Replaces the database by a copy of a backup and keeps the old files. Must not depend on the tables.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::backup::{self, Stop};
use super::draft_file::Draft;
use super::error::StoreError;
use super::lock::{self, Attempt, Lock};
use super::paths;
use super::schema::{self, Found};

/// Bytes copied between two checks for a stop.
const CHUNK: u64 = 16 << 20;

/// Suffixes of the files of a database; the database itself last, so that no WAL is without it.
const COMPANIONS: [&str; 3] = ["-wal", "-journal", ""];

/// Result of a restore.
#[derive(Debug)]
pub struct Restored {
    pub db: PathBuf,
    /// In bytes.
    pub size: u64,
    /// New path of the previous database.
    pub kept: Option<PathBuf>,
}

/// Replaces the database at `db` by a copy of `file`. The old files, with the WAL, are kept beside it under a dated
/// name; a WAL never stays with a file that it does not belong to. Blocks.
///
/// # Errors
///
/// [`StoreError::Locked`] while a server owns `db` or uses `file`; [`StoreError::Foreign`], [`StoreError::Newer`],
/// [`StoreError::Torn`], [`StoreError::Unfit`] and [`StoreError::Damaged`] if `file` is not a sound and complete
/// database; [`StoreError::NoRoom`], [`StoreError::Stopped`], and I/O errors. The database is unchanged then.
pub fn restore(db: &Path, file: &Path, stop: &Stop) -> Result<Restored, StoreError> {
    let db = paths::resolve(db)?;
    let file = paths::resolve(file)?;
    if file == db {
        return Err(unfit(&file, "is the database itself: name a backup of it"));
    }
    let source = open_source(&file)?;
    paths::refuse_mount_point(&db)?;
    let _lock = Lock::acquire(&db)?;
    let draft = Draft::create(&db)?;
    refuse_full_disk(&db, &source)?;
    copy(&source, &draft, stop).map_err(|e| in_file(e, &db))?;
    backup::complete(&draft, &file, stop)?;
    paths::make_like(draft.file(), &db).map_err(|e| StoreError::io(&db, e))?;
    stop.check()?;
    let size = paths::size(draft.path())?;
    let kept = keep(&db)?;
    if let Err(error) = draft.publish(true) {
        kept.inspect(|kept| put_back(&db, kept));
        return Err(error);
    }
    // With the new file in place, a start refuses the old WAL if this process dies here.
    for suffix in ["-wal", "-shm", "-journal"] {
        paths::remove(&paths::beside(&db, suffix))?;
    }
    paths::sync_folder(&db)?;
    Ok(Restored { db, size, kept })
}

/// Opens a file that is a complete database by itself and that no server uses.
fn open_source(path: &Path) -> Result<File, StoreError> {
    let failed = |e| StoreError::io(path, e);
    let file = paths::open_itself(path, false).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(unfit(path, "is not a regular file"));
    }
    if lock::attempt(&file).map_err(failed)? == Attempt::Held {
        return Err(StoreError::Locked {
            path: path.to_owned(),
            holder: None,
        });
    }
    for suffix in ["-wal", "-journal"] {
        let log = paths::beside(path, suffix);
        if paths::size(&log)? > 0 {
            return Err(StoreError::Unfit {
                path: path.to_owned(),
                why: format!(
                    "is not complete without {}: make a backup of it first, with parlor --db {} backup",
                    log.display(),
                    path.display()
                )
                .into(),
            });
        }
    }
    match schema::inspect(path, schema::CURRENT.version)? {
        Found::Version(_) => Ok(file),
        _ => Err(schema::foreign(path, "empty or missing")),
    }
}

fn copy(source: &File, draft: &Draft, stop: &Stop) -> Result<(), StoreError> {
    let mut dest = draft.file();
    let io = |e| StoreError::io(draft.path(), e);
    loop {
        stop.check()?;
        if io::copy(&mut source.take(CHUNK), &mut dest).map_err(io)? == 0 {
            return dest.flush().map_err(io);
        }
    }
}

fn refuse_full_disk(db: &Path, source: &File) -> Result<(), StoreError> {
    let needed = source.metadata().map_err(|e| StoreError::io(db, e))?.len();
    let free = paths::free_space(db)?;
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::NoRoom {
        what: format!("the copy for {}", db.display()),
        needed,
        free,
        mend: "make room",
    })
}

/// Gives the database and its WAL a second, dated name; they lose their own when the new file is published.
fn keep(db: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !db.exists() {
        return Ok(None);
    }
    let kept = unused_name(db);
    for suffix in COMPANIONS {
        let from = paths::beside(db, suffix);
        if suffix.is_empty() || paths::size(&from)? > 0 {
            let to = paths::beside(&kept, suffix);
            link_or_rename(&from, &to).map_err(|e| StoreError::io(&to, e))?;
        }
    }
    paths::sync_folder(db)?;
    Ok(Some(kept))
}

/// Undoes [`keep`].
fn put_back(db: &Path, kept: &Path) {
    for suffix in COMPANIONS {
        let (from, to) = (paths::beside(kept, suffix), paths::beside(db, suffix));
        // If it was linked, its own name still exists.
        let done = match to.exists() {
            true => paths::remove(&from),
            false => fs::rename(&from, &to).map_err(|e| StoreError::io(&to, e)),
        };
        if let Err(error) = done {
            tracing::debug!(%error, "nothing to put back");
        }
    }
}

fn unused_name(db: &Path) -> PathBuf {
    let now = Utc::now().format("%Y%m%d-%H%M%S");
    let name = |number: u32| match number {
        1 => paths::beside(db, &format!(".before-restore-{now}")),
        _ => paths::beside(db, &format!(".before-restore-{now}-{number}")),
    };
    let free = |path: &PathBuf| {
        let taken = |suffix| fs::symlink_metadata(paths::beside(path, suffix)).is_ok();
        !COMPANIONS.into_iter().any(taken)
    };
    (1..=u32::MAX)
        .map(name)
        .find(free)
        .unwrap_or_else(|| name(1))
}

/// Links, or renames on file systems without hard links. Does not replace an existing file.
fn link_or_rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => fs::rename(from, to),
        linked => linked,
    }
}

/// Names the database instead of the draft, whose name means nothing to users.
fn in_file(error: StoreError, db: &Path) -> StoreError {
    match error {
        StoreError::Io { source, .. } => StoreError::Io {
            path: db.to_owned(),
            source,
        },
        error => error,
    }
}

fn unfit(path: &Path, why: &'static str) -> StoreError {
    StoreError::Unfit {
        path: path.to_owned(),
        why: why.into(),
    }
}
