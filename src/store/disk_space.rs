//! Disk space needed by long operations, so that they are refused before they begin.

use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::{paths, wal_file};

/// Bytes for what cannot be counted: folders, the WAL index, file system overhead.
const SLACK: u64 = 1 << 20;

/// Refuses a migration unless it fits on the disk: the copy that is made first plus a tenth, the WAL, which receives
/// every changed page, and as much again for the growth of the file when the WAL is checkpointed. Uploaded files are
/// never rewritten.
pub(super) fn check_for_migration(
    conn: &Connection,
    path: &Path,
    backup: bool,
    free: u64,
) -> Result<(), StoreError> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u32>(0));
    let size = u64::from(number("PRAGMA page_count")?) * u64::from(number("PRAGMA page_size")?);
    let rewritten = size.saturating_sub(file_contents(conn)?);
    let copy = if backup { size + size / 10 } else { 0 };
    let needed = copy + 2 * rewritten + SLACK;
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::NoRoom {
        what: format!("bringing {} up to date", path.display()),
        needed,
        free,
        mend: if backup {
            "make room, or use --no-backup to do without a copy"
        } else {
            "make room"
        },
    })
}

/// Returns the total size of uploaded files in bytes.
fn file_contents(conn: &Connection) -> Result<u64, StoreError> {
    let has = "SELECT count(*) FROM sqlite_schema WHERE name = 'file_contents'";
    if conn.query_row(has, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(0);
    }
    // SQLite knows the length of a blob without reading it.
    let sum = "SELECT coalesce(sum(length(bytes)), 0) FROM file_contents";
    let bytes: i64 = conn.query_row(sum, [], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// Returns the error for a database that cannot be opened on a full disk, with the space needed to checkpoint its WAL.
pub(super) fn needed_to_open(path: &Path) -> StoreError {
    let log = wal_file::read(&paths::beside(path, "-wal"), |_| Vec::new(), 0);
    let after = log.ok().flatten().map_or(0, |log| log.database_size);
    let grows = after.saturating_sub(paths::size(path).unwrap_or(0));
    StoreError::NoRoom {
        what: format!("opening {}", path.display()),
        needed: grows + SLACK,
        free: paths::free_space(path).unwrap_or(0),
        mend: "make room and start again, nothing is lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_needs_space_for_the_copy_and_rewritten_tables() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "PRAGMA page_size = 4096; CREATE TABLE a (a);
             CREATE TABLE file_contents (bytes BLOB); INSERT INTO file_contents VALUES (zeroblob(1000000))",
        )
        .unwrap();
        let pages: u32 = conn
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let size = u64::from(pages) * 4096;
        let rest = 2 * (size - 1_000_000) + SLACK;
        let path = Path::new("/srv/chat.db");
        for (backup, needed) in [(true, size + size / 10 + rest), (false, rest)] {
            assert!(check_for_migration(&conn, path, backup, needed).is_ok());
            let refused = check_for_migration(&conn, path, backup, needed - 1).unwrap_err();
            let figures = format!(
                "bringing /srv/chat.db up to date needs {needed} bytes free, there are {}: make room",
                needed - 1
            );
            assert!(refused.to_string().starts_with(&figures), "{refused}");
        }
    }
}
