//! Identifies database files, opens them with SQLite and creates the tables in new ones. Must not depend on the tables
//! themselves: those are in `schema.sql`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::migrate::{Migration, Step};
use super::{ids, look_alikes, paths, search_index, url_cleanup, wal_file};

/// SQLite's `application_id` of our files: "Parl".
const APPLICATION_ID: i32 = 0x5061_726c;

/// Tables of a database and the migrations from earlier versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    /// Creates all tables of the newest version.
    pub(super) ddl: &'static str,
    /// Newest version; the first is 1.
    pub(super) version: i32,
    /// One step for each version after the first, ascending.
    pub(super) migrations: &'static [Migration],
}

/// Schema of this program.
pub(super) const CURRENT: Schema = Schema {
    ddl: include_str!("../../schema.sql"),
    version: 6,
    migrations: &[
        Migration {
            to: 2,
            step: Step::Sql(
                "DROP INDEX messages_sender;
             DROP INDEX messages_change;
             CREATE INDEX messages_change ON messages (room_id, change_id) WHERE change_id > id;",
            ),
        },
        Migration {
            to: 3,
            // Rebuilt the search index; version 4 does so again.
            step: Step::Sql("SELECT 1"),
        },
        Migration {
            to: 4,
            step: Step::Code(forget_deleted),
        },
        Migration {
            to: 5,
            step: Step::Sql(include_str!("migrations/sanctions.sql")),
        },
        Migration {
            to: 6,
            step: Step::Code(|tx| {
                url_cleanup::clean(tx)?;
                look_alikes::renew_looks(tx)
            }),
        },
    ],
};

/// Version 4: the search index removes terms with their message, and a deleted account keeps only its username.
fn forget_deleted(tx: &Connection) -> Result<(), StoreError> {
    tx.execute_batch(
        "UPDATE users SET display_name = '' WHERE deleted_at IS NOT NULL;
         UPDATE files SET state = 'gone' WHERE purpose = 'avatar'
             AND owner_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL);",
    )?;
    search_index::rebuild(tx)
}

/// Content found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No database yet.
    Nothing,
    /// A database of ours, with its schema version.
    Version(i32),
    /// A database of ours without its tables: they were in its WAL.
    Torn,
}

/// Checks a file without its WAL and without changing anything; refuses one that this program must not write. A WAL
/// left by a crash is newer: see [`inspect`].
pub(super) fn refuse_foreign(path: &Path, known: i32) -> Result<(), StoreError> {
    if is_empty(path)? {
        return refuse_lone_log(path);
    }
    paths::check_access(path, false)?;
    // Half written; SQLite rolls it back first.
    if journal(path)?.is_some_and(|journal| journal.of_empty_file) && is_sqlite(path) {
        return Ok(());
    }
    match peek(path, known, "immutable=1") {
        Err(e @ (StoreError::Foreign { .. } | StoreError::Newer { .. })) => Err(e),
        Ok(found) if !has_log(path)? => refuse_torn(path, found).map(drop),
        // Without its WAL the file may be partly checkpointed.
        _ => Ok(()),
    }
}

/// Checks a file and its WAL without changing either; refuses one that this program must not write.
pub(super) fn inspect(path: &Path, known: i32) -> Result<Found, StoreError> {
    if is_empty(path)? {
        return Ok(Found::Nothing);
    }
    paths::check_access(path, false)?;
    // Reading without locks (`immutable`) writes nothing beside a file that is not ours. But during a checkpoint by
    // another process it sees half of it, and a WAL left by a crash is newer than the file.
    let alone = peek(path, known, "immutable=1");
    match alone {
        Err(StoreError::Foreign { .. } | StoreError::Newer { .. }) => alone,
        _ if !has_log(path)? => alone.and_then(|found| refuse_torn(path, found)),
        _ => match peek(path, known, "mode=ro") {
            // No disk space to read the WAL; the caller checks again when it opens the file.
            Err(StoreError::Full) if matches!(alone, Ok(Found::Version(_))) => alone,
            found => found.and_then(|found| refuse_torn(path, found)),
        },
    }
}

fn has_log(path: &Path) -> Result<bool, StoreError> {
    Ok(paths::size(&paths::beside(path, "-wal"))? > 0)
}

/// Whether there is no file at `path`, or an empty one.
fn is_empty(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(e) => Err(StoreError::io(path, e)),
        Ok(file) if file.is_dir() => Err(foreign(path, "a folder")),
        Ok(file) => Ok(file.len() == 0),
    }
}

/// Refuses a WAL or journal whose database is missing: SQLite would delete it.
fn refuse_lone_log(path: &Path) -> Result<(), StoreError> {
    let log = paths::beside(path, "-wal");
    let what = if paths::size(&log)? > wal_file::HEADER as u64 {
        log
    } else if journal(path)?.is_some_and(|journal| !journal.of_empty_file) {
        paths::beside(path, "-journal")
    } else {
        return Ok(());
    };
    Err(StoreError::LoneLog {
        db: path.to_owned(),
        log: what,
    })
}

/// Rollback journal beside the database.
struct Journal {
    /// Whether the database had no page before the transaction.
    of_empty_file: bool,
}

/// Returns the journal beside `path` that SQLite would roll back, if there is one.
fn journal(path: &Path) -> Result<Option<Journal>, StoreError> {
    // "The Rollback Journal" in SQLite's file format.
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let path = paths::beside(path, "-journal");
    let mut header = [0; 20];
    match File::open(&path).and_then(|mut file| file.read_exact(&mut header)) {
        Ok(()) => {}
        Err(e) if [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof].contains(&e.kind()) => {
            return Ok(None);
        }
        Err(e) => return Err(StoreError::io(&path, e)),
    }
    let found = header.starts_with(&MAGIC).then(|| Journal {
        of_empty_file: header[16..] == [0; 4],
    });
    Ok(found)
}

fn is_sqlite(path: &Path) -> bool {
    let mut begin = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    // The first page is written last, so it may still be zero.
    read.is_ok() && (begin == *b"SQLite format 3\0" || begin == [0; 16])
}

/// Lets SQLite roll back the transaction of a killed process. Only for the owner of the file; does not touch files of
/// other programs.
pub(super) fn take_back(path: &Path, known: i32) -> Result<(), StoreError> {
    let Some(journal) = journal(path)? else {
        return Ok(());
    };
    if is_empty(path)? || !is_sqlite(path) {
        return Ok(());
    }
    if !journal.of_empty_file {
        peek(path, known, "immutable=1")?;
    }
    tracing::info!(path = %path.display(), "rolling back the incomplete transaction of a crashed process");
    let conn = open_existing(path)?;
    Ok(conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
}

fn peek(path: &Path, known: i32, how: &str) -> Result<Found, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open_with(path, flags, how)?;
    identify(&conn, path, known).map_err(|error| match error {
        StoreError::Sqlite(e) if e.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            foreign(path, "not an SQLite file")
        }
        error => error.naming_damage(path),
    })
}

/// Identifies the file that `conn` has open.
pub(super) fn identify(conn: &Connection, path: &Path, known: i32) -> Result<Found, StoreError> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    match (application, version) {
        (APPLICATION_ID, found) if found > known => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
        (APPLICATION_ID, _) if tables == 0 => Ok(Found::Torn),
        (APPLICATION_ID, found) if found > 0 => Ok(Found::Version(found)),
        // Earlier versions created their tables in the WAL.
        (0, 0) if tables == 0 && number("PRAGMA auto_vacuum")? == 2 => Ok(Found::Torn),
        (0, 0) if tables == 0 => Ok(Found::Nothing),
        _ => Err(foreign(path, "the database of another program")),
    }
}

/// Refuses a database of ours whose tables were in a WAL that is missing.
fn refuse_torn(path: &Path, found: Found) -> Result<Found, StoreError> {
    match found {
        // There is an empty WAL: the process was killed before the tables were created.
        Found::Torn if paths::beside(path, "-wal").exists() => Ok(Found::Nothing),
        Found::Torn => Err(StoreError::Torn {
            path: path.to_owned(),
        }),
        found => Ok(found),
    }
}

/// Returns the error for a file that is not ours; `what` says what it is.
pub(super) fn foreign(path: &Path, what: &'static str) -> StoreError {
    StoreError::Foreign {
        path: path.to_owned(),
        what,
    }
}

/// Opens an existing file for writing. The connection does not checkpoint by itself, neither after a commit nor when it
/// is closed: only `checkpoint` does, which handles failed syncs.
pub(super) fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    use_no_temporary_files(&conn)?;
    prepare(&conn)?;
    Ok(conn)
}

/// Disables automatic checkpoints of a connection.
pub(super) fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.wal_hook(None);
    keep_log(conn, true)
}

/// Sets whether the WAL is kept when the last connection to the file is closed.
pub(super) fn keep_log(conn: &Connection, keep: bool) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .map(drop)
}

/// Rewrites one page unchanged. An UPDATE to the same value would write nothing.
pub(super) fn touch(tx: &Connection) -> Result<(), StoreError> {
    let id: i32 = tx.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok(tx.pragma_update(None, "application_id", id)?)
}

/// Opens a file that no other process writes, without locks, journal or syncs: a killed process leaves a file to be
/// discarded, and nothing beside it.
pub(super) fn open_draft(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open_with(path, flags, "nolock=1")?;
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    Ok(conn)
}

/// Opens a file read-only without its WAL, and touches nothing beside it.
pub(super) fn open_alone(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open_with(path, flags, "immutable=1")
}

fn open_with(path: &Path, flags: OpenFlags, how: &str) -> Result<Connection, StoreError> {
    let name = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    let uri = format!("file:{name}?{how}");
    let conn = Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
    use_no_temporary_files(&conn)?;
    Ok(conn)
}

/// Keeps temporary data in memory: the folder for it may be missing, full, or readable by others.
pub(super) fn use_no_temporary_files(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("PRAGMA temp_store = MEMORY")
}

/// Creates all tables in an empty file.
pub(super) fn create(conn: &mut Connection, schema: &Schema) -> Result<(), StoreError> {
    // Must precede the first table.
    conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    let tx = conn.transaction()?;
    tx.execute_batch(schema.ddl)?;
    ids::create(&tx)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", schema.version)?;
    Ok(tx.commit()?)
}
