//! Files: uploads, downloads and URLs. Independent of the protocol that carries them.

mod attachments;
mod avatars;
mod chunk_writer;
mod declared;
mod decode;
mod download;
mod fair_semaphore;
mod image;
mod original;
mod receive;
mod strip_metadata;
mod stripped_copy;
mod upload;
mod upload_slots;
mod urls;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Notify;

pub use attachments::Attachment;
pub use download::Download;
pub use upload::Uploads;
pub use urls::{address, signed_address, thumbnail_address};

pub use crate::model::FILES_MAX;
pub use crate::store::FILE_LIST_MAX;

use super::{Caller, WorkerPool};
use fair_semaphore::{FairSemaphore, Who};
use upload_slots::Places;

/// The sender of a file and its network address. Both have a share of the upload places.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    pub caller: &'a Caller,
    pub address: IpAddr,
}

impl Sender<'_> {
    fn who(&self) -> Who {
        Who::new(self.caller.id(), self.address)
    }
}

/// State shared by all uploads.
pub(super) struct Works {
    /// Limits uploads that hold memory.
    places: Arc<Places>,
    /// Images are decoded one at a time, because each may use the whole memory budget.
    decoding: Arc<FairSemaphore>,
    decoder: WorkerPool,
    /// Notified when there are discarded files to sweep.
    pub(super) sweep: Arc<Notify>,
}

impl Default for Works {
    fn default() -> Self {
        Self {
            places: Places::new(),
            decoding: FairSemaphore::new(1, 1),
            decoder: WorkerPool::new("pictures", 1),
            sweep: Arc::default(),
        }
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        // Wakes the sweeper, so that it sees that the chat has ended.
        self.sweep.notify_one();
    }
}
