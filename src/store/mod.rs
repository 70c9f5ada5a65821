//! The only SQL: one SQLite file, one thread that writes it, a few connections that read it. Hands
//! out model types; must not know what chat does with them, nor any wire format.
//!
//! An answer to a write means: on disk. See [`Ticket`] for the order of answers.

mod alerts;
mod backup;
mod census;
mod changes;
mod checkpoint;
mod contents;
mod directory;
mod error;
mod files;
mod health;
mod identity;
mod ids;
mod invites;
mod job;
mod link;
mod lock;
mod members;
mod messages;
mod migrate;
mod notifications;
mod paths;
mod placed;
mod reactions;
mod readers;
mod recovery;
mod rooms;
mod roster;
mod rows;
mod schema;
mod search;
mod sessions;
mod settings;
mod tally;
#[cfg(test)]
mod tests;
mod users;
mod wal;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

pub use alerts::{Alerted, Alerts};
pub use backup::backup;
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
pub use roster::Standing;
pub use search::{SearchHit, SearchPage, SearchRequest, SearchRoom};
pub use sessions::{NewSession, Rotation, Session};
pub use tally::Tally;
pub use users::{Guarded, NewUser};

use health::Health;
use ids::{Ids, Reservation};
use job::{Tx, Undo};
use lock::Lock;
use readers::Readers;
use schema::{Found, Schema};
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
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions {
    /// Migrate without making a copy of the file first.
    pub no_backup: bool,
    /// Work beside the server that owns the file: take no lock, create and migrate nothing.
    pub beside_server: bool,
}

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    queue: mpsc::Sender<Command>,
    readers: Arc<Readers>,
    health: Health,
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
    /// [`StoreError::Locked`] if another process owns it, [`StoreError::Newer`] and
    /// [`StoreError::Foreign`] for a file that this program must not write (it was not touched),
    /// [`StoreError::Older`] for one that must be migrated when working beside a server,
    /// [`StoreError::NoRoom`] if a migration cannot make its copy, and I/O errors.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        Self::open_as(path, options, &schema::CURRENT)
    }

    fn open_as(path: &Path, options: &OpenOptions, schema: &Schema) -> Result<Self, StoreError> {
        let path = paths::resolve(path)?;
        // Before the lock, which leaves a file behind; and again under it.
        schema::inspect(&path, schema.version)?;
        let lock = match options.beside_server {
            true => None,
            false => Some(Lock::acquire(&path)?),
        };
        let health = Health::default();
        let (conn, reservation, readers) = match connect(&path, options, schema) {
            Ok(conn) => {
                let reservation = Reservation::open(&conn)?;
                let readers = Readers::open(&path, readers::LIMIT, health.clone())?;
                (Ok(conn), reservation, readers)
            }
            // Reading needs less room than writing, and there may be room soon.
            Err(StoreError::Full) if lock.is_some() => {
                let reservation = reserved(&path, schema).map_err(|_| StoreError::Full)?;
                let readers = Readers::open_alone(&path, health.clone())?;
                (Err(StoreError::Full), reservation, readers)
            }
            Err(error) => return Err(error),
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
                health,
                chunks: Semaphore::new(1),
                ids,
                foreign_changes: writer.foreign_changes,
            }),
        })
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

/// The writer's connection to a file that has all tables.
fn connect(path: &Path, options: &OpenOptions, schema: &Schema) -> Result<Connection, StoreError> {
    let found = schema::inspect(path, schema.version)?;
    if let Some(found) = out_of_date(found, schema).filter(|_| options.beside_server) {
        return Err(StoreError::Older {
            path: path.to_owned(),
            found,
            known: schema.version,
        });
    }
    let patience = if options.beside_server {
        PATIENT
    } else {
        BRIEF
    };
    match found {
        Found::Nothing => {
            let mut conn = schema::open_new(path)?;
            link::configure(&conn, patience)?;
            schema::create(&mut conn, schema)?;
            // So that the file says from the start what it is.
            wal::try_empty(&conn);
            Ok(conn)
        }
        Found::Version(version) => {
            paths::check_access(path, true)?;
            let mut conn = schema::open_existing(path)?;
            link::configure(&conn, patience)?;
            if version < schema.version {
                migrate::run(&mut conn, path, version, schema, !options.no_backup)?;
            }
            Ok(conn)
        }
    }
}

/// What a file of the newest version says of its ids, read without room on the disk.
fn reserved(path: &Path, schema: &Schema) -> Result<Reservation, StoreError> {
    let conn = readers::open_alone(path)?;
    let version: i32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != schema.version {
        return Err(StoreError::Full);
    }
    Reservation::open(&conn)
}

fn out_of_date(found: Found, schema: &Schema) -> Option<i32> {
    match found {
        Found::Nothing => Some(0),
        Found::Version(version) => Some(version).filter(|version| *version < schema.version),
    }
}
