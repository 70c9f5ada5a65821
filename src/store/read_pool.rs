//! Pool of read-only connections beside the writer. Must not depend on the tables.

use std::iter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::error::StoreError;
use super::health::Health;
use super::schema::{self, use_no_temporary_files};
use super::write_connection::keep_plans;

const CONNECTIONS: u32 = 4;
/// Longest wait of a read for a connection.
const WAIT: Duration = Duration::from_secs(2);
/// Longest run time of a read.
pub(super) const LIMIT: Duration = Duration::from_secs(2);
/// SQLite VM instructions between two looks at the clock: some 10 µs.
const STEPS: i32 = 1000;

type Pool = r2d2::Pool<SqliteConnectionManager>;

pub(super) struct Readers {
    /// Taken before a blocking thread, so that no more threads wait than there are connections.
    permits: Arc<Semaphore>,
    pool: Mutex<Option<Pool>>,
    path: PathBuf,
    limit: Duration,
    health: Health,
}

impl Readers {
    /// Opens the connections. The file must be in WAL mode already.
    pub(super) fn open(path: &Path, limit: Duration, health: Health) -> Result<Self, StoreError> {
        Self::over(path, limit, health, builder().build(manager(path)))
    }

    /// Opens a single connection while the file cannot be written: see [`open_alone`].
    pub(super) fn open_alone(path: &Path, health: Health) -> Result<Self, StoreError> {
        let pool = builder().max_size(1).build(manager_alone(path));
        Self::over(path, LIMIT, health, pool)
    }

    fn over(
        path: &Path,
        limit: Duration,
        health: Health,
        pool: Result<Pool, r2d2::Error>,
    ) -> Result<Self, StoreError> {
        let pool = pool.map_err(|e| unavailable(&e))?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(CONNECTIONS as usize)),
            pool: Mutex::new(Some(pool)),
            path: path.to_owned(),
            limit,
            health,
        })
    }

    /// Runs `query` on one snapshot of the database. Interrupts it after the time limit, and at once when the caller is
    /// dropped.
    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = timeout(WAIT, Arc::clone(&self.permits).acquire_owned());
        let permit = permit.await.map_err(|_| StoreError::Busy)?;
        let permit = permit.map_err(|_| StoreError::Closed)?;
        let pool = self.pool()?;
        let (limit, health) = (self.limit, self.health.clone());
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let task = spawn_blocking(move || {
            // Released last, when the connection is in the pool again.
            let _permit = permit;
            let conn = pool.get().map_err(|e| unavailable(&e))?;
            drop(pool);
            bounded(&conn, limit, gone, query).inspect_err(|error| health.note_damage(error))
        });
        match task.await {
            Ok(result) => result,
            Err(e) if e.is_panic() => Err(StoreError::Internal("a query panicked")),
            Err(_) => Err(StoreError::Closed),
        }
    }

    /// Waits for running reads and closes the connections. New reads wait until [`Readers::resume`]. `None` if the pool
    /// was closed.
    pub(super) async fn pause(&self) -> Option<SemaphorePermit<'_>> {
        let all = self.permits.acquire_many(CONNECTIONS).await.ok()?;
        self.lock_pool().take();
        Some(all)
    }

    /// Opens the connections again, each as soon as possible; see [`open_alone`] for `alone`.
    pub(super) fn resume(&self, all: SemaphorePermit<'_>, alone: bool) {
        let pool = match alone {
            true => builder()
                .max_size(1)
                .build_unchecked(manager_alone(&self.path)),
            false => builder().build_unchecked(manager(&self.path)),
        };
        *self.lock_pool() = Some(pool);
        drop(all);
    }

    /// Releases the memory of the connections' caches, unless a read is running.
    pub(super) async fn release_memory(&self) {
        let Ok(all) = Arc::clone(&self.permits).try_acquire_many_owned(CONNECTIONS) else {
            return;
        };
        let Ok(pool) = self.pool() else { return };
        let task = spawn_blocking(move || {
            let _all = all;
            // Takes all connections before returning the first, so that each is taken once.
            let connections: Vec<_> = iter::from_fn(|| pool.try_get()).collect();
            for conn in &connections {
                conn.flush_prepared_statement_cache();
                if let Err(error) = conn.execute_batch("PRAGMA shrink_memory") {
                    tracing::debug!(%error, "cannot release a connection's memory");
                }
            }
        });
        if let Err(error) = task.await {
            tracing::warn!(%error, "cannot release the memory of the read connections");
        }
    }

    /// Waits for running reads, closes the connections and refuses further reads.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(CONNECTIONS).await {
            self.permits.close();
            drop(all);
        }
        self.lock_pool().take();
    }

    fn pool(&self) -> Result<Pool, StoreError> {
        self.lock_pool().clone().ok_or(StoreError::Closed)
    }

    fn lock_pool(&self) -> std::sync::MutexGuard<'_, Option<Pool>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Interrupts the query of a caller when dropped.
#[derive(Default)]
struct Caller {
    gone: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn builder() -> r2d2::Builder<SqliteConnectionManager> {
    r2d2::Pool::builder()
        .max_size(CONNECTIONS)
        .test_on_check_out(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_timeout(WAIT)
}

fn manager(path: &Path) -> SqliteConnectionManager {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    SqliteConnectionManager::file(path)
        .with_flags(flags)
        .with_init(configure)
}

fn manager_alone(path: &Path) -> SqliteConnectionManager {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    SqliteConnectionManager::file(path)
        .with_flags(flags)
        .with_init(|conn| {
            prepare_alone(conn)?;
            configure(conn)
        })
}

/// Opens a connection that reads while a full disk has no space for the WAL index (`-shm`). It keeps the index in
/// memory and, since no other process could see it there, locks the file exclusively.
pub(super) fn open_alone(path: &Path) -> Result<Connection, StoreError> {
    let mut conn = schema::open_existing(path)?;
    prepare_alone(&conn)?;
    configure(&mut conn)?;
    Ok(conn)
}

fn prepare_alone(conn: &Connection) -> rusqlite::Result<()> {
    schema::prepare(conn)?;
    conn.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))
}

fn configure(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(1))?;
    conn.set_prepared_statement_cache_capacity(128);
    keep_plans(conn)?;
    use_no_temporary_files(conn)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    // Opens the WAL too: if it were removed before the first read, that read would create another one.
    conn.query_row("PRAGMA schema_version", [], |_| Ok(()))
}

fn bounded<T, F>(
    conn: &Connection,
    limit: Duration,
    gone: Arc<AtomicBool>,
    query: F,
) -> Result<T, StoreError>
where
    F: FnOnce(&Connection) -> Result<T, StoreError>,
{
    let deadline = Instant::now() + limit;
    let enough = move || gone.load(Ordering::Relaxed) || Instant::now() >= deadline;
    conn.progress_handler(STEPS, Some(enough))?;
    let snapshot = conn.unchecked_transaction()?;
    let result = query(&snapshot);
    // A read has nothing to commit.
    drop(snapshot);
    conn.progress_handler(0, None::<fn() -> bool>)?;
    result
}

fn unavailable(error: &r2d2::Error) -> StoreError {
    tracing::error!(%error, "no read connection available");
    StoreError::Busy
}
