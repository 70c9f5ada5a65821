//! The database: one SQLite file, one writer thread and a pool of read connections. The only module with SQL.
//!
//! Returns model types; must not depend on how chat uses them or on any wire format. A write is answered when it is on
//! disk; see [`Ticket`] for the order of answers.

mod admin_stats;
mod admin_user_list;
mod attachments;
mod backup;
mod checkpoint;
mod disk_space;
mod draft_file;
mod error;
mod file_chunks;
mod file_identity;
mod files;
mod generation;
mod health;
mod ids;
mod invites;
mod job;
mod lock;
mod look_alikes;
mod members;
mod message_changes;
mod message_notifications;
mod messages;
mod migrate;
mod notifications;
mod open;
mod paths;
mod reactions;
mod read_pool;
mod read_shares;
mod recovery;
mod restore;
mod rooms;
mod rows;
mod sanctions;
mod schema;
mod search;
mod search_index;
mod sessions;
mod settings;
#[cfg(test)]
mod tests;
mod url_cleanup;
mod user_lists;
mod user_stats;
mod users;
mod vacuum;
mod wal;
mod wal_file;
mod write_connection;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::model::UserId;

pub use admin_stats::{RoomSummary, ServerStats};
pub use admin_user_list::UserUsage;
pub use attachments::FILE_LIST_MAX;
pub use backup::{Stop, backup};
pub use error::StoreError;
pub use file_chunks::{CHUNK, Shown, StoredFile};
pub use files::{Facts, Finished, NewFile};
pub use invites::{CodeHash, NewInvite};
pub use job::Ticket;
pub use members::{Admission, UNREAD_MAX};
pub use message_changes::{Changed, NewChange};
pub use message_notifications::{Alerted, Alerts, Rest, Written};
pub use messages::{Appended, NewMessage};
pub use notifications::RoomNotice;
pub use restore::{Restored, restore};
pub use search::{SearchHit, SearchPage, SearchRequest, SearchRoom};
pub use sessions::{CheckedHash, NewSession, Opened, Rotation, Session};
pub use user_stats::UserStats;
pub use users::{Guarded, NewUser};

use health::Health;
use ids::{Ids, Reservation};
use job::{Tx, Undo};
use read_pool::Readers;
use read_shares::{Lane, Lanes};
use schema::Schema;
use writer::Command;

/// Schema version that this program reads and writes.
pub const SCHEMA_VERSION: i32 = schema::CURRENT.version;

/// Timeout of each of the two halves of [`Store::ready`].
const READY: Duration = Duration::from_secs(2);

/// Busy timeout of a server while a command writes to the same file.
const BRIEF: Duration = Duration::from_secs(5);
/// Busy timeout of such a command: a busy server leaves only short gaps between transactions.
const PATIENT: Duration = Duration::from_secs(30);

/// Options of [`Store::open`].
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Migrates without copying the file first.
    pub no_backup: bool,
    /// Works beside the server that owns the file: takes no lock, creates and migrates nothing.
    pub beside_server: bool,
    /// Refuses an older file with [`StoreError::Outdated`] instead of migrating it.
    pub keep_version: bool,
    /// Stops a migration early; the file then has the version before or after one of its steps.
    pub stop: Stop,
}

/// Handle to an open database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// Read share of an account; `None` for reads that are not limited per account.
    lane: Option<Lane>,
}

struct Shared {
    path: PathBuf,
    // Dropped before the queue: when the queue closes, the writer ends and releases the lock.
    readers: Arc<Readers>,
    lanes: Lanes,
    health: Health,
    queue: mpsc::Sender<Command>,
    /// Limits a commit to one chunk of a file: the messages in the same commit wait for all of it.
    chunks: Semaphore,
    ids: Ids,
    foreign_changes: watch::Receiver<u64>,
}

impl Store {
    /// Opens the database at `path`, creating or migrating it if needed, and owns it until [`Store::close`]. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another process owns it; [`StoreError::Newer`], [`StoreError::Foreign`],
    /// [`StoreError::Torn`], [`StoreError::ForeignLog`], [`StoreError::LoneLog`] and [`StoreError::Unfit`] for a file
    /// that this program must not write (it is not changed); [`StoreError::Older`] for one that needs a migration while
    /// working beside a server; [`StoreError::NoRoom`] if the disk is too full; and I/O errors.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        Self::open_as(path, options, &schema::CURRENT)
    }

    fn open_as(path: &Path, options: &OpenOptions, schema: &Schema) -> Result<Self, StoreError> {
        let path = paths::resolve(path)?;
        let (lock, conn) = open::open(&path, options, schema)?;
        let health = Health::default();
        let (reservation, readers) = match &conn {
            Ok(conn) => (
                Reservation::open(conn)?,
                Readers::open(&path, read_pool::LIMIT, health.clone())?,
            ),
            Err(_) => (
                open::reserved(&path, schema)?,
                Readers::open_alone(&path, health.clone())?,
            ),
        };
        let ids = reservation.ids();
        let readers = Arc::new(readers);
        let parts = writer::Parts {
            conn,
            reservation,
            lock,
            health: health.clone(),
            readers: Arc::downgrade(&readers),
        };
        let writer = writer::start(&path, parts)?;
        Ok(Self {
            shared: Arc::new(Shared {
                path,
                queue: writer.queue,
                readers,
                lanes: Lanes::default(),
                health,
                chunks: Semaphore::new(1),
                ids,
                foreign_changes: writer.foreign_changes,
            }),
            lane: None,
        })
    }

    /// Returns a handle to the same database whose reads use the share of an account: excess reads wait for each other.
    #[must_use]
    pub fn on_behalf_of(&self, account: UserId) -> Self {
        Self {
            shared: self.shared.clone(),
            lane: Some(self.shared.lanes.of(account)),
        }
    }

    /// Returns the absolute path of the database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Returns a message or change id that was never used.
    #[must_use]
    pub fn next_id(&self) -> i64 {
        self.shared.ids.next()
    }

    /// Returns a counter that rises when another process changes the database; at most four times a second.
    #[must_use]
    pub fn foreign_changes(&self) -> watch::Receiver<u64> {
        self.shared.foreign_changes.clone()
    }

    /// Reports known faults of the database, without any I/O: of the last commit, of the last checkpoint, damage that a
    /// query met, a missing file.
    ///
    /// # Errors
    ///
    /// The most severe fault.
    pub fn check(&self) -> Result<(), StoreError> {
        self.shared.health.check()
    }

    /// Checks that the database can be read and written now: runs a query and rewrites one page unchanged.
    ///
    /// # Errors
    ///
    /// The fault that prevents it; [`StoreError::Timeout`] if there is no answer within seconds.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let read = self.read(|conn| Ok(conn.query_row("SELECT 1", [], |_| Ok(()))?));
        timeout(READY, read)
            .await
            .unwrap_or(Err(StoreError::Timeout))?;
        let write = self.write(|tx| schema::touch(tx));
        timeout(READY, write)
            .await
            .unwrap_or(Err(StoreError::Timeout))?;
        self.check()
    }

    /// Releases the memory that earlier reads left in caches, unless reads are running.
    pub async fn release_memory(&self) {
        self.shared.readers.release_memory().await;
    }

    /// Returns the error for a full disk, with the space that must be free before the database can be opened again.
    #[must_use]
    pub fn full_disk(&self) -> StoreError {
        disk_space::needed_to_open(&self.shared.path)
    }

    /// Finishes the queued jobs, checkpoints the WAL into the file and releases the lock. Later calls fail with
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        self.shared.readers.close().await;
        let (closer, closed) = oneshot::channel();
        if self.shared.queue.send(Command::Close(closer)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

impl Store {
    /// Runs `query` on one snapshot of the database. Interrupts it after two seconds ([`StoreError::Timeout`]), and at
    /// once when the caller is dropped.
    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let _turn = match &self.lane {
            Some(lane) => Some(lane.turn().await?),
            None => None,
        };
        self.shared.readers.read(query).await
    }

    /// Runs `job` in the writer's next transaction and returns when it is on disk. A job that fails undoes only itself.
    async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.submit(job).await.await
    }

    /// Like [`Store::write`], but waits only until the job is queued.
    async fn submit<T, F>(&self, job: F) -> Ticket<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(job::new(Undo::Savepoint, job)).await
    }

    /// Like [`Store::submit`], but without the cost of a savepoint, for a job that changes rows with a single
    /// statement.
    async fn append<T, F>(&self, job: F) -> Ticket<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(job::new(Undo::Statement, job)).await
    }

    async fn queue<T>(&self, (job, ticket): (Box<dyn job::Work>, Ticket<T>)) -> Ticket<T> {
        // A closed queue drops the job, and the ticket then reports that.
        let _ = self.shared.queue.send(Command::Job(job)).await;
        ticket
    }
}

/// Returns the version of the bundled SQLite.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
