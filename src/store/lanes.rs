//! Shares of the readers: how many reads of one account run or wait for a connection at a time, so that one account's
//! flood of reads waits for itself and not in front of everybody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::StoreError;
use crate::model::UserId;

/// Reads of one account at a time: fewer than there are connections.
const PER_ACCOUNT: usize = 3;
/// How long a read may wait for the other reads of its account, of which there may be many sockets.
const WAIT: Duration = Duration::from_secs(10);

/// One account's share; cheap to clone.
#[derive(Clone)]
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let turn = timeout(WAIT, self.0.clone().acquire_owned()).await;
        turn.map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)
    }
}

/// The shares in use.
#[derive(Default)]
pub(super) struct Lanes(Mutex<HashMap<UserId, Weak<Semaphore>>>);

impl Lanes {
    /// The share of an account.
    pub(super) fn of(&self, account: UserId) -> Lane {
        let mut lanes = self.lock();
        if let Some(lane) = lanes.get(&account).and_then(Weak::upgrade) {
            return Lane(lane);
        }
        // Before it grows, what nobody uses is removed.
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
