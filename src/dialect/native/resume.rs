//! Catching up on missed changes: `resume` for one room, `resume_rooms` for many rooms in one frame.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::oneshot;

use crate::chat::{Caller, Chat, ChatError, Connection, EncodedFrames, Resumed};
use crate::dialect::kit::Fault;
use crate::model::{Invalid, MessageId, RoomId};

use super::commands::{Answer, Done, frame};
use super::encode::{self, NATIVE};
use super::error::{Refusal, describe};
use super::wire::{MessageJson, PersonJson};

/// Maximum number of rooms in one frame.
const ROOMS_MAX: usize = 100;
/// Once a response contains this many messages, the client has to ask for the remaining rooms again.
const MESSAGES_MAX: usize = 200;

#[derive(Serialize)]
struct ResumedJson<'a> {
    room: i64,
    messages: Vec<MessageJson<'a>>,
    more: bool,
    cleared_through: i64,
    reset: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    online: Option<Vec<PersonJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    online_count: Option<u32>,
}

/// Response for many rooms.
#[derive(Serialize)]
struct RoomsJson<'a> {
    rooms: Vec<ResumedJson<'a>>,
    refused: Vec<RefusedJson>,
}

#[derive(Serialize)]
struct RefusedJson {
    room: i64,
    error: Refusal,
}

impl<'a> From<&'a Resumed> for ResumedJson<'a> {
    fn from(resumed: &'a Resumed) -> Self {
        let online = resumed.online.as_ref();
        Self {
            room: resumed.room.0,
            messages: resumed.messages.iter().map(Into::into).collect(),
            more: resumed.more,
            cleared_through: resumed.cleared_through.0,
            reset: resumed.reset,
            online: online.map(|online| encode::people(&online.people)),
            online_count: online.map(|online| online.count),
        }
    }
}

/// Returns a room's changes after a change id.
pub(super) async fn one(
    chat: &Chat,
    caller: &Caller,
    connection: &Arc<Connection>,
    answer: Answer,
    (room, after): (i64, i64),
) {
    let reply = Box::new(answer.of(resumed));
    let (room, after) = (RoomId(room), MessageId(after));
    chat.resume(caller, connection, NATIVE, room, after, reply)
        .await;
}

/// Returns the changes of many rooms in one response, each after a change id.
pub(super) async fn many(
    chat: &Chat,
    caller: &Caller,
    connection: &Arc<Connection>,
    answer: Answer,
    rooms: Vec<(i64, i64)>,
) {
    let Some(id) = answer.id else {
        return answer.refuse(&missing_id());
    };
    if rooms.len() > ROOMS_MAX {
        return answer.refuse(&Invalid::new("rooms", "has more than 100 rooms").into());
    }
    // Holds back events of rooms that are already subscribed until the response is queued.
    let outbox = connection.outbox();
    outbox.hold();
    let (mut done, mut refused, mut left) = (Vec::new(), Vec::new(), MESSAGES_MAX);
    for (room, after) in rooms {
        if left == 0 {
            done.push(ask_again(room));
            continue;
        }
        match catch_up(chat, caller, connection, (room, after)).await {
            Ok(resumed) => {
                left = left.saturating_sub(resumed.messages.len());
                done.push(resumed);
            }
            Err(error) => refused.push(RefusedJson {
                room,
                error: describe(&error.into()).1,
            }),
        }
    }
    let rooms = done.iter().map(ResumedJson::from).collect();
    let ok = RoomsJson { rooms, refused };
    outbox.fill(frame(&Done { re: id, ok }));
}

async fn catch_up(
    chat: &Chat,
    caller: &Caller,
    connection: &Arc<Connection>,
    (room, after): (i64, i64),
) -> Result<Resumed, ChatError> {
    let (sender, receiver) = oneshot::channel();
    let reply = Box::new(move |resumed| {
        // The receiver is gone if the connection has ended.
        let _ = sender.send(resumed);
    });
    let (room, after) = (RoomId(room), MessageId(after));
    chat.resume(caller, connection, NATIVE, room, after, reply)
        .await;
    receiver.await.map_err(|_| ChatError::Busy)?
}

/// Returns the placeholder for a room that did not fit into the response.
fn ask_again(room: i64) -> Resumed {
    Resumed {
        room: RoomId(room),
        messages: Vec::new(),
        more: true,
        cleared_through: MessageId(0),
        reset: false,
        online: None,
    }
}

fn missing_id() -> Fault {
    Fault::BadJson {
        field: Some("id".to_owned()),
        detail: "is missing".to_owned(),
    }
}

fn resumed(re: i64, resumed: &Resumed) -> EncodedFrames {
    let ok = ResumedJson::from(resumed);
    frame(&Done { re, ok })
}
