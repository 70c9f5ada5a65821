//! Commands that clients send over the WebSocket, and their responses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::{Caller, Chat, ChatError, Connection, EncodedFrames, Frames, PostOutcome};
use crate::dialect::kit::websocket_session::Heard;
use crate::dialect::kit::{Fault, Slot};
use crate::model::{Content, Emoji, Message, MessageId, RoomId};

use super::encode::{self, NATIVE};
use super::error::{Refusal, describe};
use super::resume;
use super::wire::{DraftBody, MessageJson};

/// A command frame.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Op {
    Auth {
        token: String,
    },
    Send {
        room: i64,
        #[serde(flatten)]
        draft: DraftBody,
    },
    Edit {
        message: i64,
        content: String,
    },
    Delete {
        message: i64,
    },
    React {
        message: i64,
        emoji: String,
        on: Option<bool>,
    },
    Read {
        room: i64,
        message: i64,
    },
    Typing {
        room: i64,
    },
    Resume {
        room: i64,
        after: i64,
    },
    ResumeRooms {
        rooms: Vec<(i64, i64)>,
    },
    Leave {
        room: i64,
    },
    Ping {},
}

/// Number that the client gave to its frame, repeated in the response.
type Id = Option<i64>;

#[derive(Serialize)]
pub(super) struct Done<T> {
    pub re: i64,
    pub ok: T,
}

#[derive(Serialize)]
struct Refused {
    re: Id,
    error: Refusal,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Changed<'a> {
    message: MessageJson<'a>,
}

#[derive(Serialize)]
struct Sent<'a> {
    message: MessageJson<'a>,
    new: bool,
}

/// Parses a frame. An error comes with the frame's number if that could be parsed.
pub(super) fn parse(text: &str) -> Result<(Id, Op), (Id, Fault)> {
    #[derive(Deserialize)]
    struct Head<'a> {
        id: Id,
        #[serde(borrow)]
        op: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Place {
        room: i64,
    }
    let bad = |error: serde_json::Error| Fault::BadJson {
        field: None,
        detail: error.to_string(),
    };
    let head: Head<'_> = serde_json::from_str(text).map_err(|error| (None, bad(error)))?;
    let op = match head.op.map(RawValue::get) {
        // The most frequent command is parsed without the copies that the tag and the flattened draft require.
        Some(r#""send""#) => serde_json::from_str(text).and_then(|Place { room }| {
            let draft = serde_json::from_str(text)?;
            Ok(Op::Send { room, draft })
        }),
        _ => serde_json::from_str(text),
    };
    Ok((head.id, op.map_err(|error| (head.id, bad(error)))?))
}

/// Executes a command, or returns the task that does. Only `send` begins before earlier commands have ended.
pub(super) fn perform(
    chat: &Chat,
    caller: &Caller,
    connection: &Arc<Connection>,
    (slot, id): (Slot, Id),
    op: Op,
) -> Heard {
    let answer = Answer { slot, id };
    match op {
        Op::Send { room, draft } => match draft.parse() {
            Ok(draft) => {
                let (chat, caller) = (chat.clone(), caller.clone());
                let reply = answer.of(sent);
                Heard::Doing(Box::pin(async move {
                    chat.post_then(&caller, RoomId(room), draft, reply).await;
                }))
            }
            Err(invalid) => {
                answer.refuse(&invalid.into());
                Heard::Done
            }
        },
        Op::Ping {} => {
            answer.done();
            Heard::Done
        }
        Op::Auth { .. } => {
            answer.refuse(&Fault::BadJson {
                field: Some("op".to_owned()),
                detail: "auth is for the first frame".to_owned(),
            });
            Heard::Done
        }
        other => {
            let connection = connection.clone();
            let (chat, caller) = (chat.clone(), caller.clone());
            Heard::Doing(Box::pin(async move {
                if answer.slot.alone().await {
                    perform_alone(chat, caller, &connection, answer, other).await;
                }
            }))
        }
    }
}

/// Executes a command that must wait for all earlier ones.
async fn perform_alone(
    chat: Chat,
    caller: Caller,
    connection: &Arc<Connection>,
    mut answer: Answer,
    op: Op,
) {
    match op {
        Op::Typing { room } => {
            chat.typing(&caller, RoomId(room));
            answer.done();
        }
        Op::Edit { message, content } => match Content::beside_files(&content) {
            Ok(content) => {
                answer.of(changed)(chat.edit(&caller, MessageId(message), content).await)
            }
            Err(invalid) => answer.refuse(&invalid.into()),
        },
        Op::Delete { message } => {
            answer.of(changed)(chat.delete(&caller, MessageId(message)).await)
        }
        Op::React { message, emoji, on } => match Emoji::parse(&emoji) {
            Ok(emoji) => {
                let on = on.unwrap_or(true);
                let reacted = chat.react(&caller, MessageId(message), emoji, on).await;
                answer.of(changed)(reacted);
            }
            Err(invalid) => answer.refuse(&invalid.into()),
        },
        Op::Read { room, message } => {
            answer.slot.detach();
            tokio::spawn(async move {
                answer.of(|id, _| done(id))(
                    chat.read(&caller, RoomId(room), MessageId(message)).await,
                );
            });
        }
        Op::Resume { room, after } => {
            resume::one(&chat, &caller, connection, answer, (room, after)).await;
        }
        Op::ResumeRooms { rooms } => {
            resume::many(&chat, &caller, connection, answer, rooms).await;
        }
        Op::Leave { room } => {
            chat.unwatch(connection, NATIVE, RoomId(room)).await;
            answer.done();
        }
        Op::Auth { .. } | Op::Send { .. } | Op::Ping {} => {}
    }
}

/// Response handle of a command. The command ends when this is dropped.
pub(super) struct Answer {
    slot: Slot,
    pub id: Id,
}

impl Answer {
    /// Returns a function that responds with the frame of the outcome, or with the error.
    pub fn of<T>(
        self,
        frame: fn(i64, &T) -> EncodedFrames,
    ) -> Box<dyn FnOnce(Result<T, ChatError>) + Send>
    where
        T: 'static,
    {
        Box::new(move |outcome| match (outcome, self.id) {
            (Ok(value), Some(id)) => self.slot.push(frame(id, &value)),
            (Ok(_), None) => {}
            (Err(error), _) => self.refuse(&error.into()),
        })
    }

    fn done(self) {
        if let Some(id) = self.id {
            self.slot.push(done(id));
        }
    }

    pub fn refuse(self, fault: &Fault) {
        self.slot.push(refusal(self.id, fault));
    }
}

/// Success response without a value.
pub(super) fn done(id: i64) -> EncodedFrames {
    frame(&Done {
        re: id,
        ok: Nothing {},
    })
}

pub(super) fn refusal(id: Id, fault: &Fault) -> EncodedFrames {
    frame(&Refused {
        re: id,
        error: describe(fault).1,
    })
}

fn sent(re: i64, posted: &PostOutcome) -> EncodedFrames {
    frame(&Done {
        re,
        ok: Sent {
            message: (&*posted.message).into(),
            new: posted.new,
        },
    })
}

fn changed(re: i64, message: &Arc<Message>) -> EncodedFrames {
    frame(&Done {
        re,
        ok: Changed {
            message: (&**message).into(),
        },
    })
}

pub(super) fn frame(value: &impl Serialize) -> EncodedFrames {
    let mut frames = Frames::default();
    encode::add(&mut frames, value);
    frames.seal()
}
