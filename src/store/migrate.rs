//! Migrates a database to the newest schema version, after copying the file. Must not depend on the steps.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::backup;
use super::error::StoreError;
use super::schema::Schema;
use super::{OpenOptions, disk_space, paths, wal};

/// First version whose files overwrite deleted content. Older files are rewritten with VACUUM, so that nothing deleted
/// before stays in them.
const OVERWRITES_SINCE: i32 = 4;

#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// Version of the file after the step.
    pub(super) to: i32,
    pub(super) step: Step,
}

/// Work of a migration, run inside its transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Sql(&'static str),
    /// For steps that SQL cannot express.
    Code(fn(&Connection) -> Result<(), StoreError>),
}

/// Migrates the file at `path` from version `from` to the newest, with one transaction per step.
///
/// # Errors
///
/// [`StoreError::Stopped`] if a stop is requested; the step under way is rolled back.
pub(super) fn run(
    conn: &mut Connection,
    path: &Path,
    from: i32,
    schema: &Schema,
    options: &OpenOptions,
) -> Result<(), StoreError> {
    options.stop.interrupts(conn)?;
    let done = migrate(conn, path, from, schema, options);
    conn.progress_handler(0, None::<fn() -> bool>)?;
    match done {
        // An interruption by a stop looks like a query that took too long.
        Err(StoreError::Timeout) => options.stop.check().and(Err(StoreError::Timeout)),
        done => done,
    }
}

fn migrate(
    conn: &mut Connection,
    path: &Path,
    from: i32,
    schema: &Schema,
    options: &OpenOptions,
) -> Result<(), StoreError> {
    let (to, backup) = (schema.version, !options.no_backup);
    tracing::info!(from, to, "the database is being migrated");
    disk_space::check_for_migration(conn, path, backup, paths::free_space(path)?)?;
    if backup {
        let copy = paths::beside(path, &format!(".v{from}.bak"));
        backup::copy(conn, &copy, true, &options.stop)?;
        tracing::info!(path = %copy.display(), "backed up the database before the migration");
    }
    // Tables are rebuilt by dropping the old one, which must not cascade.
    conn.pragma_update(None, "foreign_keys", false)?;
    for migration in schema.migrations.iter().filter(|m| m.to > from) {
        options.stop.check()?;
        apply(conn, path, migration)?;
        // Each step starts with an empty WAL, so that it needs no disk space for those before it.
        wal::try_empty(conn);
        tracing::info!(version = migration.to, "migrated");
    }
    conn.pragma_update(None, "foreign_keys", true)?;
    if from < OVERWRITES_SINCE {
        // Nothing depends on it, so a full disk must not keep the server from starting.
        if let Err(error) = conn.execute_batch("VACUUM") {
            tracing::warn!(%error, "data deleted before the migration is still in the file");
        }
        wal::try_empty(conn);
    }
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
