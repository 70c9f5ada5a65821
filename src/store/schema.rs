//! Which files the store opens, and how a file comes to have the tables this program needs.
//! Must not know the tables themselves: those are in `schema.sql`.

use std::fs;
use std::io;
use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::migrate::{Migration, Step};
use super::{ids, paths, words};

/// What SQLite's `application_id` says of our files: "Parl".
const APPLICATION_ID: i32 = 0x5061_726c;

/// The tables a program needs and the way to them from earlier versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    /// Makes all tables of the newest version.
    pub(super) ddl: &'static str,
    /// The newest version, from 1.
    pub(super) version: i32,
    /// One step for each version after the first, ascending.
    pub(super) migrations: &'static [Migration],
}

/// The schema of this program.
pub(super) const CURRENT: Schema = Schema {
    ddl: include_str!("../../schema.sql"),
    version: 3,
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
            step: Step::Code(words::rebuild),
        },
    ],
};

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Nothing,
    /// A database of ours, of this version.
    Version(i32),
}

/// Looks at a file without changing anything; refuses one that this program must not write.
pub(super) fn inspect(path: &Path, known: i32) -> Result<Found, StoreError> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => return Err(StoreError::io(path, e)),
        Ok(file) if file.is_dir() => return Err(foreign(path, "a folder")),
        Ok(file) if file.len() == 0 => return Ok(Found::Nothing),
        Ok(_) => {}
    }
    paths::check_access(path, false)?;
    // Without locks nothing is written beside a file that is not ours; but while another process
    // moves its log into the file, such a look sees half of it, and what a crash left in the log is
    // newer than the file.
    let alone = peek(path, known, "immutable=1");
    match alone {
        Err(e @ (StoreError::Foreign { .. } | StoreError::Newer { .. })) => return Err(e),
        Ok(Found::Version(version)) if !has_log(path) => return Ok(Found::Version(version)),
        _ => {}
    }
    match peek(path, known, "mode=ro") {
        // No room to look into the log; whoever opens the file has to look again.
        Err(StoreError::Full) if matches!(alone, Ok(Found::Version(_))) => alone,
        found => found,
    }
}

fn has_log(path: &Path) -> bool {
    fs::metadata(paths::beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

fn peek(path: &Path, known: i32, how: &str) -> Result<Found, StoreError> {
    let name = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(format!("file:{name}?{how}"), flags)?;
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i32>(0));
    let application = match number("PRAGMA application_id") {
        Err(e) if e.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(foreign(path, "not an SQLite file"));
        }
        found => found?,
    };
    let version = number("PRAGMA user_version")?;
    match (application, version) {
        (APPLICATION_ID, found) if found > known => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
        (APPLICATION_ID, found) if found > 0 => Ok(Found::Version(found)),
        (0, 0) if number("SELECT count(*) FROM sqlite_schema")? == 0 => Ok(Found::Nothing),
        _ => Err(foreign(path, "the database of another program")),
    }
}

/// A file that is not ours because of `what` it is.
pub(super) fn foreign(path: &Path, what: &'static str) -> StoreError {
    StoreError::Foreign {
        path: path.to_owned(),
        what,
    }
}

/// Makes the file, if need be, and prepares it for its first table.
pub(super) fn open_new(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        paths::create_private(path)?;
    }
    let conn = open_existing(path)?;
    // Both must come before the first table and before WAL mode; VACUUM makes the first stick in a
    // file that is not of zero length.
    conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;")?;
    Ok(conn)
}

/// Opens a file that is there for writing. The connection moves nothing of the log by itself, neither after a commit nor
/// when it is closed: only `checkpoint` does, which knows what to do when a sync fails.
pub(super) fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    prepare(&conn)?;
    Ok(conn)
}

/// Takes from a connection what it would do to the log by itself.
pub(super) fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.wal_hook(None);
    keep_log(conn, true)
}

/// Whether the log stays where it is when the last connection to the file is closed.
pub(super) fn keep_log(conn: &Connection, keep: bool) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .map(drop)
}

/// Writes a page as it is. An UPDATE to the same value would write nothing.
pub(super) fn touch(tx: &Connection) -> Result<(), StoreError> {
    let id: i32 = tx.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok(tx.pragma_update(None, "application_id", id)?)
}

/// Makes all tables in a new file, or none.
pub(super) fn create(conn: &mut Connection, schema: &Schema) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    tx.execute_batch(schema.ddl)?;
    ids::create(&tx)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", schema.version)?;
    Ok(tx.commit()?)
}
