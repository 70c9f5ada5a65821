//! Files: uploads, downloads and URLs. Independent of the protocol that carries them.

mod address;
mod clean;
mod cleaning;
mod declared;
mod decode;
mod download;
mod faces;
mod incoming;
mod original;
mod picture;
mod placed;
mod places;
mod turns;
mod upload;
mod writing;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Notify;

pub use address::{address, signed_address, thumbnail_address};
pub use download::Download;
pub use placed::Attachment;
pub use upload::Uploads;

pub use crate::model::FILES_MAX;
pub use crate::store::FILE_LIST_MAX;

use super::{Caller, WorkerPool};
use places::Places;
use turns::{Turns, Who};

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
    decoding: Arc<Turns>,
    decoder: WorkerPool,
    /// Notified when there are discarded files to sweep.
    pub(super) sweep: Arc<Notify>,
}

impl Default for Works {
    fn default() -> Self {
        Self {
            places: Places::new(),
            decoding: Turns::new(1, 1),
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
