//! Files: taking them in, giving them out, and where they are. Must not know how a protocol carries them.

mod address;
mod download;
mod faces;
mod incoming;
mod picture;
mod placed;
mod strip;
mod upload;
mod writing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Notify, Semaphore};

pub use address::{address, signed_address, thumbnail_address};
pub use download::Download;
pub use placed::Attachment;
pub use upload::Uploads;

pub use crate::model::FILES_MAX;
use crate::model::UserId;
pub use crate::store::FILE_LIST_MAX;

/// So many uploads are on their way at once, each of which holds up to 1 MiB.
const UPLOADS: usize = 32;
/// So many of them of one person; more wait.
const UPLOADS_OF_ONE: usize = 4;

/// What all uploads share.
pub(super) struct Works {
    /// Pieces that may be in the writer's queue.
    pieces: Semaphore,
    /// Pictures that may be decoded at once.
    pictures: Semaphore,
    uploads: Arc<Semaphore>,
    turns: Mutex<HashMap<UserId, Weak<Semaphore>>>,
    /// Something is there to be swept away.
    pub(super) sweep: Arc<Notify>,
}

impl Default for Works {
    fn default() -> Self {
        Self {
            pieces: Semaphore::new(1),
            pictures: Semaphore::new(1),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            turns: Mutex::default(),
            sweep: Arc::default(),
        }
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        // Whoever waits for something to sweep away sees that the chat has ended.
        self.sweep.notify_one();
    }
}

impl Works {
    fn turns_of(&self, user: UserId) -> Arc<Semaphore> {
        let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = all.get(&user).and_then(Weak::upgrade) {
            return turns;
        }
        // Who uploads nothing now is forgotten.
        all.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(UPLOADS_OF_ONE));
        all.insert(user, Arc::downgrade(&turns));
        turns
    }
}
