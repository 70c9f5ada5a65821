//! Runs work that takes more than a millisecond on threads outside the runtime: a limited number of jobs at once and
//! one per account, so that one account's requests do not delay those of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::chat::{ChatError, WorkerPool};
use crate::model::UserId;

/// Maximum number of waiting requests of one account; further ones fail with [`ChatError::Busy`].
const WAITING_MAX: usize = 32;

/// Pool for CPU-bound work of requests, with one queue per account.
pub struct Offload {
    pool: WorkerPool,
    slots: Arc<Semaphore>,
    accounts: Mutex<HashMap<UserId, Weak<Semaphore>>>,
}

impl Default for Offload {
    fn default() -> Self {
        // Half of the processors remain for the runtime.
        let slots = available_parallelism().map_or(1, |all| all.get().div_ceil(2));
        Self::new(slots)
    }
}

impl Offload {
    fn new(slots: usize) -> Self {
        Self {
            pool: WorkerPool::new("requests", slots),
            slots: Arc::new(Semaphore::new(slots)),
            accounts: Mutex::default(),
        }
    }

    /// Runs `work` on behalf of an account.
    ///
    /// # Errors
    /// [`ChatError::Busy`] if too many requests of the account are waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        account: UserId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ChatError> {
        let own = self.semaphore_of(account);
        if Arc::strong_count(&own) > WAITING_MAX {
            return Err(ChatError::Busy);
        }
        // The second queue is first in, first out, and holds one request of each account.
        let turn = own.acquire_owned().await.map_err(ChatError::internal)?;
        let slot = self.slots.clone().acquire_owned().await;
        let slot = slot.map_err(ChatError::internal)?;
        let done = self.pool.run(move || {
            // Work continues when its request is cancelled, so both permits are kept until it ends.
            let _held = (turn, slot);
            work()
        });
        done.await
            .ok_or_else(|| ChatError::internal("the work of a request panicked"))
    }

    fn semaphore_of(&self, account: UserId) -> Arc<Semaphore> {
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get(&account).and_then(Weak::upgrade) {
            return own;
        }
        all.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(1));
        all.insert(account, Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Returns work that reports its start and runs until the returned sender is dropped.
    fn held(begun: Sender<i64>, id: i64) -> (Sender<()>, impl FnOnce() + Send + 'static) {
        let (end, ended): (Sender<()>, Receiver<()>) = channel();
        let work = move || {
            begun.send(id).unwrap();
            let _ = ended.recv();
        };
        (end, work)
    }

    #[tokio::test]
    async fn one_busy_account_does_not_block_others() {
        let offload = Arc::new(Offload::new(2));
        let (begun, first) = channel();
        let start = |account: i64| {
            let (end, work) = held(begun.clone(), account);
            let offload = offload.clone();
            let task = tokio::spawn(async move { offload.run(UserId(account), work).await });
            (end, task)
        };
        let mut busy: Vec<_> = (0..WAITING_MAX).map(|_| start(1)).collect();
        assert_eq!(wait(&first).await, 1);
        let other = start(2);
        assert_eq!(wait(&first).await, 2);
        while offload.semaphore_count(1) < WAITING_MAX {
            tokio::task::yield_now().await;
        }
        let refused = offload.run(UserId(1), || ()).await;
        assert!(matches!(refused, Err(ChatError::Busy)), "{refused:?}");
        drop(other.0);
        other.1.await.unwrap().unwrap();
        for (end, task) in busy.drain(..) {
            drop(end);
            task.await.unwrap().unwrap();
        }
    }

    async fn wait(begun: &Receiver<i64>) -> i64 {
        loop {
            match begun.try_recv() {
                Ok(id) => return id,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    impl Offload {
        fn semaphore_count(&self, account: i64) -> usize {
            let all = self.accounts.lock().unwrap();
            all.get(&UserId(account)).map_or(0, Weak::strong_count)
        }
    }
}
