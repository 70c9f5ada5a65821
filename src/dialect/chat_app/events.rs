//! Events that clients of this dialect send.

use serde::Serialize;
use serde_json::Value;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Emit, Fault, Reply, Session};
use crate::model::{Content, Draft, Invalid, MessageId, UserId};

use super::error;

#[derive(Serialize)]
struct Connected {
    #[serde(rename = "User_id")]
    user_id: i64,
    #[serde(rename = "Connection")]
    connection: bool,
}

#[derive(Serialize)]
struct Said {
    msg: &'static str,
}

#[derive(Serialize)]
struct Failed {
    error: String,
    message: String,
}

/// Confirms that the client is connected: clients wait for this event.
pub(super) fn greet(session: &Session) {
    if let Some(caller) = &session.caller {
        session.emit(
            "connection",
            &Connected {
                user_id: caller.id().0,
                connection: true,
            },
        );
    }
}

pub(super) async fn send(session: &mut Session, value: Value) {
    if let Err(fault) = try_send(session, &value).await {
        fail(session, &fault);
    }
}

fn sent(reply: &Reply, posted: Result<(), ChatError>) {
    match posted {
        Ok(()) => reply.emit(
            "message_sent",
            &Said {
                msg: "Message sent successfully",
            },
        ),
        Err(error) => fail(reply, &error.into()),
    }
}

pub(super) async fn mark_read(session: &mut Session, value: Value) {
    if let Err(fault) = try_mark_read(session, &value).await {
        fail(session, &fault);
    }
}

async fn try_send(session: &mut Session, value: &Value) -> Result<(), Fault> {
    let caller = who(session)?;
    check_identity(caller, &value["sender_id"])?;
    let receiver = user_id(value, "receiver_id")?;
    let content = value["content"]
        .as_str()
        .ok_or(Invalid::new("content", "must be a text"))?;
    let draft = Draft::new(Content::parse(content)?);
    let (room, _) = session.kit.chat.direct_room(caller, receiver).await?;
    session.post(room.id, draft, sent).await;
    Ok(())
}

async fn try_mark_read(session: &mut Session, value: &Value) -> Result<(), Fault> {
    let (caller, chat) = (who(session)?.clone(), session.kit.chat.clone());
    let sender = user_id(value, "sender_id")?;
    if let Some(room) = chat.find_direct_room(&caller, sender).await? {
        session.detach(|reply| async move {
            if let Err(error) = chat.read(&caller, room.id, MessageId(i64::MAX)).await {
                fail(&reply, &error.into());
            }
        });
    }
    Ok(())
}

fn who(session: &Session) -> Result<&Caller, Fault> {
    session.caller.as_ref().ok_or(ChatError::Forbidden.into())
}

/// Checks the sender id. It is optional, but must be the caller's if it is given.
fn check_identity(caller: &Caller, said: &Value) -> Result<(), ChatError> {
    let is_own = match said {
        Value::Null => true,
        Value::String(text) => text.is_empty() || *text == caller.id().to_string(),
        other => format!("{other}") == format!("{}", caller.id()),
    };
    is_own.then_some(()).ok_or(ChatError::Forbidden)
}

/// Parses an id, which clients send as a number or as text.
fn user_id(value: &Value, field: &'static str) -> Result<UserId, Invalid> {
    let id = &value[field];
    let number = id
        .as_i64()
        .or_else(|| id.as_str().and_then(|text| text.parse().ok()));
    number
        .filter(|id| *id > 0)
        .map(UserId)
        .ok_or(Invalid::new(field, "must be the number of a user"))
}

fn fail(client: &impl Emit, fault: &Fault) {
    let error = error::text(fault);
    client.emit(
        "error",
        &Failed {
            message: error.clone(),
            error,
        },
    );
}
