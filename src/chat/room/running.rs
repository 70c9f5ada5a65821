//! Running room actors, at most one per room. Callers look a room up here, and its actor does before it ends.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::model::RoomId;

use super::{RoomHandle, RoomMsg};

/// Handles of the running room actors.
#[derive(Default)]
pub(in crate::chat) struct Running(Mutex<HashMap<RoomId, RoomHandle>>);

impl Running {
    /// Returns the handle of a room's actor, if it runs.
    pub(in crate::chat) fn get(&self, room: RoomId) -> Option<RoomHandle> {
        let rooms = self.lock();
        rooms.get(&room).filter(|known| !known.is_closed()).cloned()
    }

    /// Returns the handle of a room's actor, which is started if it does not run.
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

    pub(in crate::chat) fn all(&self) -> Vec<RoomHandle> {
        self.lock().values().cloned().collect()
    }

    /// Forgets a room unless a command is queued or a caller may be about to queue one; `true` if it did. A forgotten
    /// actor receives no more commands, so it must end without doing anything else.
    pub(super) fn forget_unused(&self, room: RoomId, inbox: &mpsc::Receiver<RoomMsg>) -> bool {
        let mut rooms = self.lock();
        // Callers hold a clone of the handle, and clones are made under this lock.
        let unused = inbox.sender_strong_count() == 1 && inbox.is_empty();
        if unused {
            rooms.remove(&room);
        }
        unused
    }

    /// Forgets a room whose actor ends whatever is queued, and closes its mailbox.
    pub(super) fn forget(&self, room: RoomId, inbox: &mut mpsc::Receiver<RoomMsg>) {
        let mut rooms = self.lock();
        inbox.close();
        rooms.remove(&room);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, RoomHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
