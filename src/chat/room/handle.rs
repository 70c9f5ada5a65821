//! Handle of a room actor: the commands it takes, and how replies come back.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::{Change, Draft, Event, Member, Message, MessageId, Person, RoomId, UserId};
use crate::store::Store;

use super::super::connections::{Connection, People};
use super::super::encoder::Encoder;
use super::{ChatError, Order, PostOutcome, Running};

/// Number of commands that may wait for one room. Further ones fail with [`ChatError::Busy`].
const MAILBOX: usize = 256;
/// Callback for the reply to a command. Called once, in the room actor, so it must not block.
pub type Reply<T> = Box<dyn FnOnce(Result<T, ChatError>) + Send>;

/// Creates a reply and the future that waits for it, which fails with [`ChatError::Busy`] if the reply is dropped.
pub(in crate::chat) fn reply<T: Send + 'static>()
-> (Reply<T>, impl Future<Output = Result<T, ChatError>> + Send) {
    let (sender, receiver) = oneshot::channel();
    // Sending fails if the future was dropped: nobody needs the answer then.
    let reply = Box::new(move |answer| drop(sender.send(answer)));
    (reply, async move {
        receiver.await.unwrap_or(Err(ChatError::Busy))
    })
}

/// Sender of a message.
pub(in crate::chat) struct Speaker {
    pub person: Arc<Person>,
    /// Whether the person was admitted by name only (`compat.open`): see
    /// [`needs_proof`](crate::model::RoomKind::needs_proof).
    pub believed: bool,
}

/// Command to a room actor.
pub(in crate::chat) enum RoomMsg {
    Post {
        by: Speaker,
        draft: Draft,
        reply: Reply<PostOutcome>,
    },
    Change {
        by: Arc<Person>,
        message: MessageId,
        author: UserId,
        change: Change,
        reply: Reply<Arc<Message>>,
    },
    Read {
        by: Arc<Person>,
        through: MessageId,
        reply: Reply<()>,
    },
    Typing {
        by: Arc<Person>,
    },
    Attach {
        connection: Arc<Connection>,
        encoder: Encoder,
        position: Option<MessageId>,
        reply: Reply<Attached>,
    },
    Detach {
        connection: Arc<Connection>,
        /// In this dialect only; `None` in all.
        encoder: Option<Encoder>,
        reply: Reply<()>,
    },
    Order {
        by: Arc<Person>,
        order: Order,
        reply: Reply<Option<Member>>,
    },
    Online {
        reply: Reply<Online>,
    },
    Retire {
        user: UserId,
        reply: Reply<()>,
    },
    Watching {
        encoder: Encoder,
        reply: Reply<Vec<Arc<Person>>>,
    },
    Announce {
        encoder: Encoder,
        event: Event,
    },
    Renamed(Arc<Person>),
    Admit(Member),
    Reload,
}

/// Outcome of an attempt to subscribe.
#[derive(Clone, Debug)]
pub(in crate::chat) enum Attached {
    /// The connection receives all changes after its position, and changes of presence from now on.
    Live {
        online: Online,
        /// Messages up to this id were cleared.
        cleared_through: MessageId,
    },
    /// Too much has changed since the position: the connection has to read on from the store and try again. Changes up
    /// to `floor` are on disk, or were cleared and cannot be read any more, so the next attempt may start there.
    Behind {
        /// The room keeps all changes after this one.
        floor: MessageId,
    },
}

/// People online in a room.
#[derive(Clone, Debug, Default)]
pub struct Online {
    /// Empty in large rooms.
    pub people: Vec<Arc<Person>>,
    pub count: u32,
}

/// Handle of a room actor; cheap to clone.
#[derive(Clone)]
pub(in crate::chat) struct RoomHandle {
    mailbox: mpsc::Sender<RoomMsg>,
}

impl RoomHandle {
    /// Starts a room actor, which loads the room, and ends when it has been unused for `idle`.
    pub(in crate::chat) fn start(
        room: RoomId,
        store: Store,
        people: Arc<People>,
        (running, idle): (Weak<Running>, Duration),
    ) -> Self {
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        tokio::spawn(super::run(room, store, people, inbox, (running, idle)));
        Self { mailbox }
    }

    /// Queues a command. Returns it if the actor has ended; refuses it with [`ChatError::Busy`] if the mailbox is full.
    #[expect(
        clippy::result_large_err,
        reason = "it is handed over again, not looked at"
    )]
    pub(in crate::chat) fn tell(&self, message: RoomMsg) -> Result<(), RoomMsg> {
        match self.mailbox.try_send(message) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(message)) => Err(message),
            // A lost command would leave a connection attached, or a member missing: these wait for space.
            Err(mpsc::error::TrySendError::Full(message)) if message.must_arrive() => {
                let mailbox = self.mailbox.clone();
                tokio::spawn(async move {
                    if let Err(back) = mailbox.send(message).await {
                        back.0.refuse(ChatError::Busy);
                    }
                });
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(message)) => {
                message.refuse(ChatError::Busy);
                Ok(())
            }
        }
    }

    /// Queues a command as soon as the mailbox has space. Returns it if the actor has ended.
    pub(in crate::chat) async fn send(&self, message: RoomMsg) -> Result<(), RoomMsg> {
        self.mailbox.send(message).await.map_err(|back| back.0)
    }

    /// Whether the actor has ended or takes no more commands.
    pub(super) fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }
}

impl RoomMsg {
    /// Whether the command must not be lost, because no caller would repeat it.
    fn must_arrive(&self) -> bool {
        matches!(
            self,
            Self::Detach { .. }
                | Self::Retire { .. }
                | Self::Renamed(_)
                | Self::Admit(_)
                | Self::Reload
        )
    }

    /// Replies with an error; does nothing for commands without a reply.
    pub(in crate::chat) fn refuse(self, error: ChatError) {
        match self {
            Self::Post { reply, .. } => reply(Err(error)),
            Self::Change { reply, .. } => reply(Err(error)),
            Self::Read { reply, .. } => reply(Err(error)),
            Self::Attach { reply, .. } => reply(Err(error)),
            Self::Detach { reply, .. } => reply(Err(error)),
            Self::Order { reply, .. } => reply(Err(error)),
            Self::Online { reply } => reply(Err(error)),
            Self::Watching { reply, .. } => reply(Err(error)),
            Self::Retire { reply, .. } => reply(Err(error)),
            Self::Typing { .. }
            | Self::Announce { .. }
            | Self::Renamed(_)
            | Self::Admit(_)
            | Self::Reload => {}
        }
    }
}
