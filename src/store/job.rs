//! A job of the writer, and the ticket that its caller awaits. Must not depend on the tables.

use std::cell::RefCell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::health::Health;

type Deferred = Box<dyn FnOnce(&Connection) -> Result<(), StoreError>>;

/// The open transaction as a job sees it: a [`Connection`] that can also defer work.
pub(super) struct Tx<'c> {
    conn: &'c Connection,
    deferred: RefCell<Vec<Deferred>>,
    health: &'c Health,
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}

impl<'c> Tx<'c> {
    /// Wraps the transaction that is open on `conn`.
    pub(super) fn new(conn: &'c Connection, health: &'c Health) -> Self {
        Self {
            conn,
            deferred: RefCell::default(),
            health,
        }
    }

    /// Runs `work` after all jobs of this transaction, right before its COMMIT, if this job succeeds: for rows derived
    /// from its own. If `work` fails, all the jobs fail.
    pub(super) fn defer(&self, work: impl FnOnce(&Connection) -> Result<(), StoreError> + 'static) {
        self.deferred.borrow_mut().push(Box::new(work));
    }

    /// Runs all deferred work. After an error the transaction must not be committed.
    pub(super) fn run_deferred(&self) -> Result<(), StoreError> {
        for work in self.deferred.take() {
            guarded(|| work(self.conn))?;
        }
        Ok(())
    }

    /// Runs `job` so that its failure undoes only itself. The outer error means that the transaction is lost.
    fn in_savepoint<T>(&self, job: impl FnOnce(&Self) -> Outcome<T>) -> Outcome<Outcome<T>> {
        self.step("SAVEPOINT job")?;
        let result = self.run(job)?;
        if result.is_err() {
            self.step("ROLLBACK TO job")?;
        }
        self.step("RELEASE job")?;
        Ok(result)
    }

    /// Runs `job` without a savepoint: for a single statement, which SQLite undoes by itself.
    fn bare<T>(&self, job: impl FnOnce(&Self) -> Outcome<T>) -> Outcome<Outcome<T>> {
        let before = self.total_changes();
        let result = self.run(job)?;
        match result {
            // The job changed rows before it failed, so the whole transaction must be undone.
            Err(e) if self.total_changes() != before => Err(e),
            result => Ok(result),
        }
    }

    fn run<T>(&self, job: impl FnOnce(&Self) -> Outcome<T>) -> Outcome<Outcome<T>> {
        let kept = self.deferred.borrow().len();
        let result = guarded(|| job(self));
        if let Err(error) = &result {
            self.health.note_damage(error);
            self.deferred.borrow_mut().truncate(kept);
        }
        // SQLite ends the whole transaction by itself on a full disk and some I/O errors.
        match (self.is_autocommit(), result) {
            (true, Err(e)) => Err(e),
            (true, Ok(_)) => Err(StoreError::Internal("a job ended the transaction")),
            (false, result) => Ok(result),
        }
    }

    fn step(&self, sql: &str) -> Result<(), StoreError> {
        self.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

type Outcome<T> = Result<T, StoreError>;

fn guarded<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or(Err(StoreError::Internal("a job of the writer panicked")))
}

/// Mechanism that undoes a failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    /// A savepoint around the job: for any job.
    Savepoint,
    /// SQLite's own rollback: for a job that changes rows with a single statement.
    Statement,
}

/// A queued job with its types erased.
pub(super) trait Work: Send {
    /// Runs inside the transaction and keeps the result. An error means that the transaction is lost.
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), StoreError>;

    /// Sends the result to the caller, after the transaction was committed or lost.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

/// Returns a job and the ticket that receives its result.
pub(super) fn new<T, F>(undo: Undo, job: F) -> (Box<dyn Work>, Ticket<T>)
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let state = State::Waiting(job);
    (Box::new(Job { undo, state, reply }), Ticket { answer })
}

struct Job<T, F> {
    undo: Undo,
    state: State<T, F>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

enum State<T, F> {
    Waiting(F),
    Ran(Result<T, StoreError>),
    Lost,
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let State::Waiting(job) = std::mem::replace(&mut self.state, State::Lost) else {
            return Ok(());
        };
        let result = match self.undo {
            Undo::Savepoint => tx.in_savepoint(job)?,
            Undo::Statement => tx.bare(job)?,
        };
        self.state = State::Ran(result);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let result = match (committed, self.state) {
            (Ok(()), State::Ran(result)) => result,
            (Ok(()), _) => Err(StoreError::Internal("a job did not run")),
            // Also for a job that failed by itself: it may have seen rows that are rolled back now.
            (Err(e), _) => Err(e.clone()),
        };
        // The caller may be gone.
        let _ = self.reply.send(result);
    }
}

/// Result of a queued job; arrives after COMMIT, in the order of the queue. Dropping it does not cancel the job.
#[derive(Debug)]
#[must_use = "a job may fail"]
pub struct Ticket<T> {
    answer: oneshot::Receiver<Result<T, StoreError>>,
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        Poll::Ready(answer.unwrap_or(Err(StoreError::Closed)))
    }
}
