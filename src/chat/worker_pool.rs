//! Thread pool for work that takes longer than a millisecond. Its threads run at the lowest priority, so that the work
//! does not slow down the chat.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Fixed number of threads, started with the first job and ended when the pool is dropped. Idle threads are kept: the
/// memory that the allocator keeps per thread would otherwise add up over new threads.
pub struct WorkerPool {
    name: &'static str,
    threads: usize,
    jobs: OnceLock<Option<mpsc::Sender<Job>>>,
}

impl WorkerPool {
    /// Creates a pool with an unbounded queue: callers must limit the number of their waiting jobs.
    pub fn new(name: &'static str, threads: usize) -> Self {
        Self {
            name,
            threads,
            jobs: OnceLock::new(),
        }
    }

    /// Runs `work` to completion, even if the caller stops waiting. Returns `None` if it panics or no thread can be
    /// started.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move || {
            if let Ok(done) = catch_unwind(AssertUnwindSafe(work)) {
                let _ = answer.send(done);
            }
        });
        let jobs = self.jobs.get_or_init(|| self.start()).as_ref()?;
        jobs.send(job).ok()?;
        answered.await.ok()
    }

    fn start(&self) -> Option<mpsc::Sender<Job>> {
        let (jobs, inbox) = mpsc::channel();
        let inbox = Arc::new(Mutex::new(inbox));
        for number in 0..self.threads {
            let inbox = inbox.clone();
            let started = thread::Builder::new()
                .name(format!("{}-{number}", self.name))
                .spawn(move || work(&inbox));
            if let Err(error) = started {
                tracing::error!(%error, name = self.name, "cannot start a thread");
                return None;
            }
        }
        Some(jobs)
    }
}

fn work(inbox: &Mutex<mpsc::Receiver<Job>>) {
    lower_priority();
    loop {
        let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(mpsc::RecvError) => return,
        }
    }
}

/// Gives the calling thread the lowest priority. On Linux each thread has its own niceness.
pub(super) fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "cannot lower the priority of a background thread");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_outlives_a_panic() {
        let pool = WorkerPool::new("test", 1);
        let thread = || thread::current().id();
        let first = pool.run(thread).await;
        assert_eq!(pool.run(|| panic!()).await, None::<()>);
        assert!(first.is_some() && pool.run(thread).await == first);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn workers_have_the_lowest_priority() {
        let pool = WorkerPool::new("test", 1);
        let priority = pool
            .run(|| rustix::process::getpriority_process(None))
            .await;
        assert_eq!(priority, Some(Ok(19)));
    }
}
