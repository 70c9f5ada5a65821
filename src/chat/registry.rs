//! Which rooms have a task: started on first use, forgotten when they rest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Person, RoomId};
use crate::store::Store;

use super::ChatError;
use super::people::People;
use super::room::{Reply, RoomHandle, RoomMsg, reply};

/// The way to every room.
pub(super) struct Registry {
    store: Store,
    people: Arc<People>,
    rooms: Mutex<HashMap<RoomId, RoomHandle>>,
}

impl Registry {
    pub(super) fn new(store: Store, people: Arc<People>) -> Self {
        Self {
            store,
            people,
            rooms: Mutex::default(),
        }
    }

    /// Tells a room, whose task is started if need be.
    pub(super) fn tell(&self, room: RoomId, message: RoomMsg) {
        let mut message = message;
        // A room that goes to rest in this very moment gives the message back; the next task takes it.
        for _ in 0..3 {
            match self.handle(room).tell(message) {
                Ok(()) => return,
                Err(back) => message = back,
            }
        }
        message.refuse(ChatError::Busy);
    }

    /// Tells a room and waits for its answer.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        room: RoomId,
        message: impl FnOnce(Reply<T>) -> RoomMsg,
    ) -> Result<T, ChatError> {
        let (reply, answer) = reply();
        self.tell(room, message(reply));
        answer.await
    }

    /// Tells a room only if it has a task: otherwise it will read from the store what it needs.
    pub(super) fn tell_running(&self, room: RoomId, message: RoomMsg) {
        if let Some(handle) = self.running(room) {
            // If it goes to rest just now, it need not know.
            let _ = handle.tell(message);
        }
    }

    /// Asks a room that has a task; `None` if it has none.
    pub(super) async fn ask_running<T: Send + 'static>(
        &self,
        room: RoomId,
        message: impl FnOnce(Reply<T>) -> RoomMsg,
    ) -> Option<T> {
        let handle = self.running(room)?;
        let (reply, answer) = reply();
        handle.tell(message(reply)).ok()?;
        answer.await.ok()
    }

    /// Tells all rooms that have a task of a person's new name, picture or role.
    pub(super) fn tell_all_person(&self, person: &Arc<Person>) {
        let running: Vec<_> = self.lock().values().cloned().collect();
        for handle in running {
            let _ = handle.tell(RoomMsg::Renamed(person.clone()));
        }
    }

    fn running(&self, room: RoomId) -> Option<RoomHandle> {
        self.lock()
            .get(&room)
            .filter(|handle| !handle.is_resting())
            .cloned()
    }

    fn handle(&self, room: RoomId) -> RoomHandle {
        let mut rooms = self.lock();
        if let Some(handle) = rooms.get(&room).filter(|handle| !handle.is_resting()) {
            return handle.clone();
        }
        // The moment a room is started is the moment to forget those that rest.
        rooms.retain(|_, handle| !handle.is_resting());
        let handle = RoomHandle::start(room, self.store.clone(), self.people.clone());
        rooms.insert(room, handle.clone());
        handle
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, RoomHandle>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
