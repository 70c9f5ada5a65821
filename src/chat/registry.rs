//! Registry of the room actors, which are started on first use.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Person, RoomId};
use crate::store::Store;

use super::ChatError;
use super::connections::People;
use super::room::{Reply, RoomHandle, RoomMsg, Running, reply};

/// Idle time after which a room actor without subscribers and work ends.
const IDLE: Duration = Duration::from_secs(60);

pub(super) struct Registry {
    store: Store,
    people: Arc<People>,
    running: Arc<Running>,
    idle: Duration,
}

impl Registry {
    pub(super) fn new(store: Store, people: Arc<People>) -> Self {
        Self::with_idle(store, people, IDLE)
    }

    fn with_idle(store: Store, people: Arc<People>, idle: Duration) -> Self {
        Self {
            store,
            people,
            running: Arc::default(),
            idle,
        }
    }

    /// Sends a command to a room, starting its actor if necessary.
    pub(super) fn tell(&self, room: RoomId, message: RoomMsg) {
        let mut message = message;
        // A room that is being deleted returns the command; the next actor then replies that the room does not exist.
        for _ in 0..3 {
            match self.handle(room).tell(message) {
                Ok(()) => return,
                Err(back) => message = back,
            }
        }
        message.refuse(ChatError::Busy);
    }

    /// Like [`Registry::tell`], but waits for space in the mailbox.
    pub(super) async fn send(&self, room: RoomId, message: RoomMsg) {
        let mut message = message;
        for _ in 0..3 {
            match self.handle(room).send(message).await {
                Ok(()) => return,
                Err(back) => message = back,
            }
        }
        message.refuse(ChatError::Busy);
    }

    /// Sends a command to a room and waits for the reply.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        room: RoomId,
        message: impl FnOnce(Reply<T>) -> RoomMsg,
    ) -> Result<T, ChatError> {
        let (reply, answer) = reply();
        self.tell(room, message(reply));
        answer.await
    }

    /// Sends a command to a room if its actor is running: otherwise the actor will read the new state from the store.
    pub(super) fn tell_running(&self, room: RoomId, message: RoomMsg) {
        if let Some(handle) = self.running.get(room) {
            // A room that is being deleted does not need the command.
            let _ = handle.tell(message);
        }
    }

    /// Sends a command to a room and waits for the reply; `None` if its actor is not running.
    pub(super) async fn ask_running<T: Send + 'static>(
        &self,
        room: RoomId,
        message: impl FnOnce(Reply<T>) -> RoomMsg,
    ) -> Option<T> {
        let (reply, answer) = reply();
        // The handle is dropped before the reply arrives: an actor ends only when nobody holds a handle.
        self.running.get(room)?.tell(message(reply)).ok()?;
        answer.await.ok()
    }

    /// Tells all running room actors about a person's new name, picture or role.
    pub(super) fn tell_all_person(&self, person: &Arc<Person>) {
        for handle in self.running.all() {
            let _ = handle.tell(RoomMsg::Renamed(person.clone()));
        }
    }

    fn handle(&self, room: RoomId) -> RoomHandle {
        self.running.get_or_start(room, || {
            let home = (Arc::downgrade(&self.running), self.idle);
            RoomHandle::start(room, self.store.clone(), self.people.clone(), home)
        })
    }
}

#[cfg(test)]
mod tests;
