//! Moves the log into the database, mostly while the writer goes on. Must not know tables nor jobs.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::schema;

/// With so many pages in it the log is moved, 16 MiB.
const BEGIN: i32 = 4000;
/// With so many, 256 MiB, the writer waits: the disk does not keep up.
const WAIT: i32 = 64_000;

thread_local! {
    /// Pages in the log after this thread's last COMMIT.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Moves the log of one writer's database, on a thread of its own: what is in it by then is copied while more is
/// written, and the writer itself copies the rest, so that the log can begin anew. Without the thread all would wait for
/// 16 MiB every now and then; without the rest the log of a busy server would only grow.
pub(super) struct Checkpoints {
    begin: SyncSender<()>,
    done: Receiver<()>,
    running: bool,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Of the database at `path`, which `conn` writes, from now on without checkpoints of its own.
    pub(super) fn start(path: &Path, conn: &Connection) -> io::Result<Self> {
        conn.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let (begin, orders) = sync_channel(1);
        let (report, done) = sync_channel(1);
        let path = path.to_owned();
        let thread = thread::Builder::new()
            .name("parlor-checkpoint".to_owned())
            .spawn(move || serve(&path, &orders, &report))?;
        Ok(Self {
            begin,
            done,
            running: false,
            thread,
        })
    }

    /// To be called by the writer after each COMMIT on `conn`.
    pub(super) fn committed(&mut self, conn: &Connection) {
        let pages = PAGES.get();
        if pages < BEGIN {
            return;
        }
        if !self.running {
            self.running = self.begin.try_send(()).is_ok();
        } else if pages >= WAIT {
            let _ = self.done.recv();
            self.running = false;
        } else {
            self.running = self.done.try_recv() == Err(TryRecvError::Empty);
        }
        if !self.running {
            copy(conn);
        }
    }

    /// Ends the thread.
    pub(super) fn end(self) {
        drop(self.begin);
        if self.thread.join().is_err() {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn serve(path: &Path, orders: &Receiver<()>, report: &SyncSender<()>) {
    // Opened only when it is needed: many a server never is.
    let mut conn = None;
    while orders.recv().is_ok() {
        if conn.is_none() {
            conn = open(path);
        }
        conn.as_ref().inspect(|conn| copy(conn));
        if report.send(()).is_err() {
            return;
        }
    }
}

fn open(path: &Path) -> Option<Connection> {
    let opened = schema::open_existing(path);
    opened
        .inspect_err(|error| tracing::warn!(%error, "no checkpoint beside the writer"))
        .ok()
}

/// Copies what nobody reads the old state of; does not wait for anybody.
fn copy(conn: &Connection) {
    let done = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = done {
        tracing::warn!(%error, "cannot checkpoint the log");
    }
}
