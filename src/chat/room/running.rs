//! Which rooms have a task: one each at any time. Looked at by whoever needs a room, and by the task itself before it ends.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::model::RoomId;

use super::{RoomHandle, RoomMsg};

/// The rooms that have a task.
#[derive(Default)]
pub(in crate::chat) struct Running(Mutex<HashMap<RoomId, RoomHandle>>);

impl Running {
    /// The way to a room that has a task.
    pub(in crate::chat) fn get(&self, room: RoomId) -> Option<RoomHandle> {
        let rooms = self.lock();
        rooms.get(&room).filter(|known| !known.is_closed()).cloned()
    }

    /// The way to a room, which is started if it has no task.
    pub(in crate::chat) fn get_or_start(
        &self,
        room: RoomId,
        start: impl FnOnce() -> RoomHandle,
    ) -> RoomHandle {
        let mut rooms = self.lock();
        if let Some(known) = rooms.get(&room).filter(|known| !known.is_closed()) {
            return known.clone();
        }
        let handle = start();
        rooms.insert(room, handle.clone());
        handle
    }

    /// The ways to all of them.
    pub(in crate::chat) fn all(&self) -> Vec<RoomHandle> {
        self.lock().values().cloned().collect()
    }

    /// Forgets a room unless somebody has told it something, or may be about to. Once forgotten it is told nothing more,
    /// so its task must end without doing anything else.
    pub(super) fn forget_unused(&self, room: RoomId, inbox: &mpsc::Receiver<RoomMsg>) -> bool {
        let mut rooms = self.lock();
        // Whoever tells a room something holds a copy of its handle, and copies are made under this lock.
        let unused = inbox.sender_strong_count() == 1 && inbox.is_empty();
        if unused {
            rooms.remove(&room);
        }
        unused
    }

    /// Forgets a room whose task ends whatever it was told, and closes its mailbox.
    pub(super) fn forget(&self, room: RoomId, inbox: &mut mpsc::Receiver<RoomMsg>) {
        let mut rooms = self.lock();
        inbox.close();
        rooms.remove(&room);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, RoomHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
