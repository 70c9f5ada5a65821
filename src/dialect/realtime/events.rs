//! Events that clients of this dialect send.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::{Caller, ChatError, Connection};
use crate::dialect::kit::{Emit, PEOPLE_MAX, Reply, Session};
use crate::model::{Content, Draft, Event, MessageId, Room, RoomId, UserId};

use super::encode::{PassageJson, REALTIME};
use super::error::Refusal;
use super::private::ONESELF;
use super::wire::NameJson;
use super::{chats, files};

const NOT_IN_PUBLIC: Refusal = Refusal::bad("Not in public chat");

/// Marker in the session's state: the socket has joined the public chat.
#[derive(Clone)]
struct InPublic;

#[derive(Serialize)]
struct Welcome {
    message: String,
}

#[derive(Serialize)]
struct JoinedPrivate {
    chat_id: i64,
    other_user: NameJson,
}

#[derive(Serialize)]
struct Online {
    users: Vec<NameJson>,
}

#[derive(Serialize)]
struct MarkedRead {
    chat_id: i64,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Failed {
    message: String,
}

type Done = Result<(), Refusal>;

/// Greets a client that has connected.
pub(super) fn greet(session: &Session) {
    let name = session
        .caller
        .as_ref()
        .map(|caller| &caller.person().username);
    let message = name.map_or_else(|| "Welcome!".to_owned(), |name| format!("Welcome {name}!"));
    session.emit("connected", &Welcome { message });
}

/// Defines handlers that send an error event if the inner function fails.
macro_rules! telling {
    ($($name:ident => $does:ident),* $(,)?) => {$(
        pub(super) async fn $name(session: &mut Session, value: Value) {
            if let Err(refused) = $does(session, &value).await {
                refuse(session, &refused);
            }
        }
    )*};
}

telling! {
    join_public => try_join_public,
    leave_public => try_leave_public,
    send_public => try_send_public,
    send_public_file => try_send_public_file,
    mark_public_read => try_mark_public_read,
    join_private => try_join_private,
    leave_private => try_leave_private,
    send_private => try_send_private,
    send_private_file => try_send_private_file,
    mark_chat_read => try_mark_chat_read,
    online_users => try_online_users,
}

async fn try_join_public(session: &mut Session, _: &Value) -> Done {
    let (caller, connection) = who(session)?;
    let person = caller.person().clone();
    if session.state.get::<InPublic>().is_some() {
        // The others have been notified already, but the client still waits for this event.
        session.emit("user_joined", &PassageJson::new(&person, "joined"));
        return Ok(());
    }
    let (chat, room) = (&session.kit.chat, RoomId::LOBBY);
    chat.count_passage(caller)?;
    chat.watch(connection, REALTIME, room).await?;
    chat.announce(room, REALTIME, Event::Entered { room, person });
    session.state.insert(InPublic);
    Ok(())
}

async fn try_leave_public(session: &mut Session, _: &Value) -> Done {
    session.state.remove::<InPublic>().ok_or(NOT_IN_PUBLIC)?;
    let (caller, connection) = who(session)?;
    let (chat, room) = (&session.kit.chat, RoomId::LOBBY);
    let person = caller.person().clone();
    chat.announce(room, REALTIME, Event::Exited { room, person });
    chat.unwatch(connection, REALTIME, room).await;
    Ok(())
}

async fn try_send_public(session: &mut Session, value: &Value) -> Done {
    who(session)?;
    must_be_in_public(session)?;
    let draft = draft(value)?;
    session.post(RoomId::LOBBY, draft, posted).await;
    Ok(())
}

async fn try_send_public_file(session: &mut Session, value: &Value) -> Done {
    let (caller, _) = who(session)?;
    must_be_in_public(session)?;
    let (chat, host) = (&session.kit.chat, session.base());
    let file = described(value)?;
    let file = file.attachment(&session.kit, caller, host).await?;
    files::post(chat, caller, RoomId::LOBBY, file).await?;
    Ok(())
}

async fn try_mark_public_read(session: &mut Session, _: &Value) -> Done {
    let (caller, chat) = (who(session)?.0.clone(), session.kit.chat.clone());
    session.detach(|reply| async move {
        let read = chat.read(&caller, RoomId::LOBBY, MessageId(i64::MAX));
        match read.await {
            Ok(()) => reply.emit("public_chat_marked_read", &Nothing {}),
            Err(error) => refuse(&reply, &error.into()),
        }
    });
    Ok(())
}

async fn try_join_private(session: &mut Session, value: &Value) -> Done {
    let (caller, connection) = who(session)?;
    let room = room_with(session, caller, other(value)?).await?;
    connection.chosen().add(REALTIME, room.id);
    let other = room.other(caller.id()).ok_or(ChatError::NotFound("user"))?;
    let joined = JoinedPrivate {
        chat_id: room.id.0,
        other_user: (&**other).into(),
    };
    session.emit("joined_private", &joined);
    Ok(())
}

async fn try_leave_private(session: &mut Session, value: &Value) -> Done {
    let (caller, connection) = who(session)?;
    let (chat, other) = (&session.kit.chat, other(value)?);
    if let Some(room) = chat.find_direct_room(caller, other).await? {
        connection.chosen().remove(REALTIME, room.id);
    }
    Ok(())
}

async fn try_send_private(session: &mut Session, value: &Value) -> Done {
    let (caller, connection) = who(session)?;
    let other = other(value)?;
    let draft = draft(value)?;
    let room = room_with(session, caller, other).await?;
    connection.chosen().add(REALTIME, room.id);
    session.post(room.id, draft, posted).await;
    Ok(())
}

async fn try_send_private_file(session: &mut Session, value: &Value) -> Done {
    let (caller, connection) = who(session)?;
    let (other, chat) = (other(value)?, &session.kit.chat);
    let file = described(value)?;
    let file = file
        .attachment(&session.kit, caller, session.base())
        .await?;
    let room = room_with(session, caller, other).await?;
    connection.chosen().add(REALTIME, room.id);
    files::post(chat, caller, room.id, file).await?;
    Ok(())
}

async fn try_mark_chat_read(session: &mut Session, value: &Value) -> Done {
    let (caller, chat) = (who(session)?.0.clone(), session.kit.chat.clone());
    let required = Refusal::bad("Chat ID required");
    let chat_id = id(&value["chat_id"], required, Refusal::bad("Invalid chat ID"))?;
    session.detach(|reply| async move {
        match chats::mark_read(&chat, &caller, RoomId(chat_id)).await {
            Ok(()) => reply.emit("chat_marked_read", &MarkedRead { chat_id }),
            Err(refused) => refuse(&reply, &refused),
        }
    });
    Ok(())
}

async fn try_online_users(session: &mut Session, _: &Value) -> Done {
    let (caller, _) = who(session)?;
    let chat = &session.kit.chat;
    let there = chat.watching(caller, RoomId::LOBBY, REALTIME).await?;
    let users = there
        .iter()
        .take(PEOPLE_MAX as usize)
        .map(|person| (&**person).into())
        .collect();
    session.emit("online_users", &Online { users });
    Ok(())
}

/// Sends an error event.
fn refuse(client: &impl Emit, refused: &Refusal) {
    let message = refused.text();
    client.emit("error", &Failed { message });
}

/// Sends an error event if a message could not be posted.
fn posted(reply: &Reply, outcome: Result<(), ChatError>) {
    if let Err(error) = outcome {
        refuse(reply, &error.into());
    }
}

fn who(session: &Session) -> Result<(&Caller, &Arc<Connection>), Refusal> {
    let known = session.caller.as_ref().zip(session.connection.as_ref());
    known.ok_or(ChatError::Forbidden.into())
}

fn must_be_in_public(session: &Session) -> Done {
    let there = session.state.get::<InPublic>();
    there.map(|_| ()).ok_or(NOT_IN_PUBLIC)
}

fn draft(value: &Value) -> Result<Draft, Refusal> {
    let content = value["content"].as_str().unwrap_or_default();
    Ok(Draft::new(Content::parse(content)?))
}

fn described(value: &Value) -> Result<files::Described, Refusal> {
    match value.is_object() {
        true => files::Described::deserialize(value).map_err(|_| Refusal::bad("Invalid file")),
        false => Ok(files::Described::default()),
    }
}

async fn room_with(session: &Session, caller: &Caller, other: UserId) -> Result<Room, Refusal> {
    if other == caller.id() {
        return Err(ONESELF);
    }
    let (room, _) = session.kit.chat.direct_room(caller, other).await?;
    Ok(room)
}

fn other(value: &Value) -> Result<UserId, Refusal> {
    let required = Refusal::bad("Other user ID required");
    let invalid = Refusal::bad("Invalid user ID");
    id(&value["other_user_id"], required, invalid).map(UserId)
}

/// Parses an id, which clients send as a number or as text.
fn id(value: &Value, required: Refusal, invalid: Refusal) -> Result<i64, Refusal> {
    let number = match value {
        Value::Null => return Err(required),
        Value::String(text) if text.trim().is_empty() => return Err(required),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    number.filter(|id| *id > 0).ok_or(invalid)
}
