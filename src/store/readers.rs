//! A few read-only connections beside the writer. Must not know tables.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::error::StoreError;
use super::schema::use_no_temporary_files;
use super::writer::keep_plans;

const CONNECTIONS: u32 = 4;
/// How long a read may wait for a connection.
const WAIT: Duration = Duration::from_secs(2);
/// How long a read may run.
pub(super) const LIMIT: Duration = Duration::from_secs(2);
/// Instructions of SQLite's machine between two looks at the clock: some 10 µs.
const STEPS: i32 = 1000;

type Pool = r2d2::Pool<SqliteConnectionManager>;

/// The pool of connections that only read.
pub(super) struct Readers {
    /// Before the blocking threads, so that no more of these wait than can work.
    permits: Arc<Semaphore>,
    pool: Mutex<Option<Pool>>,
    limit: Duration,
}

impl Readers {
    /// Opens the connections; the file must be in WAL mode already.
    pub(super) fn open(path: &Path, limit: Duration) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager = SqliteConnectionManager::file(path)
            .with_flags(flags)
            .with_init(configure);
        let pool = r2d2::Pool::builder()
            .max_size(CONNECTIONS)
            .test_on_check_out(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .connection_timeout(WAIT)
            .build(manager)
            .map_err(|e| unavailable(&e))?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(CONNECTIONS as usize)),
            pool: Mutex::new(Some(pool)),
            limit,
        })
    }

    /// Runs `query` on one snapshot of the database; interrupted after the limit, and at once when
    /// the caller goes away.
    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = timeout(WAIT, Arc::clone(&self.permits).acquire_owned());
        let permit = permit.await.map_err(|_| StoreError::Busy)?;
        let permit = permit.map_err(|_| StoreError::Closed)?;
        let pool = self.pool()?;
        let limit = self.limit;
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let task = spawn_blocking(move || {
            // Given back last, when the connection is in the pool again.
            let _permit = permit;
            let conn = pool.get().map_err(|e| unavailable(&e))?;
            drop(pool);
            bounded(&conn, limit, gone, query)
        });
        match task.await {
            Ok(result) => result,
            Err(e) if e.is_panic() => Err(StoreError::Internal("a query panicked")),
            Err(_) => Err(StoreError::Closed),
        }
    }

    /// Lets the running reads end and closes the connections.
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

/// Whoever waits for a read; dropping it interrupts the query.
#[derive(Default)]
struct Caller {
    gone: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn configure(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(1))?;
    conn.set_prepared_statement_cache_capacity(128);
    keep_plans(conn)?;
    use_no_temporary_files(conn)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")
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
    // A read has nothing to keep.
    drop(snapshot);
    conn.progress_handler(0, None::<fn() -> bool>)?;
    result
}

fn unavailable(error: &r2d2::Error) -> StoreError {
    tracing::error!(%error, "no connection to read with");
    StoreError::Busy
}
