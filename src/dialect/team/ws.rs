//! The raw WebSocket: first `IdMessage`, then `ChatMessage`s.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::chat::{Caller, ChatError, Connection, Frames, Outbox, TokenFault};
use crate::dialect::kit::raw::{FRAME_MAX, Heard, converse, handshake_caller};
use crate::dialect::kit::{Answer, Call, Fault, SharedKit, Slot};
use crate::model::{Content, Draft, RoomId};
use crate::transport::frame::append_text_frame;
use crate::transport::upgrade::Upgrade;

use super::encode::TEAM;
use super::frames::{self, FrameIn};
use super::{NAME, error};

/// Answers the handshake: without a token there is none, unless an operator has switched proof off.
pub(super) async fn open(mut call: Call) -> Answer {
    let caller = handshake_caller(&call).await?;
    if caller.is_none() && !call.is_open(NAME) {
        return Err(call.token_fault(call.kit.is_open(NAME)));
    }
    let upgrade = Upgrade::check(&call.headers, call.on_upgrade.take()).map_err(Fault::Upgrade)?;
    let response = upgrade.response();
    let line = Arc::new(Line {
        kit: call.kit.clone(),
        outbox: Arc::default(),
        proven: caller,
        base: call.base_url(),
        connection: Mutex::default(),
        present: Mutex::default(),
    });
    if let Some(caller) = &line.proven {
        line.connect(caller).await?;
    }
    tokio::spawn(async move {
        if let Ok(socket) = upgrade.open(FRAME_MAX).await {
            let hear = |text: &str, slot| hear(&line, text, slot);
            converse(socket, line.outbox.clone(), None, hear).await;
        }
        let connection = lock(&line.connection).take();
        if let Some(connection) = connection {
            line.kit.chat.disconnect(&connection).await;
        }
    });
    Ok(response)
}

fn hear(line: &Arc<Line>, text: &str, slot: Slot) -> Heard {
    match frames::parse(text) {
        Ok(frame) => {
            let line = line.clone();
            Heard::Doing(Box::pin(async move { line.take(frame, slot).await }))
        }
        Err(why) => {
            refuse(&slot, why);
            Heard::Nonsense
        }
    }
}

/// One client.
struct Line {
    kit: SharedKit,
    outbox: Arc<Outbox>,
    proven: Option<Caller>,
    /// The address of this server as the client knows it.
    base: String,
    /// What ends with the session: there as soon as it is known whose it is.
    connection: Mutex<Option<Arc<Connection>>>,
    present: Mutex<Option<Present>>,
}

/// A client that has said who it is and where.
#[derive(Clone)]
struct Present {
    caller: Caller,
    /// Where it speaks when it does not say where.
    conversation: Option<RoomId>,
}

impl Line {
    async fn take(&self, frame: FrameIn, slot: Slot) {
        let done = match frame {
            FrameIn::Id {
                sender,
                conversation,
            } => match slot.alone().await {
                true => self.come(sender, conversation).await,
                false => return,
            },
            FrameIn::Chat {
                sender,
                conversation,
                content,
                sent_at,
                aside,
            } => {
                let draft = Content::parse(&content).map(|content| Draft {
                    sent_at,
                    aside,
                    ..Draft::new(content)
                });
                let place = self.place(sender, conversation);
                match draft {
                    Ok(draft) => match place.await {
                        Ok((caller, room)) => return self.say(&caller, room, draft, slot).await,
                        Err(error) => Err(error),
                    },
                    Err(invalid) => Err(invalid.into()),
                }
            }
        };
        if let Err(error) = done {
            refuse(&slot, &error::text(&Fault::Chat(error)));
        }
    }

    /// Says who it is, and listens to one conversation or to all.
    async fn come(
        &self,
        sender: Option<String>,
        conversation: Option<String>,
    ) -> Result<(), ChatError> {
        let chat = &self.kit.chat;
        let caller = match &self.proven {
            Some(caller) => caller.clone(),
            None => {
                chat.trust_uuid(parse_uuid(sender.as_deref().unwrap_or_default())?)
                    .await?
            }
        };
        check_sender(&caller, sender.as_deref())?;
        let conversation = match conversation {
            Some(uuid) => Some(self.room(&caller, &uuid).await?),
            None => None,
        };
        let connection = self.connect(&caller).await?;
        let rooms = match conversation {
            Some(room) => vec![room],
            None => chat
                .rooms(&caller)
                .await?
                .into_iter()
                .map(|overview| overview.room.id)
                .collect(),
        };
        *lock(&self.present) = Some(Present {
            caller,
            conversation,
        });
        for room in rooms {
            chat.watch(&connection, TEAM, room).await?;
        }
        Ok(())
    }

    /// The connection, which is opened the first time.
    async fn connect(&self, caller: &Caller) -> Result<Arc<Connection>, ChatError> {
        if let Some(connection) = &*lock(&self.connection) {
            return Ok(connection.clone());
        }
        // Whoever comes is alone: nobody else opens it meanwhile.
        let opened = self
            .kit
            .chat
            .connect(caller, Some(TEAM), self.outbox.clone(), &self.base)
            .await?;
        Ok(lock(&self.connection).insert(opened).clone())
    }

    /// The speaker and the room.
    async fn place(
        &self,
        sender: Option<String>,
        conversation: Option<String>,
    ) -> Result<(Caller, RoomId), ChatError> {
        let present = self
            .present()
            .ok_or(ChatError::Unauthenticated(TokenFault::Missing))?;
        check_sender(&present.caller, sender.as_deref())?;
        let room = match conversation {
            Some(uuid) => self.room(&present.caller, &uuid).await?,
            None => present
                .conversation
                .ok_or(ChatError::NotFound("conversation"))?,
        };
        Ok((present.caller, room))
    }

    /// Posts a message; it is answered only if it is refused.
    async fn say(&self, caller: &Caller, room: RoomId, draft: Draft, slot: Slot) {
        let reply = Box::new(move |posted: Result<_, _>| {
            if let Err(error) = posted {
                refuse(&slot, &error::text(&Fault::Chat(error)));
            }
        });
        self.kit.chat.post_then(caller, room, draft, reply).await;
    }

    async fn room(&self, caller: &Caller, uuid: &str) -> Result<RoomId, ChatError> {
        Ok(self
            .kit
            .chat
            .room_by_uuid(caller, parse_uuid(uuid)?)
            .await?
            .0
            .id)
    }

    fn present(&self) -> Option<Present> {
        lock(&self.present).clone()
    }
}

/// Tells a client that a frame was not done.
fn refuse(slot: &Slot, message: &str) {
    let mut frames = Frames::default();
    let json = frames::error_json(message);
    frames.add(|bytes| append_text_frame(bytes, &json));
    slot.push(frames.seal());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A `senderId` must be the caller's own; none is taken for it.
fn check_sender(caller: &Caller, sender: Option<&str>) -> Result<(), ChatError> {
    match sender {
        Some(sender) if sender != caller.person().uuid.to_string() => Err(ChatError::Forbidden),
        _ => Ok(()),
    }
}

fn parse_uuid(text: &str) -> Result<Uuid, ChatError> {
    Uuid::parse_str(text).map_err(|_| ChatError::NotFound("conversation"))
}
