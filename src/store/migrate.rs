//! From an earlier schema version to the newest, with a copy of the file made first. Must not know
//! what the steps do.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;
use super::schema::Schema;
use super::{backup, paths, wal};

/// One step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// The version the file has after it.
    pub(super) to: i32,
    /// What it does.
    pub(super) step: Step,
}

/// What a migration does, inside its transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Statements.
    Sql(&'static str),
    /// What SQL cannot say.
    Code(fn(&Connection) -> Result<(), StoreError>),
}

/// Brings the file at `path` from version `from` to the newest, each step in one transaction.
pub(super) fn run(
    conn: &mut Connection,
    path: &Path,
    from: i32,
    schema: &Schema,
    backup: bool,
) -> Result<(), StoreError> {
    let to = schema.version;
    tracing::info!(from, to, "the database is being migrated");
    if backup {
        let copy = paths::beside(path, &format!(".v{from}.bak"));
        room_for(conn, &copy, paths::free_space(path)?)?;
        backup::copy(conn, &copy)?;
        tracing::info!(path = %copy.display(), "the database was copied first");
    }
    // Tables are rebuilt by dropping the old one, which must not cascade.
    conn.pragma_update(None, "foreign_keys", false)?;
    for migration in schema.migrations.iter().filter(|m| m.to > from) {
        apply(conn, path, migration)?;
        tracing::info!(version = migration.to, "migrated");
    }
    conn.pragma_update(None, "foreign_keys", true)?;
    wal::try_empty(conn);
    Ok(())
}

fn apply(conn: &mut Connection, path: &Path, migration: &Migration) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match migration.step {
        Step::Sql(sql) => tx.execute_batch(sql)?,
        Step::Code(code) => code(&tx)?,
    }
    if tx.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            detail: format!("migration {} would leave dangling rows", migration.to),
        });
    }
    tx.pragma_update(None, "user_version", migration.to)?;
    Ok(tx.commit()?)
}

/// Refuses unless a copy of `conn` and a tenth more fit into `free` bytes.
fn room_for(conn: &Connection, copy: &Path, free: u64) -> Result<(), StoreError> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u32>(0));
    let size = u64::from(number("PRAGMA page_count")?) * u64::from(number("PRAGMA page_size")?);
    let needed = size + size / 10;
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::NoRoom {
        path: copy.to_owned(),
        needed,
        free,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_needs_a_tenth_more_than_the_file_has() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("PRAGMA page_size = 4096; CREATE TABLE a (a); CREATE TABLE b (b)")
            .unwrap();
        let copy = Path::new("chat.db.v1.bak");
        let needed = 3 * 4096 * 11 / 10;
        assert!(room_for(&conn, copy, needed).is_ok());
        let refused = room_for(&conn, copy, needed - 1).unwrap_err().to_string();
        assert!(
            refused.contains("needs 13516 bytes free, there are 13515"),
            "{refused}"
        );
    }
}
