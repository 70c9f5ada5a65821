//! Catching up: `resume` for one room, `resume_rooms` for many in one frame.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::oneshot;

use crate::chat::{Caller, Chat, ChatError, Connection, Resumed, Sealed};
use crate::dialect::kit::Fault;
use crate::model::{Invalid, MessageId, RoomId};

use super::encode::{self, NATIVE};
use super::error::{Refusal, describe};
use super::ops::{Answer, Done, frame};
use super::wire::{MessageJson, PersonJson};

/// The most rooms in one frame.
const ROOMS_MAX: usize = 100;
/// Once an answer holds that many messages, its other rooms are to be asked for again.
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

/// The answer for many rooms.
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

/// Catches up in one room, from a change on.
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

/// Catches up in many rooms, each from a change on, with one answer.
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
    // What happens in rooms that are live already is told after the answer.
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
        // Nobody waits for it any more if the connection has ended.
        let _ = sender.send(resumed);
    });
    let (room, after) = (RoomId(room), MessageId(after));
    chat.resume(caller, connection, NATIVE, room, after, reply)
        .await;
    receiver.await.map_err(|_| ChatError::Busy)?
}

/// The place of a room for which the answer has no space.
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

fn resumed(re: i64, resumed: &Resumed) -> Sealed {
    let ok = ResumedJson::from(resumed);
    frame(&Done { re, ok })
}
