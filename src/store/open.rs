//! Opens a database: checks the file, takes the lock, creates or migrates it. Must not depend on the tables.

use std::path::Path;

use rusqlite::Connection;

use super::draft_file::Draft;
use super::error::StoreError;
use super::ids::Reservation;
use super::lock::Lock;
use super::schema::{self, Found, Schema};
use super::{
    BRIEF, OpenOptions, PATIENT, disk_space, generation, migrate, paths, read_pool, wal_file,
    write_connection,
};

/// Lock (`None` beside a server) and connection. With a full disk the connection is an error: the file can be read, but
/// not written.
type Opened = (Option<Lock>, Result<Connection, StoreError>);

/// Opens the database at an absolute `path` for writing. The connection must be closed before the lock.
pub(super) fn open(
    path: &Path,
    options: &OpenOptions,
    schema: &Schema,
) -> Result<Opened, StoreError> {
    // Before the lock, which leaves a file behind.
    paths::refuse_other_names(path)?;
    schema::refuse_foreign(path, schema.version)?;
    if options.beside_server {
        return Ok((None, Ok(open_beside(path, schema)?)));
    }
    if options.keep_version {
        refuse_outdated(path, schema)?;
    }
    let mut lock = Lock::acquire(path)?;
    match open_owned(path, &mut lock, options, schema) {
        Ok(conn) => Ok((Some(lock), Ok(conn))),
        Err(StoreError::Full) if reserved(path, schema).is_ok() => {
            Ok((Some(lock), Err(StoreError::Full)))
        }
        Err(StoreError::Full) => Err(disk_space::needed_to_open(path)),
        Err(error) => Err(error),
    }
}

/// Reads the id reservation from a file of the newest version. Needs no free disk space.
pub(super) fn reserved(path: &Path, schema: &Schema) -> Result<Reservation, StoreError> {
    let conn = read_pool::open_alone(path)?;
    let version: i32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != schema.version {
        return Err(StoreError::Full);
    }
    Reservation::open(&conn)
}

fn open_owned(
    path: &Path,
    lock: &mut Lock,
    options: &OpenOptions,
    schema: &Schema,
) -> Result<Connection, StoreError> {
    schema::take_back(path, schema.version)?;
    schema::refuse_foreign(path, schema.version)?;
    generation::check(path)?;
    let version = match schema::inspect(path, schema.version)? {
        Found::Version(version) => version,
        Found::Nothing | Found::Torn => {
            create(path, lock, schema)?;
            schema.version
        }
    };
    paths::check_access(path, true)?;
    let mut conn = schema::open_existing(path)?;
    write_connection::configure(&conn, BRIEF)?;
    if version < schema.version {
        migrate::run(&mut conn, path, version, schema, options)?;
    }
    Ok(conn)
}

/// Runs before the lock is taken, so that nothing is left beside a refused file. A WAL left by a crash may hold a newer
/// version than the file, never an older one.
fn refuse_outdated(path: &Path, schema: &Schema) -> Result<(), StoreError> {
    match schema::inspect(path, schema.version)? {
        Found::Version(found) if found < schema.version => Err(StoreError::Outdated {
            path: path.to_owned(),
            found,
            known: schema.version,
        }),
        _ => Ok(()),
    }
}

fn open_beside(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    let found = match schema::inspect(path, schema.version)? {
        Found::Version(version) => version,
        Found::Nothing | Found::Torn => 0,
    };
    if found < schema.version {
        return Err(StoreError::Older {
            path: path.to_owned(),
            found,
            known: schema.version,
        });
    }
    paths::check_access(path, true)?;
    let conn = schema::open_existing(path)?;
    write_connection::configure(&conn, PATIENT)?;
    Ok(conn)
}

/// Creates a new database atomically, where there is no file or a file without any table.
fn create(path: &Path, lock: &mut Lock, schema: &Schema) -> Result<(), StoreError> {
    let log = paths::beside(path, "-wal");
    let found = wal_file::read(&log, |_| Vec::new(), 0).map_err(|e| StoreError::io(&log, e))?;
    if found.is_some_and(|log| log.frames > 0) {
        return Err(StoreError::LoneLog {
            db: path.to_owned(),
            log,
        });
    }
    let draft = Draft::create(path)?;
    let mut conn = schema::open_draft(draft.path())?;
    schema::create(&mut conn, schema)?;
    conn.close().map_err(|(_, e)| StoreError::from(e))?;
    paths::make_like(draft.file(), path).map_err(|e| StoreError::io(path, e))?;
    for suffix in ["-wal", "-shm", "-journal"] {
        paths::remove(&paths::beside(path, suffix))?;
    }
    lock.release_database();
    lock.take_database(draft.publish(path.exists())?);
    Ok(())
}
