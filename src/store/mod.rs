//! The only SQL: one SQLite file, one thread that writes it, a few connections that read it. Hands
//! out model types; must not know what chat does with them, nor any wire format.
//!
//! An answer to a write means: on disk. See [`Ticket`] for the order of answers.

mod addresses;
mod alerts;
mod backup;
mod census;
mod changes;
mod checkpoint;
mod contents;
mod directory;
mod draft;
mod error;
mod files;
mod generation;
mod health;
mod identity;
mod ids;
mod invites;
mod job;
mod lanes;
mod link;
mod lock;
mod log_file;
mod members;
mod messages;
mod migrate;
mod names;
mod notifications;
mod open;
mod paths;
mod placed;
mod reactions;
mod readers;
mod recovery;
mod restore;
mod rooms;
mod roster;
mod rows;
mod sanctions;
mod schema;
mod search;
mod sessions;
mod settings;
mod space;
mod tally;
#[cfg(test)]
mod tests;
mod users;
mod vacuum;
mod wal;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::model::UserId;

pub use alerts::{Alerted, Alerts, Rest, Written};
pub use backup::{Stop, backup};
pub use census::{Census, RoomStanding};
pub use changes::{Changed, NewChange};
pub use contents::{CHUNK, Shown, StoredFile};
pub use error::StoreError;
pub use files::{Facts, Finished, NewFile};
pub use invites::{CodeHash, NewInvite};
pub use job::Ticket;
pub use members::{Admission, UNREAD_MAX};
pub use messages::{Appended, NewMessage};
pub use notifications::RoomNotice;
pub use placed::FILE_LIST_MAX;
pub use restore::{Restored, restore};
pub use roster::Standing;
pub use search::{SearchHit, SearchPage, SearchRequest, SearchRoom};
pub use sessions::{CheckedHash, NewSession, Opened, Rotation, Session};
pub use tally::Tally;
pub use users::{Guarded, NewUser};

use health::Health;
use ids::{Ids, Reservation};
use job::{Tx, Undo};
use lanes::{Lane, Lanes};
use readers::Readers;
use schema::Schema;
use writer::Command;

/// The version of the schema that this program reads and writes.
pub const SCHEMA_VERSION: i32 = schema::CURRENT.version;

/// How long [`Store::ready`] waits for each half of its answer.
const READY: Duration = Duration::from_secs(2);

/// How long a server waits for a command that writes beside it.
const BRIEF: Duration = Duration::from_secs(5);
/// How long such a command waits for its turn: a busy server leaves only short gaps.
const PATIENT: Duration = Duration::from_secs(30);

/// How to open a database.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Migrate without making a copy of the file first.
    pub no_backup: bool,
    /// Work beside the server that owns the file: take no lock, create and migrate nothing.
    pub beside_server: bool,
    /// Refuse an older file with [`StoreError::Outdated`] rather than migrate it.
    pub keep_version: bool,
    /// Ends a migration early; the file then has the version before or after one of its steps.
    pub stop: Stop,
}

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// For whom it reads.
    lane: Option<Lane>,
}

struct Shared {
    path: PathBuf,
    // Dropped before the queue: the writer ends with that, and gives up the lock.
    readers: Arc<Readers>,
    lanes: Lanes,
    health: Health,
    queue: mpsc::Sender<Command>,
    /// For pieces of files, so that no commit has more than one: the messages beside it wait for all of it.
    chunks: Semaphore,
    ids: Ids,
    foreign_changes: watch::Receiver<u64>,
}

impl Store {
    /// Opens the database at `path`, which is created or migrated first where that is needed, and
    /// owned until [`Store::close`]. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process owns it, [`StoreError::Newer`], [`StoreError::Foreign`],
    /// [`StoreError::Torn`], [`StoreError::ForeignLog`], [`StoreError::LoneLog`] and [`StoreError::Unfit`] for a file that
    /// this program must not write (it was not touched), [`StoreError::Older`] for one that must be migrated when
    /// working beside a server, [`StoreError::NoRoom`] if the disk is too full, and I/O errors.
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
                Readers::open(&path, readers::LIMIT, health.clone())?,
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

    /// The same database, read within the share of an account: what is too much of it waits for itself.
    #[must_use]
    pub fn on_behalf_of(&self, account: UserId) -> Self {
        Self {
            shared: self.shared.clone(),
            lane: Some(self.shared.lanes.of(account)),
        }
    }

    /// The database's absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// A message or change id that nothing ever had.
    #[must_use]
    pub fn next_id(&self) -> i64 {
        self.shared.ids.next()
    }

    /// Counts up whenever another process changed the database; at most four times a second.
    #[must_use]
    pub fn foreign_changes(&self) -> watch::Receiver<u64> {
        self.shared.foreign_changes.clone()
    }

    /// What is known to be wrong with the database, without looking: the outcome of the last commit and of the last
    /// move of the log, damage that a query met, a file that is gone.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        self.shared.health.check()
    }

    /// Whether the database can be read and written now: reads, and writes one page as it is.
    ///
    /// # Errors
    /// What keeps it from working; [`StoreError::Timeout`] if there is no answer within seconds.
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

    /// Gives back the memory that earlier reads left in caches, unless reads are running.
    pub async fn release_memory(&self) {
        self.shared.readers.release_memory().await;
    }

    /// Why nothing works on a full disk: says how much must be free before the database can be opened again.
    #[must_use]
    pub fn full_disk(&self) -> StoreError {
        space::needed_to_open(&self.shared.path)
    }

    /// Finishes what is queued, empties the log into the file and gives up the lock. Later calls of
    /// anything answer [`StoreError::Closed`].
    pub async fn close(&self) {
        self.shared.readers.close().await;
        let (closer, closed) = oneshot::channel();
        if self.shared.queue.send(Command::Close(closer)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

impl Store {
    /// Runs `query` on one snapshot of the database. Interrupted after two seconds
    /// ([`StoreError::Timeout`]), and at once when the caller goes away.
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

    /// Runs `job` in the writer's next transaction and answers when it is on disk. A job that fails
    /// undoes only itself.
    async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.submit(job).await.await
    }

    /// Like [`Store::write`], but only waits for room in the queue.
    async fn submit<T, F>(&self, job: F) -> Ticket<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(job::new(Undo::Savepoint, job)).await
    }

    /// Like [`Store::submit`] without the cost of a savepoint, for a job that changes rows with one
    /// statement only.
    async fn append<T, F>(&self, job: F) -> Ticket<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(job::new(Undo::Statement, job)).await
    }

    async fn queue<T>(&self, (job, ticket): (Box<dyn job::Work>, Ticket<T>)) -> Ticket<T> {
        // A closed queue drops the job, and the ticket then says so.
        let _ = self.shared.queue.send(Command::Job(job)).await;
        ticket
    }
}

/// The version of the SQLite that is built in.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
