//! The single counter for ids. Must not depend on what the ids identify.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;

/// Ids per reservation.
const BLOCK: i64 = 10_000;

/// When fewer reserved ids than this are left, the next commit reserves more. Large enough that a full queue never
/// draws an id that another process could reserve.
const LOW: i64 = 5_000;

/// Hands out ids to any task: each once, ascending.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    next: Arc<AtomicI64>,
}

impl Ids {
    /// Returns the next id; any later commit may store it.
    pub(super) fn next(&self) -> i64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// The writer's side: keeps `settings.next_id` above every id that reaches the disk.
#[derive(Debug)]
pub(super) struct Reservation {
    next: Arc<AtomicI64>,
    bound: i64,
}

impl Reservation {
    /// Starts at the id in the file; nothing is reserved yet.
    pub(super) fn open(conn: &Connection) -> Result<Self, StoreError> {
        let start = persisted(conn)?;
        Ok(Self {
            next: Arc::new(AtomicI64::new(start)),
            bound: start,
        })
    }

    /// Returns the counter that this reservation covers.
    pub(super) fn ids(&self) -> Ids {
        Ids {
            next: Arc::clone(&self.next),
        }
    }

    /// Reserves more ids if few are left; must be called last in a transaction. Pass the result to
    /// [`Reservation::committed`] if, and only if, the commit succeeds.
    pub(super) fn extend(&self, tx: &Connection) -> Result<i64, StoreError> {
        if self.next.load(Ordering::Relaxed) <= self.bound - LOW {
            return Ok(self.bound);
        }
        let persisted = persisted(tx)?;
        if persisted > self.bound {
            // Another process reserved the ids after ours: skip them.
            self.next.fetch_max(persisted, Ordering::Relaxed);
        }
        let bound = self.next.load(Ordering::Relaxed).max(persisted) + BLOCK;
        persist(tx, bound)?;
        Ok(bound)
    }

    /// Records that the transaction that reserved up to `bound` is on disk.
    pub(super) fn committed(&mut self, bound: i64) {
        self.bound = bound;
    }

    /// Returns reserved ids that were not used, unless another process reserved ids after them.
    pub(super) fn give_back(&self, tx: &Connection) -> Result<(), StoreError> {
        let next = self.next.load(Ordering::Relaxed);
        if next < self.bound && persisted(tx)? == self.bound {
            persist(tx, next)?;
        }
        Ok(())
    }
}

/// Writes the first id into a new file.
pub(super) fn create(tx: &Connection) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO settings (key, value) VALUES ('next_id', 1) ON CONFLICT DO NOTHING",
        [],
    )
    .map(drop)
}

fn persisted(conn: &Connection) -> Result<i64, StoreError> {
    let mut read =
        conn.prepare_cached("SELECT CAST(value AS INTEGER) FROM settings WHERE key = 'next_id'")?;
    let found: Option<i64> = read.query_row([], |row| row.get(0)).optional()?;
    found
        .filter(|next| *next > 0)
        .ok_or(StoreError::Internal("settings.next_id is missing"))
}

fn persist(tx: &Connection, bound: i64) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE settings SET value = ?1 WHERE key = 'next_id'")?
        .execute([bound])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY) STRICT")
            .unwrap();
        create(&conn).unwrap();
        conn
    }

    fn reserved(conn: &Connection) -> Reservation {
        let mut reservation = Reservation::open(conn).unwrap();
        let bound = reservation.extend(conn).unwrap();
        reservation.committed(bound);
        reservation
    }

    #[test]
    fn the_persisted_bound_is_always_ahead_of_the_ids() {
        let conn = file();
        let mut reservation = reserved(&conn);
        let ids = reservation.ids();
        for _ in 0..50 {
            let last = (0..999).map(|_| ids.next()).max().unwrap();
            let bound = reservation.extend(&conn).unwrap();
            reservation.committed(bound);
            assert!(persisted(&conn).unwrap() > last);
        }
    }

    #[test]
    fn a_second_process_gets_ids_of_its_own() {
        let conn = file();
        let (mut ours, theirs) = (reserved(&conn), reserved(&conn));
        let foreign = theirs.ids().next();
        let mut seen = Vec::new();
        for _ in 0..20_000 {
            seen.push(ours.ids().next());
            let bound = ours.extend(&conn).unwrap();
            ours.committed(bound);
        }
        assert!(!seen.contains(&foreign));
        assert!(seen.is_sorted() && seen.contains(&20_001));
    }

    #[test]
    fn only_the_last_reservation_is_given_back() {
        let conn = file();
        let (first, second) = (reserved(&conn), reserved(&conn));
        first.ids().next();
        second.ids().next();
        first.give_back(&conn).unwrap();
        assert_eq!(persisted(&conn).unwrap(), 20_001);
        second.give_back(&conn).unwrap();
        assert_eq!(persisted(&conn).unwrap(), 10_002);
    }
}
