//! Files: taking them in, giving them out, and where they are. Must not know how a protocol carries them.

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

/// Who sends files, and from where: both have their share.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// From where.
    pub address: IpAddr,
}

impl Sender<'_> {
    fn who(&self) -> Who {
        Who::new(self.caller.id(), self.address)
    }
}

/// What all uploads share.
pub(super) struct Works {
    /// Uploads that hold memory.
    places: Arc<Places>,
    /// Pictures are decoded one at a time: each may take the whole budget of memory.
    decoding: Arc<Turns>,
    decoder: WorkerPool,
    /// Something is there to be swept away.
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
        // Whoever waits for something to sweep away sees that the chat has ended.
        self.sweep.notify_one();
    }
}
