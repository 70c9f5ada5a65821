//! Responses to Socket.IO events, also after their handler has returned. Independent of any dialect.

use serde::Serialize;

use crate::chat::{ChatError, EncodedFrames, Frames, PostOutcome};
use crate::model::{Draft, RoomId};
use crate::transport::socketio::{AckId, Client, Values};

use super::pipeline::Slot;
use super::socketio_session::{Queue, Session};

/// Sends events to one client, in the order of the client's own events.
pub trait Emit {
    /// Sends an event with one value.
    fn emit<T: Serialize + ?Sized>(&self, name: &str, value: &T);
}

/// Response handle of one event. When it is dropped, the event ends and is acknowledged.
pub struct Reply {
    slot: Slot,
    client: Client<Queue>,
    ack: Option<AckId>,
}

impl Reply {
    /// Creates the handle of an event, which acknowledges it if the client asked for that.
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
    /// Posts a message as soon as the room accepts it, without waiting for the disk. `answer` reports the outcome to
    /// the client, which ends the event.
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
                let reply = Box::new(move |posted: Result<PostOutcome, _>| {
                    answer(&reply, posted.map(drop));
                });
                self.kit.chat.post_then(caller, room, draft, reply).await;
            }
            None => answer(&reply, Err(ChatError::Forbidden)),
        }
    }

    /// Runs work that no other event of this connection waits for. The event ends with it.
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

fn seal(values: Values) -> EncodedFrames {
    let mut frames = Frames::default();
    frames.add(|bytes| values.append_to(bytes));
    frames.seal()
}
