//! Returns unused pages to the file system. Must not depend on the tables.

use rusqlite::Connection;

use super::{Store, StoreError};

/// Free pages that stay in the file for later writes: 1 MiB.
const KEPT: u32 = 256;
/// Pages released per transaction: the messages in the same transaction wait for all of them.
const AT_ONCE: u32 = 256;

impl Store {
    /// Shortens the file by some of its free pages; returns `true` if there are more.
    pub async fn shrink(&self) -> Result<bool, StoreError> {
        self.write(|tx| shrink(tx)).await
    }
}

fn shrink(tx: &Connection) -> Result<bool, StoreError> {
    let free: u32 = tx.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    let surplus = free.saturating_sub(KEPT);
    if surplus == 0 {
        return Ok(false);
    }
    let mut vacuum = tx.prepare(&format!(
        "PRAGMA incremental_vacuum({})",
        surplus.min(AT_ONCE)
    ))?;
    // Each row releases one page.
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(surplus > AT_ONCE)
}
