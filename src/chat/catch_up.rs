//! Brings a returning connection up to date in a room: a page of changes at a time, then live without a gap.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::model::{Action, Message, MessageId, RoomId};

use super::connections::Connection;
use super::room::{Attached, Online, Reply, RoomMsg};
use super::{Caller, Chat, ChatError, Encoder};

/// Maximum number of changes in one answer to a resume.
const PAGE: u32 = 200;
/// A client that missed more changes than this loads the history instead.
const BEHIND_MAX: u32 = 5000;

/// The changes that a returning connection missed in a room.
#[derive(Clone, Debug)]
pub struct Resumed {
    pub room: RoomId,
    /// Messages that are new or changed, by change id.
    pub messages: Vec<Message>,
    /// Whether more wait; if not, the connection is live from here on.
    pub more: bool,
    /// Messages up to this id were cleared.
    pub cleared_through: MessageId,
    /// The connection missed too many changes: it is live now, and the client must discard the messages it holds.
    pub reset: bool,
    /// The people online. Set once the connection is live; presence events tell the changes after that.
    pub online: Option<Online>,
}

impl Resumed {
    /// Removes messages that were cleared after they were read.
    fn clear(&mut self, through: MessageId) {
        self.cleared_through = self.cleared_through.max(through);
        self.messages.retain(|message| message.id > through);
    }
}

impl Chat {
    /// Brings a connection up to date in a room. When nothing more waits, it is live from there on, without a gap:
    /// `reply` is called in the room actor right before the first event.
    pub async fn resume(
        &self,
        caller: &Caller,
        connection: &Arc<Connection>,
        encoder: Encoder,
        room: RoomId,
        after: MessageId,
        reply: Reply<Resumed>,
    ) {
        let mut reply = Some(reply);
        if let Err(error) = self
            .catch_up(caller, connection, encoder, (room, after), &mut reply)
            .await
            && let Some(reply) = reply
        {
            reply(Err(error));
        }
    }

    async fn catch_up(
        &self,
        caller: &Caller,
        connection: &Arc<Connection>,
        encoder: Encoder,
        (room, after): (RoomId, MessageId),
        reply: &mut MaybeReply,
    ) -> Result<(), ChatError> {
        let store = self.store_for(caller);
        let cleared_through = self
            .room_for(caller, room, Action::Read)
            .await?
            .0
            .cleared_through;
        let reset = store.count_changes(room, after, BEHIND_MAX + 1).await? > BEHIND_MAX;
        let mut floor = after;
        let mut resumed = Resumed {
            room,
            messages: Vec::new(),
            more: false,
            cleared_through,
            reset,
            online: None,
        };
        loop {
            if !reset {
                resumed.messages = store.changes(room, after, PAGE).await?;
                resumed.more = resumed.messages.len() as u32 == PAGE;
            }
            if resumed.more {
                reply
                    .take()
                    .into_iter()
                    .for_each(|reply| reply(Ok(resumed.clone())));
                return Ok(());
            }
            let read = resumed
                .messages
                .last()
                .map_or(after, |message| message.change_id);
            let position = (!reset).then_some(read.max(floor));
            let (attach, attached) = attach_reply(resumed.clone(), reply);
            let connection = connection.clone();
            self.core.registry.tell(
                room,
                RoomMsg::Attach {
                    connection,
                    encoder,
                    position,
                    reply: attach,
                },
            );
            match attached.await.map_err(|_| ChatError::Busy)? {
                None => return Ok(()),
                // The next round reads all messages up to the floor that were not cleared.
                Some((back, known)) => (*reply, floor) = (Some(back), known),
            }
        }
    }
}

type MaybeReply = Option<Reply<Resumed>>;

/// The reply, which was not called yet, and the change after which the room keeps all changes.
type Behind = Option<(Reply<Resumed>, MessageId)>;

/// Creates a reply for the room actor: if live, it passes on `resumed` before the first event; if behind, it gives
/// `reply` back.
fn attach_reply(
    mut resumed: Resumed,
    reply: &mut MaybeReply,
) -> (Reply<Attached>, oneshot::Receiver<Behind>) {
    let (sender, receiver) = oneshot::channel();
    let reply = reply.take();
    let attach = move |attached: Result<Attached, ChatError>| {
        let answer = match attached {
            Ok(Attached::Behind { floor }) => {
                let _ = sender.send(reply.map(|reply| (reply, floor)));
                return;
            }
            Ok(Attached::Live {
                online,
                cleared_through,
            }) => {
                resumed.online = Some(online);
                resumed.clear(cleared_through);
                Ok(resumed)
            }
            Err(error) => Err(error),
        };
        if let Some(reply) = reply {
            reply(answer);
        }
        let _ = sender.send(None);
    };
    (Box::new(attach), receiver)
}
