//! The way to a room's task: what it can be told, and how answers come back.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::{Change, Draft, Event, Member, Message, MessageId, Person, RoomId, UserId};
use crate::store::Store;

use super::super::encode::Encoder;
use super::super::people::{Connection, People};
use super::{ChatError, Order, Posted, Running};

/// So many commands may wait for one room; the next is told [`ChatError::Busy`].
const MAILBOX: usize = 256;
/// How an answer gets back: called once, on the room's task, so it must not block.
pub type Reply<T> = Box<dyn FnOnce(Result<T, ChatError>) + Send>;

/// A reply and the future that waits for it.
pub(in crate::chat) fn reply<T: Send + 'static>()
-> (Reply<T>, impl Future<Output = Result<T, ChatError>> + Send) {
    let (sender, receiver) = oneshot::channel();
    // Whoever asked may have gone; nobody misses the answer then.
    let reply = Box::new(move |answer| drop(sender.send(answer)));
    (reply, async move {
        receiver.await.unwrap_or(Err(ChatError::Busy))
    })
}

/// The sender of a message.
pub(in crate::chat) struct Speaker {
    pub person: Arc<Person>,
    /// Whether they were admitted by name only (`compat.open`), see [`needs_proof`](crate::model::RoomKind::needs_proof).
    pub believed: bool,
}

/// What a room can be told.
pub(in crate::chat) enum RoomMsg {
    Post {
        by: Speaker,
        draft: Draft,
        reply: Reply<Posted>,
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
        /// In this protocol only.
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

/// What became of a connection that wants to watch.
#[derive(Clone, Debug)]
pub(in crate::chat) enum Attached {
    /// It hears all that follows its position, and who comes and goes from here on.
    Live {
        /// Who is there.
        online: Online,
        /// Everything up to this message was cleared away.
        cleared_through: MessageId,
    },
    /// Too much has happened since its position: it reads on and asks again. Everything up to `floor` is on disk, or was
    /// cleared away and will never be read: that far it need not ask.
    Behind {
        /// The change after which the room knows what happened.
        floor: MessageId,
    },
}

/// Who is there.
#[derive(Clone, Debug, Default)]
pub struct Online {
    /// The people; empty in large rooms.
    pub people: Vec<Arc<Person>>,
    /// How many.
    pub count: u32,
}

/// The way to a room's task; cheap to clone.
#[derive(Clone)]
pub(in crate::chat) struct RoomHandle {
    mailbox: mpsc::Sender<RoomMsg>,
}

impl RoomHandle {
    /// Starts the room's task, which loads the room, and ends when nobody has needed it for the time of `idle`.
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

    /// Hands a message over; gives it back if the task has ended, refuses it if there is no room for it.
    #[expect(
        clippy::result_large_err,
        reason = "it is handed over again, not looked at"
    )]
    pub(in crate::chat) fn tell(&self, message: RoomMsg) -> Result<(), RoomMsg> {
        match self.mailbox.try_send(message) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(message)) => Err(message),
            // Who left must not be told any more, and no member be missing: such words wait for their place.
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

    /// Hands a message over as soon as there is room for it; gives it back if the task has ended.
    pub(in crate::chat) async fn send(&self, message: RoomMsg) -> Result<(), RoomMsg> {
        self.mailbox.send(message).await.map_err(|back| back.0)
    }

    /// Whether the task has ended or takes nothing more.
    pub(super) fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }
}

impl RoomMsg {
    /// Whether nobody would ask again if it were lost.
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

    /// Answers with an error.
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
