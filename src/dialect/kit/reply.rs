//! Answers to Socket.IO events, also after their handler has returned. Must not know any dialect.

use serde::Serialize;

use crate::chat::{ChatError, Frames, Posted, Sealed};
use crate::model::{Draft, RoomId};
use crate::transport::socketio::{AckId, Client, Values};

use super::pipeline::Slot;
use super::sockets::{Queue, Session};

/// Where events for one client go, in the order of what the client sent.
pub trait Emit {
    /// Sends an event with one value.
    fn emit<T: Serialize + ?Sized>(&self, name: &str, value: &T);
}

/// The way back to the client that sent an event. When this is dropped, the event has ended and is acknowledged.
pub struct Reply {
    slot: Slot,
    client: Client<Queue>,
    ack: Option<AckId>,
}

impl Reply {
    /// The answer to an event, acknowledged if the client asks for it.
    pub(super) fn new(slot: Slot, client: Client<Queue>, ack: Option<AckId>) -> Self {
        Self { slot, client, ack }
    }
}

impl Emit for Reply {
    fn emit<T: Serialize + ?Sized>(&self, name: &str, value: &T) {
        self.slot.push(seal(self.client.event(name).arg(value)));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(ack) = &self.ack {
            self.slot.push(seal(self.client.answer(ack)));
        }
    }
}

impl Emit for Session {
    fn emit<T: Serialize + ?Sized>(&self, name: &str, value: &T) {
        self.pipeline.push(seal(self.client.event(name).arg(value)));
    }
}

impl Session {
    /// Posts a message as soon as the room can take it, and does not wait for the disk. `answer` tells the client of the
    /// outcome; the event ends with that.
    pub async fn post(
        &mut self,
        room: RoomId,
        draft: Draft,
        answer: impl FnOnce(&Reply, Result<(), ChatError>) + Send + 'static,
    ) {
        let Some(reply) = self.reply.take() else {
            return;
        };
        match &self.caller {
            Some(caller) => {
                let reply = Box::new(move |posted: Result<Posted, _>| {
                    answer(&reply, posted.map(drop));
                });
                self.kit.chat.post_then(caller, room, draft, reply).await;
            }
            None => answer(&reply, Err(ChatError::Forbidden)),
        }
    }

    /// Does something that nothing else of this connection waits for; the event ends with that.
    pub fn detach<F>(&mut self, work: impl FnOnce(Reply) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(mut reply) = self.reply.take() {
            reply.slot.detach();
            tokio::spawn(work(reply));
        }
    }
}

fn seal(values: Values) -> Sealed {
    let mut frames = Frames::default();
    frames.add(|bytes| values.append_to(bytes));
    frames.seal()
}
