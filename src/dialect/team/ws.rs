//! The raw WebSocket: first an `IdMessage`, then `ChatMessage`s.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::chat::{Caller, ChatError, Connection, Frames, Outbox, TokenFault};
use crate::dialect::kit::websocket_session::{FRAME_MAX, Heard, converse, handshake_caller};
use crate::dialect::kit::{Answer, Call, Fault, SharedKit, Slot};
use crate::model::{Content, Draft, RoomId};
use crate::transport::frame::append_text_frame;
use crate::transport::upgrade::Upgrade;

use super::encode::TEAM;
use super::frames::{self, FrameIn};
use super::{NAME, error};

/// Handles the handshake. A token is required unless the dialect is open.
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

/// WebSocket session of one client.
struct Line {
    kit: SharedKit,
    outbox: Arc<Outbox>,
    proven: Option<Caller>,
    /// Base URL of this server as the client knows it.
    base: String,
    /// The core's connection, which ends with the session. `None` until the caller is known.
    connection: Mutex<Option<Arc<Connection>>>,
    present: Mutex<Option<Present>>,
}

/// Identity and conversation of a client after its `IdMessage`.
#[derive(Clone)]
struct Present {
    caller: Caller,
    /// Conversation of messages that do not name one.
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

    /// Handles an `IdMessage`: sets the caller and subscribes to one conversation or to all.
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

    /// Returns the connection, and opens it on the first call.
    async fn connect(&self, caller: &Caller) -> Result<Arc<Connection>, ChatError> {
        if let Some(connection) = &*lock(&self.connection) {
            return Ok(connection.clone());
        }
        // An `IdMessage` runs alone, so nothing else opens the connection in the meantime.
        let opened = self
            .kit
            .chat
            .connect(caller, Some(TEAM), self.outbox.clone(), &self.base)
            .await?;
        Ok(lock(&self.connection).insert(opened).clone())
    }

    /// Returns the caller and the room of a message.
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

    /// Posts a message. Only errors are answered.
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

/// Sends an error frame.
fn refuse(slot: &Slot, message: &str) {
    let mut frames = Frames::default();
    let json = frames::error_json(message);
    frames.add(|bytes| append_text_frame(bytes, &json));
    slot.push(frames.seal());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks that `senderId` is the caller's. It may be absent.
fn check_sender(caller: &Caller, sender: Option<&str>) -> Result<(), ChatError> {
    match sender {
        Some(sender) if sender != caller.person().uuid.to_string() => Err(ChatError::Forbidden),
        _ => Ok(()),
    }
}

fn parse_uuid(text: &str) -> Result<Uuid, ChatError> {
    Uuid::parse_str(text).map_err(|_| ChatError::NotFound("conversation"))
}
