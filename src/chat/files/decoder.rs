//! The thread that decodes pictures. There is one, and it stays: what the allocator keeps for a thread after the work is
//! done would otherwise add up over the threads that did it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{OnceLock, mpsc};
use std::thread;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The way to the thread, which begins with the first picture and ends with this.
#[derive(Default)]
pub(super) struct Decoder {
    jobs: OnceLock<Option<mpsc::Sender<Job>>>,
}

impl Decoder {
    /// Runs slow work on a picture, to its end even if nobody waits for it any more. What panics is no picture.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move || {
            let done = catch_unwind(AssertUnwindSafe(work)).ok().flatten();
            let _ = answer.send(done);
        });
        let jobs = self.jobs.get_or_init(start).as_ref()?;
        jobs.send(job).ok()?;
        answered.await.ok().flatten()
    }
}

fn start() -> Option<mpsc::Sender<Job>> {
    let (jobs, inbox) = mpsc::channel::<Job>();
    let run = move || inbox.into_iter().for_each(|job| job());
    let started = thread::Builder::new()
        .name("parlor-pictures".to_owned())
        .spawn(run);
    match started {
        Ok(_) => Some(jobs),
        Err(error) => {
            tracing::error!(%error, "cannot start a thread for pictures");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_thread_outlives_a_panic() {
        let decoder = Decoder::default();
        let thread = || Some(thread::current().id());
        let first = decoder.run(thread).await;
        assert_eq!(decoder.run(|| -> Option<()> { panic!() }).await, None);
        assert!(first.is_some() && decoder.run(thread).await == first);
    }
}
