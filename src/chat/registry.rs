//! The way to every room: its task is started on first use.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Person, RoomId};
use crate::store::Store;

use super::ChatError;
use super::people::People;
use super::room::{Reply, RoomHandle, RoomMsg, Running, reply};

/// A room without watchers and work ends its task after this time.
const IDLE: Duration = Duration::from_secs(60);

/// The way to every room.
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

    /// Tells a room, whose task is started if need be.
    pub(super) fn tell(&self, room: RoomId, message: RoomMsg) {
        let mut message = message;
        // A room that is deleted in this very moment gives the message back; the next task says that it is gone.
        for _ in 0..3 {
            match self.handle(room).tell(message) {
                Ok(()) => return,
                Err(back) => message = back,
            }
        }
        message.refuse(ChatError::Busy);
    }

    /// Tells a room, whose task is started if need be, as soon as its mailbox has room.
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
        if let Some(handle) = self.running.get(room) {
            // One that is deleted just now need not know.
            let _ = handle.tell(message);
        }
    }

    /// Asks a room that has a task; `None` if it has none.
    pub(super) async fn ask_running<T: Send + 'static>(
        &self,
        room: RoomId,
        message: impl FnOnce(Reply<T>) -> RoomMsg,
    ) -> Option<T> {
        let (reply, answer) = reply();
        // Not kept until the answer: a room ends its task only when nobody holds the way to it.
        self.running.get(room)?.tell(message(reply)).ok()?;
        answer.await.ok()
    }

    /// Tells all rooms that have a task of a person's new name, picture or role.
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
