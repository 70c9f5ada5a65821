//! Checkpoints: moves the WAL into the database file, mostly in parallel with the writer. Must not depend on tables or
//! jobs.
//!
//! SQLite syncs the database file only in a checkpoint that moves *everything* that is in the WAL by then; pages
//! written by a partial checkpoint count as moved (`nBackfill`) without ever having been synced. If the sync that
//! should cover them fails once, the kernel drops the pages that it could not write and reports no further error: the
//! next checkpoint moves only later frames, its sync succeeds, and the WAL restarts although pages from its beginning
//! never reached the disk. So after any failed sync
//!
//! 1. no checkpoint runs any more, neither here nor when a connection is closed, so the WAL is kept and only grows;
//! 2. the writer closes and reopens all connections ([`Writer::start_over`](super::writer)): the first to open the file
//!    makes SQLite rebuild its WAL index, in which nothing counts as moved;
//! 3. the whole WAL is moved from its first page and synced; only then may it restart.
//!
//! Only connections of this module checkpoint: see [`schema::open_existing`](super::schema).

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::StoreError;
use super::health::Health;
use super::schema;
use super::wal::{Report, copy, run};

/// WAL sizes in pages: from `begin` it is checkpointed; from `slow_down` each commit waits a little, because the disk
/// does not keep up; from `refuse` nothing is written until a checkpoint succeeds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) begin: i32,
    pub(super) slow_down: i32,
    pub(super) refuse: i32,
}

/// 16 MiB, 256 MiB, 1 GiB.
const LIMITS: Limits = Limits {
    begin: 4000,
    slow_down: 64_000,
    refuse: 262_144,
};
/// Delay of a commit that has to slow down.
const PAUSE: Duration = Duration::from_millis(20);
/// Time without a commit after which the WAL is checkpointed whatever its size, so that a plain copy of the file holds
/// everything.
const IDLE: Duration = Duration::from_secs(3);
/// Delay before the next attempt when a checkpoint could not move everything.
const AGAIN: Duration = Duration::from_secs(1);
/// Time that a reader may hold back checkpoints before a warning.
const PATIENCE: Duration = Duration::from_secs(10);
/// Interval between two warnings.
const WARN_EVERY: Duration = Duration::from_secs(60);
const PAGE_SIZE: i32 = 4096;

thread_local! {
    /// Pages in the WAL after this thread's last COMMIT.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Checkpoints the database of one writer on a separate thread: the thread copies what is in the WAL while more is
/// written, and the writer itself copies the small rest, so that the WAL can restart.
pub(super) struct Checkpoints {
    limits: Limits,
    begin: SyncSender<()>,
    reports: Receiver<Report>,
    thread: JoinHandle<()>,
    running: bool,
    health: Health,
    /// Commits so far, commits when the thread was last told to begin, and commits that are checkpointed.
    commits: u64,
    begun_at: u64,
    moved: u64,
    last_commit: Instant,
    not_before: Instant,
    held_since: Option<Instant>,
    warned: Option<Instant>,
    failed: bool,
}

impl Checkpoints {
    /// Starts the thread for the database at `path`, which `conn` writes.
    pub(super) fn start(path: &Path, conn: &Connection, health: Health) -> io::Result<Self> {
        Self::start_with(LIMITS, path, conn, health)
    }

    pub(super) fn start_with(
        limits: Limits,
        path: &Path,
        conn: &Connection,
        health: Health,
    ) -> io::Result<Self> {
        PAGES.set(0);
        conn.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let (begin, orders) = sync_channel(1);
        let (report, reports) = sync_channel(1);
        let path = path.to_owned();
        let thread = thread::Builder::new()
            .name("parlor-checkpoint".to_owned())
            .spawn(move || serve(&path, &orders, &report))?;
        let now = Instant::now();
        Ok(Self {
            limits,
            begin,
            reports,
            thread,
            running: false,
            health,
            // The WAL of an earlier process has to be checkpointed too.
            commits: 1,
            begun_at: 0,
            moved: 0,
            last_commit: now,
            not_before: now,
            held_since: None,
            warned: None,
            failed: false,
        })
    }

    /// Refuses a write if the WAL is at its limit because it cannot be checkpointed.
    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        match PAGES.get() >= self.limits.refuse {
            true if self.failed => Err(StoreError::Unsynced),
            true => Err(StoreError::LogFull),
            false => Ok(()),
        }
    }

    /// Whether a sync failed. Then nothing is checkpointed until all connections were reopened.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Stops checkpointing, because of `error`.
    pub(super) fn fail(&mut self, error: StoreError) {
        self.failed = true;
        self.health.checkpointed(&Err(error));
    }

    /// Must be called by the writer after each COMMIT on `conn`.
    pub(super) fn committed(&mut self, conn: &Connection) {
        self.changed();
        let pages = PAGES.get();
        if pages < self.limits.begin || self.failed {
            return;
        }
        if !self.running {
            self.begin(conn);
        } else if pages >= self.limits.slow_down {
            match self.reports.recv_timeout(PAUSE) {
                Ok(report) => self.hear(conn, report),
                Err(e) => self.running = e == RecvTimeoutError::Timeout,
            }
        } else {
            self.listen(conn);
        }
    }

    /// Notes a commit, here or by another process.
    pub(super) fn changed(&mut self) {
        self.commits += 1;
        self.last_commit = Instant::now();
    }

    /// Must be called by the writer several times a second, whether or not it has jobs.
    pub(super) fn tick(&mut self, conn: &Connection) {
        if self.failed {
            return;
        }
        if self.running {
            self.listen(conn);
        } else if self.moved == self.commits {
            // Also so that no deleted content stays readable in the WAL.
            let idle = self.last_commit.elapsed() >= IDLE && PAGES.get() > 0;
            if idle || PAGES.get() >= self.limits.refuse {
                self.empty(conn);
            }
        } else if PAGES.get() >= self.limits.begin || self.last_commit.elapsed() >= IDLE {
            self.begin(conn);
        }
    }

    /// Ends the thread. After an error this connection must not checkpoint.
    pub(super) fn end(mut self) -> Result<(), StoreError> {
        drop(self.begin);
        if self.thread.join().is_err() {
            tracing::error!("the checkpoint thread panicked");
        }
        if let Ok(Err(error)) = self.reports.try_recv() {
            self.failed |= is_unsafe(&error);
        }
        match self.failed {
            true => Err(StoreError::Unsynced),
            false => Ok(()),
        }
    }

    /// Checkpoints the whole WAL at once; returns whether that was possible.
    pub(super) fn rescue(&mut self, conn: &Connection) -> bool {
        if self.running {
            let _ = self.reports.recv();
            self.running = false;
        }
        !self.failed && matches!(copy(conn), Ok(moved) if moved.all())
    }

    fn begin(&mut self, conn: &Connection) {
        if Instant::now() < self.not_before {
            return;
        }
        self.begun_at = self.commits;
        match self.begin.try_send(()) {
            Ok(()) => self.running = true,
            // No thread: all callers wait, but nothing is lost.
            Err(_) => self.finish(conn),
        }
    }

    fn listen(&mut self, conn: &Connection) {
        match self.reports.try_recv() {
            Ok(report) => self.hear(conn, report),
            Err(e) => self.running = e == TryRecvError::Empty,
        }
    }

    fn hear(&mut self, conn: &Connection, report: Report) {
        self.running = false;
        match &report {
            // The writer committed more in the meantime.
            Ok(moved) if moved.all() && self.begun_at != self.commits => {
                if PAGES.get() - moved.log < self.limits.begin {
                    self.finish(conn);
                } else {
                    self.begin(conn);
                }
            }
            _ => self.note(report),
        }
    }

    /// Checkpoints the rest, while nothing is written.
    pub(super) fn finish(&mut self, conn: &Connection) {
        self.begun_at = self.commits;
        self.note(copy(conn));
    }

    fn note(&mut self, report: Report) {
        match report {
            Ok(moved) if moved.all() => {
                self.moved = self.begun_at;
                self.held_since = None;
                self.health.checkpointed(&Ok(()));
            }
            Ok(_) => {
                self.not_before = Instant::now() + AGAIN;
                self.held_since.get_or_insert_with(Instant::now);
                self.warn_of_reader();
            }
            Err(error) => {
                self.not_before = Instant::now() + AGAIN;
                if self.may_warn() {
                    tracing::error!(%error, "the log cannot be moved into the database");
                }
                let failed = is_unsafe(&error);
                self.health
                    .checkpointed(&Err(StoreError::Checkpoint(error.to_string())));
                if failed {
                    tracing::error!("keeping the log: all of it will be moved again");
                    self.fail(StoreError::Unsynced);
                }
            }
        }
    }

    /// Warns of a reader of an old snapshot, which blocks checkpoints.
    fn warn_of_reader(&mut self) {
        let seconds = self.held_since.map_or(0, |at| at.elapsed().as_secs());
        let long = seconds >= PATIENCE.as_secs() && PAGES.get() >= self.limits.begin;
        if (long || PAGES.get() >= self.limits.slow_down) && self.may_warn() {
            tracing::warn!(
                log_mib = mebibytes(PAGES.get()),
                limit_mib = mebibytes(self.limits.refuse),
                seconds,
                "another program reads the database and does not end: the log grows, and at its limit nothing more is stored"
            );
        }
    }

    fn may_warn(&mut self) -> bool {
        let due = self.warned.is_none_or(|at| at.elapsed() >= WARN_EVERY);
        if due {
            self.warned = Some(Instant::now());
        }
        due
    }

    /// Truncates a WAL that is checkpointed but that readers kept from restarting.
    fn empty(&mut self, conn: &Connection) {
        // Does not wait for readers: the next tick tries again.
        let emptied = conn
            .busy_timeout(Duration::ZERO)
            .map_err(StoreError::from)
            .and_then(|()| run(conn, "TRUNCATE"));
        if let Err(error) = conn.busy_timeout(super::BRIEF) {
            tracing::error!(%error, "cannot set the time to wait for other processes");
        }
        match emptied {
            Ok((0, _)) => PAGES.set(0),
            Ok(_) => self.warn_of_reader(),
            Err(StoreError::Busy) => {}
            Err(error) => self.note(Err(error)),
        }
    }
}

fn serve(path: &Path, orders: &Receiver<()>, reports: &SyncSender<Report>) {
    // Opened now: if the WAL were removed before, opening the file would create another one.
    let opened = open(path);
    while orders.recv().is_ok() {
        let report = match &opened {
            Ok(conn) => copy(conn),
            Err(error) => Err(error.clone()),
        };
        if reports.send(report).is_err() {
            return;
        }
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let conn = schema::open_existing(path)?;
    conn.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(conn)
}

/// Whether pages may be lost that count as checkpointed. A failed write moved nothing; for other errors the worst is
/// assumed.
fn is_unsafe(error: &StoreError) -> bool {
    !matches!(error, StoreError::Full | StoreError::Busy)
}

fn mebibytes(pages: i32) -> i32 {
    pages / (1024 * 1024 / PAGE_SIZE)
}
