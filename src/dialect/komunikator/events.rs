//! Events that clients of this dialect send. If the dialect is open, a socket without a token may claim any username
//! that is not an admin's.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::chat::{Caller, ChatError, Connection};
use crate::dialect::kit::{Emit, Fault, Reply, Session};
use crate::model::{Content, Draft, Event, Invalid, RoomId};

use super::encode::KOMUNIKATOR;
use super::error;
use super::params::{parse_room, word};

/// Longest message from clients of this dialect, in characters.
const MESSAGE_MAX: usize = 1000;

const TOO_LONG: Failure = Failure(1, "Message is too long");
const EMPTY: Failure = Failure(2, "Missing message");
const NOT_SAID: Failure = Failure(3, "Missing user_name or room_id");
const NOBODY: Failure = Failure(3, "Missing user_name");
const FAILED: Failure = Failure(4, "Join failed");

/// Error code and text of the original API.
#[derive(Clone, Copy)]
struct Failure(u8, &'static str);

enum Refusal {
    Said(Failure),
    /// Sent under one of the original API's codes, with the core's text.
    Chat(ChatError),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Said(failure)
    }
}

impl From<ChatError> for Refusal {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::NotFound(_) | ChatError::Forbidden | ChatError::NotMember => {
                Self::Said(FAILED)
            }
            other => Self::Chat(other),
        }
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Chat(invalid.into())
    }
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    message: &'a str,
    code: u8,
}

pub(super) async fn join(session: &mut Session, value: Value) {
    let done = try_join(session, &value).await;
    answer(session, done);
}

pub(super) async fn leave(session: &mut Session, value: Value) {
    let done = try_leave(session, &value).await;
    answer(session, done);
}

pub(super) async fn message(session: &mut Session, value: Value) {
    let done = try_message(session, &value).await;
    answer(session, done);
}

pub(super) async fn watchdog(session: &mut Session, value: Value) {
    let done = try_watchdog(session, &value).await;
    answer(session, done);
}

async fn try_join(session: &mut Session, value: &Value) -> Result<(), Refusal> {
    let (caller, connection, room) = place(session, value).await?;
    let chat = &session.kit.chat;
    chat.count_passage(&caller)?;
    chat.watch(&connection, KOMUNIKATOR, room).await?;
    let person = caller.person().clone();
    chat.announce(room, KOMUNIKATOR, Event::Entered { room, person });
    Ok(())
}

async fn try_leave(session: &mut Session, value: &Value) -> Result<(), Refusal> {
    let (caller, connection, room) = place(session, value).await?;
    let chat = &session.kit.chat;
    chat.count_passage(&caller)?;
    chat.room(&caller, room).await?;
    let person = caller.person().clone();
    // Announced first, so that the leaving client receives it too.
    chat.announce(room, KOMUNIKATOR, Event::Exited { room, person });
    chat.unwatch(&connection, KOMUNIKATOR, room).await;
    Ok(())
}

async fn try_message(session: &mut Session, value: &Value) -> Result<(), Refusal> {
    let (_, _, room) = place(session, value).await?;
    let text = value["message"].as_str().unwrap_or_default();
    match text.trim().chars().count() {
        0 => return Err(EMPTY.into()),
        1..=MESSAGE_MAX => {}
        _ => return Err(TOO_LONG.into()),
    }
    let draft = Draft::new(Content::parse(text)?);
    let told =
        |reply: &Reply, posted: Result<(), ChatError>| answer(reply, posted.map_err(Refusal::from));
    session.post(room, draft, told).await;
    Ok(())
}

async fn try_watchdog(session: &mut Session, value: &Value) -> Result<(), Refusal> {
    let name = word(value.get("user_name")).ok_or(NOBODY)?;
    let (_, connection) = identify(session, &name).await?;
    session.kit.chat.note_sign_of_life(&connection);
    Ok(())
}

/// Returns the sender of an event and the room that it is about.
async fn place(
    session: &mut Session,
    value: &Value,
) -> Result<(Caller, Arc<Connection>, RoomId), Refusal> {
    let name = word(value.get("user_name")).ok_or(NOT_SAID)?;
    let room = word(value.get("room_id")).ok_or(NOT_SAID)?;
    let (caller, connection) = identify(session, &name).await?;
    let room = parse_room(&room).ok_or(FAILED)?;
    Ok((caller, connection, room))
}

/// Checks that the name in an event is the socket's own. A socket without a token takes on that identity.
async fn identify(session: &mut Session, name: &str) -> Result<(Caller, Arc<Connection>), Refusal> {
    let is_known = session
        .caller
        .as_ref()
        .is_some_and(|caller| caller.is_called(name));
    if !is_known {
        if session.proven {
            return Err(FAILED.into());
        }
        let caller = session.kit.chat.trust(name).await?;
        if !caller.is_called(name) {
            return Err(FAILED.into());
        }
        session.become_caller(caller).await?;
    }
    let who = session.caller.clone().zip(session.connection.clone());
    Ok(who.ok_or(FAILED)?)
}

fn answer(client: &impl Emit, done: Result<(), Refusal>) {
    let (code, text) = match done {
        Ok(()) => return,
        Err(Refusal::Said(Failure(code, text))) => (code, text.to_owned()),
        Err(Refusal::Chat(error)) => {
            let code = match error {
                ChatError::Invalid(_) => EMPTY.0,
                _ => FAILED.0,
            };
            (code, error::text(&Fault::Chat(error)))
        }
    };
    let message = &text;
    client.emit("error", &ErrorJson { message, code });
}
