//! The one thread that writes: takes all that waits, one transaction, one COMMIT, then answers.
//! Must not know tables nor what its jobs do.

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::checkpoint::Checkpoints;
use super::error::StoreError;
use super::generation::Generation;
use super::ids::Reservation;
use super::job::{Tx, Work};
use super::lock::Lock;

/// Jobs that may wait.
pub(super) const QUEUE: usize = 4096;
/// Jobs that one transaction takes.
const BATCH: usize = 1000;
/// How often an idle writer looks for changes by other processes.
const POLL: Duration = Duration::from_millis(250);
/// A full disk fails each batch; one line a second is enough to say so.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);

/// What the queue carries.
pub(super) enum Command {
    /// Work for the next transaction.
    Job(Box<dyn Work>),
    /// Finish what is queued, then end; answered when the file is closed.
    Close(oneshot::Sender<()>),
}

/// What the thread is made of.
pub(super) struct Writer {
    conn: Connection,
    checkpoints: Checkpoints,
    generation: Generation,
    reservation: Reservation,
    lock: Option<Lock>,
    foreign_changes: watch::Sender<u64>,
    data_version: i64,
    complained: Option<Instant>,
}

/// The handles to a running writer.
pub(super) struct Started {
    /// Where jobs go.
    pub(super) queue: mpsc::Sender<Command>,
    /// Counts the changes by other processes.
    pub(super) foreign_changes: watch::Receiver<u64>,
}

/// Sets `conn` up for durable, grouped writing; it waits for another process up to `patience`.
pub(super) fn configure(conn: &Connection, patience: Duration) -> Result<(), StoreError> {
    conn.busy_timeout(patience)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Internal("the file system cannot hold a WAL"));
    }
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA trusted_schema = OFF;",
    )?;
    conn.set_prepared_statement_cache_capacity(256);
    keep_plans(conn)?;
    Ok(())
}

/// Has SQLite plan a statement once, not anew whenever a limit is bound to it.
pub(super) fn keep_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// Starts the thread that owns `conn`, and the lock until the file is closed.
pub(super) fn start(
    path: &Path,
    conn: Connection,
    reservation: Reservation,
    lock: Option<Lock>,
) -> Result<Started, StoreError> {
    let (queue, inbox) = mpsc::channel(QUEUE);
    let (changes, foreign_changes) = watch::channel(0);
    let data_version = data_version(&conn)?;
    let checkpoints = Checkpoints::start(path, &conn).map_err(|e| StoreError::io(path, e))?;
    let mut writer = Writer {
        conn,
        checkpoints,
        generation: Generation::new(path),
        reservation,
        lock,
        foreign_changes: changes,
        data_version,
        complained: None,
    };
    writer.reserve_first_ids()?;
    spawn(writer, inbox).map_err(|e| StoreError::io(path, e))?;
    Ok(Started {
        queue,
        foreign_changes,
    })
}

fn spawn(writer: Writer, inbox: mpsc::Receiver<Command>) -> io::Result<()> {
    // Of its own, so that neither a busy nor a stopping server runtime holds up the writer.
    let clock = runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    thread::Builder::new()
        .name("parlor-writer".to_owned())
        .spawn(move || clock.block_on(writer.run(inbox)))
        .map(drop)
}

impl Writer {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(BATCH);
        let mut closers = Vec::new();
        loop {
            match timeout(POLL, inbox.recv_many(&mut waiting, BATCH)).await {
                Ok(0) => break,
                Ok(_) => {
                    take_more(&mut inbox, &mut waiting);
                    let before = closers.len();
                    let jobs = sort(&mut waiting, &mut closers);
                    self.batch(jobs);
                    if closers.len() > before {
                        inbox.close();
                    }
                }
                Err(_) => {}
            }
            self.look_for_foreign_changes();
        }
        self.end();
        for closer in closers {
            let _ = closer.send(());
        }
    }

    fn batch(&mut self, mut jobs: Vec<Box<dyn Work>>) {
        let committed = self.transact(&mut jobs);
        if let Err(error) = &committed {
            self.roll_back();
            self.complain(error, jobs.len());
        }
        for job in jobs {
            job.answer(&committed);
        }
        // Last, so that nobody waits for it who has an answer by now.
        if committed.is_ok() {
            self.checkpoints.committed(&self.conn);
        }
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let tx = Tx::new(&self.conn);
        for job in jobs {
            job.run(&tx)?;
        }
        tx.run_deferred()?;
        // Last, so that ids drawn by the jobs themselves are covered too.
        let bound = self.reservation.extend(&tx)?;
        self.conn.execute_batch("COMMIT")?;
        self.reservation.committed(bound);
        self.tie_log();
        Ok(())
    }

    /// Ties the log to the file if the last commit began it anew. What was committed is on disk all the same.
    fn tie_log(&mut self) {
        if let Err(error) = self.generation.tie(&self.conn) {
            self.complain(&error, 0);
        }
    }

    fn roll_back(&self) {
        if self.conn.is_autocommit() {
            return;
        }
        if let Err(error) = self.conn.execute_batch("ROLLBACK") {
            tracing::error!(%error, "cannot roll back");
        }
    }

    fn complain(&mut self, error: &StoreError, jobs: usize) {
        if self
            .complained
            .is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY)
        {
            self.complained = Some(Instant::now());
            tracing::error!(%error, jobs, "nothing of a batch was stored");
        }
    }

    /// Reserves ids before the first is handed out. A disk that is full must not keep the server
    /// from starting: the first commit tries again.
    fn reserve_first_ids(&mut self) -> Result<(), StoreError> {
        let reserve = |writer: &mut Self| {
            writer.conn.execute_batch("BEGIN IMMEDIATE")?;
            let bound = writer.reservation.extend(&writer.conn)?;
            writer.conn.execute_batch("COMMIT")?;
            writer.reservation.committed(bound);
            Ok(())
        };
        let reserved = reserve(self);
        self.roll_back();
        self.tie_log();
        match reserved {
            Err(StoreError::Full) => Ok(()),
            reserved => reserved,
        }
    }

    fn look_for_foreign_changes(&mut self) {
        match data_version(&self.conn) {
            Ok(found) if found != self.data_version => {
                self.data_version = found;
                self.foreign_changes.send_modify(|count| *count += 1);
            }
            Ok(_) => {}
            Err(error) => self.complain(&error, 0),
        }
    }

    fn end(mut self) {
        let give_back = || {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
            self.reservation.give_back(&self.conn)?;
            self.conn.execute_batch("COMMIT")?;
            Ok::<_, StoreError>(())
        };
        if let Err(error) = give_back() {
            tracing::warn!(%error, "cannot give unused ids back");
            self.roll_back();
        }
        self.tie_log();
        self.checkpoints.end();
        if self.lock.is_some() {
            checkpoint(&self.conn);
        }
        if let Err((_, error)) = self.conn.close() {
            tracing::warn!(%error, "cannot close the database");
        }
    }
}

/// Moves the whole log into the database and empties it.
pub(super) fn checkpoint(conn: &Connection) {
    let done = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    match done {
        Ok(0) => {}
        Ok(_busy) => tracing::info!("the log stays: another process reads the database"),
        Err(error) => tracing::warn!(%error, "cannot checkpoint the log"),
    }
}

/// Lets those go first who are about to bring more, where cores are few: the larger a batch, the less each job in it costs.
fn take_more(inbox: &mut mpsc::Receiver<Command>, waiting: &mut Vec<Command>) {
    thread::yield_now();
    while waiting.len() < BATCH
        && let Ok(command) = inbox.try_recv()
    {
        waiting.push(command);
    }
}

fn sort(waiting: &mut Vec<Command>, closers: &mut Vec<oneshot::Sender<()>>) -> Vec<Box<dyn Work>> {
    let mut jobs = Vec::with_capacity(waiting.len());
    for command in waiting.drain(..) {
        match command {
            Command::Job(job) => jobs.push(job),
            Command::Close(closer) => closers.push(closer),
        }
    }
    jobs
}

fn data_version(conn: &Connection) -> Result<i64, StoreError> {
    let mut read = conn.prepare_cached("PRAGMA data_version")?;
    Ok(read.query_row([], |row| row.get(0))?)
}
