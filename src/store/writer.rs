//! The writer thread: takes all queued jobs, runs them in one transaction, commits, then answers. Must not depend on
//! the tables or on what its jobs do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::error::StoreError;
use super::file_identity::Files;
use super::generation::Generation;
use super::health::Health;
use super::ids::Reservation;
use super::job::{Tx, Work};
use super::lock::Lock;
use super::read_pool::Readers;
use super::write_connection::{Link, data_version};

/// Capacity of the job queue.
pub(super) const QUEUE: usize = 4096;
/// Most jobs in one transaction.
const BATCH: usize = 1000;
/// Interval between two checks for changes by other processes.
const POLL: Duration = Duration::from_millis(250);
/// Shortest interval between two log lines: a full disk fails each batch.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);

/// Message to the writer.
pub(super) enum Command {
    Job(Box<dyn Work>),
    /// Finishes the queue, then ends the thread; answered when the file is closed.
    Close(oneshot::Sender<()>),
}

/// State of the writer thread.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    /// Connection, or why the file cannot be opened.
    pub(super) link: Result<Link, StoreError>,
    pub(super) files: Files,
    pub(super) generation: Generation,
    pub(super) health: Health,
    pub(super) readers: Weak<Readers>,
    pub(super) reservation: Reservation,
    pub(super) lock: Option<Lock>,
    pub(super) foreign_changes: watch::Sender<u64>,
    complained: Option<Instant>,
    pub(super) start_over_at: Instant,
    pub(super) told: Option<Instant>,
}

/// Arguments of [`start`].
pub(super) struct Parts {
    /// Connection, or why the file cannot be opened for writing now.
    pub(super) conn: Result<Connection, StoreError>,
    pub(super) reservation: Reservation,
    /// `None` beside a server.
    pub(super) lock: Option<Lock>,
    pub(super) health: Health,
    pub(super) readers: Weak<Readers>,
}

/// Handles to a running writer.
pub(super) struct Started {
    pub(super) queue: mpsc::Sender<Command>,
    /// Counts changes by other processes.
    pub(super) foreign_changes: watch::Receiver<u64>,
}

/// Starts the thread. It owns the connection, and the lock until the file is closed.
pub(super) fn start(path: &Path, parts: Parts) -> Result<Started, StoreError> {
    let (queue, inbox) = mpsc::channel(QUEUE);
    let (changes, foreign_changes) = watch::channel(0);
    let owner = parts.lock.is_some();
    let link = match parts.conn {
        Ok(conn) => Ok(Link::of(path, conn, owner, &parts.health)?),
        Err(error) => Err(error),
    };
    let mut writer = Writer {
        path: path.to_owned(),
        link,
        files: Files::of(path),
        generation: Generation::new(path),
        health: parts.health,
        readers: parts.readers,
        reservation: parts.reservation,
        lock: parts.lock,
        foreign_changes: changes,
        complained: None,
        start_over_at: Instant::now(),
        told: None,
    };
    writer.reserve_first_ids()?;
    spawn(writer, inbox).map_err(|e| StoreError::io(path, e))?;
    Ok(Started {
        queue,
        foreign_changes,
    })
}

fn spawn(writer: Writer, inbox: mpsc::Receiver<Command>) -> io::Result<()> {
    // A separate runtime, so that a busy or stopping server runtime does not delay the writer.
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
        let mut looked = Instant::now();
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
            if looked.elapsed() >= POLL {
                looked = Instant::now();
                self.look_around().await;
            }
        }
        self.end().await;
        for closer in closers {
            let _ = closer.send(());
        }
    }

    fn batch(&mut self, mut jobs: Vec<Box<dyn Work>>) {
        if jobs.is_empty() {
            return;
        }
        // Check the files after the commit too: a write to a file that is gone must not be acknowledged.
        let committed = self
            .transact(&mut jobs)
            .and_then(|()| self.look_for_files());
        self.health.committed(&committed);
        if let Err(error) = &committed {
            self.roll_back();
            self.complain(error, jobs.len());
        }
        for job in jobs {
            job.answer(&committed);
        }
        // Last, so that no caller waits for the checkpoint.
        if committed.is_ok()
            && let Ok(Link {
                conn,
                checkpoints: Some(checkpoints),
                ..
            }) = &mut self.link
        {
            checkpoints.committed(conn);
        }
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
        if let Some(reason) = self.health.stopped() {
            return Err(reason);
        }
        let link = self.link.as_ref().map_err(Clone::clone)?;
        if let Some(checkpoints) = &link.checkpoints {
            checkpoints.check_room()?;
        }
        link.conn.execute_batch("BEGIN IMMEDIATE")?;
        let tx = Tx::new(&link.conn, &self.health);
        for job in jobs {
            job.run(&tx)?;
        }
        tx.run_deferred()?;
        // Last, to cover ids drawn by the jobs themselves.
        let bound = self.reservation.extend(&tx)?;
        link.conn.execute_batch("COMMIT")?;
        self.reservation.committed(bound);
        self.tie_log();
        Ok(())
    }

    /// Ties the WAL to the file if the last commit restarted it. The commit is on disk even if this fails.
    pub(super) fn tie_log(&mut self) {
        let Ok(link) = &self.link else { return };
        if let Err(error) = self.generation.tie(&link.conn) {
            self.complain(&error, 0);
        }
    }

    fn roll_back(&self) {
        let Ok(link) = &self.link else { return };
        if link.conn.is_autocommit() {
            return;
        }
        if let Err(error) = link.conn.execute_batch("ROLLBACK") {
            tracing::error!(%error, "cannot roll back");
        }
    }

    fn complain(&mut self, error: &StoreError, jobs: usize) {
        if self
            .complained
            .is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY)
        {
            self.complained = Some(Instant::now());
            tracing::error!(%error, jobs, "batch failed: nothing was stored");
        }
    }

    /// Reserves ids before the first is handed out. A full disk must not keep the server from starting: the first
    /// commit tries again.
    fn reserve_first_ids(&mut self) -> Result<(), StoreError> {
        let reserve = |conn: &Connection, reservation: &mut Reservation| {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            let bound = reservation.extend(conn)?;
            conn.execute_batch("COMMIT")?;
            reservation.committed(bound);
            Ok(())
        };
        let reserved = match &self.link {
            Ok(link) => reserve(&link.conn, &mut self.reservation),
            Err(error) => Err(error.clone()),
        };
        self.roll_back();
        self.tie_log();
        self.health.committed(&reserved);
        match reserved {
            Err(error @ StoreError::Full) => {
                tracing::error!(%error, "the disk is full: nothing can be stored until space is free");
                Ok(())
            }
            reserved => reserved,
        }
    }

    /// Runs the periodic checks, whether or not there are jobs.
    async fn look_around(&mut self) {
        if self.look_for_files().is_err() {
            return;
        }
        self.look_for_foreign_changes();
        if let Ok(Link {
            conn,
            checkpoints: Some(checkpoints),
            ..
        }) = &mut self.link
        {
            checkpoints.tick(conn);
        }
        let failed = self.link.as_ref().map_or(true, Link::failed);
        if failed && Instant::now() >= self.start_over_at {
            self.start_over().await;
        }
    }

    fn look_for_foreign_changes(&mut self) {
        let Ok(link) = &mut self.link else { return };
        match data_version(&link.conn) {
            Ok(found) if found != link.data_version => {
                link.data_version = found;
                if let Some(checkpoints) = &mut link.checkpoints {
                    checkpoints.changed();
                }
                self.foreign_changes.send_modify(|count| *count += 1);
            }
            Ok(_) => {}
            Err(error) => self.complain(&error, 0),
        }
    }
}

/// Yields first, so that producers can queue more where cores are few: the larger a batch, the less each job in it
/// costs.
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
