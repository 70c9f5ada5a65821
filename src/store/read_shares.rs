//! Read shares: limit the reads of one account that run or wait for a connection, so that a flood of reads delays only
//! its own account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::StoreError;
use crate::model::UserId;

/// Concurrent reads per account: fewer than there are connections.
const PER_ACCOUNT: usize = 3;
/// Longest wait of a read for other reads of its account, which may have many sockets.
const WAIT: Duration = Duration::from_secs(10);

/// Read share of one account; cheap to clone.
#[derive(Clone)]
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    /// Waits for a permit.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let turn = timeout(WAIT, self.0.clone().acquire_owned()).await;
        turn.map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)
    }
}

/// Read shares in use.
#[derive(Default)]
pub(super) struct Lanes(Mutex<HashMap<UserId, Weak<Semaphore>>>);

impl Lanes {
    pub(super) fn of(&self, account: UserId) -> Lane {
        let mut lanes = self.lock();
        if let Some(lane) = lanes.get(&account).and_then(Weak::upgrade) {
            return Lane(lane);
        }
        // Before the map grows, remove unused shares.
        if lanes.len() == lanes.capacity() {
            lanes.retain(|_, lane| lane.strong_count() > 0);
        }
        let lane = Arc::new(Semaphore::new(PER_ACCOUNT));
        lanes.insert(account, Arc::downgrade(&lane));
        Lane(lane)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Weak<Semaphore>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
