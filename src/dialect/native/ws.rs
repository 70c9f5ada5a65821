//! `/ws`: a WebSocket connection from handshake to close.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::chat::{
    Caller, Chat, ChatError, CloseReason, Connection, Credential, EncodedFrames, Frames, Outbox,
    TokenFault, Welcome,
};
use crate::dialect::kit::websocket_session::{FRAME_MAX, Heard, converse, handshake_caller};
use crate::dialect::kit::{Answer, Call, Fault, Slot};
use crate::model::RoomId;
use crate::transport::upgrade::Upgrade;
use crate::transport::websocket::{Incoming, WebSocket};

use super::commands::{self, Op};
use super::encode::{self, NATIVE};
use super::wire::{OverviewJson, PersonJson, UserJson};

/// Time within which a client without a token in the handshake must send `auth`.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct WelcomeJson<'a> {
    event: &'static str,
    user: UserJson<'a>,
    unread_notifications: u32,
    #[serde(flatten)]
    rooms: RoomsJson<'a>,
}

/// Further rooms that did not fit into the welcome frame.
#[derive(Serialize)]
struct MoreJson<'a> {
    event: &'static str,
    #[serde(flatten)]
    rooms: RoomsJson<'a>,
}

#[derive(Serialize)]
struct RoomsJson<'a> {
    rooms: Vec<OverviewJson<'a>>,
    more: bool,
    online: BTreeMap<i64, Vec<PersonJson<'a>>>,
    online_count: BTreeMap<i64, u32>,
}

/// Handles the handshake. An invalid token is refused.
pub(super) async fn open(mut call: Call) -> Answer {
    let known = handshake_caller(&call).await?;
    let upgrade = Upgrade::check(&call.headers, call.on_upgrade.take()).map_err(Fault::Upgrade)?;
    let response = upgrade.response();
    let chat = call.kit.chat.clone();
    tokio::spawn(async move {
        if let Ok(socket) = upgrade.open(FRAME_MAX).await {
            // Boxed, because it is needed only at the start and would enlarge the task for its whole lifetime.
            if let Some((socket, caller)) = Box::pin(admit(&chat, socket, known)).await {
                serve(chat, socket, caller).await;
            }
        }
    });
    Ok(response)
}

/// Returns the caller, after reading the `auth` frame if the handshake had no token.
async fn admit(
    chat: &Chat,
    mut socket: WebSocket,
    known: Option<Caller>,
) -> Option<(WebSocket, Caller)> {
    if let Some(caller) = known {
        return Some((socket, caller));
    }
    let Ok(first) = timeout(AUTH_TIMEOUT, socket.read()).await else {
        socket.close(4004, "no auth in time").await;
        return None;
    };
    let text = match first {
        Ok(Incoming::Text(text)) => text,
        Ok(_) => {
            socket.close(1003, "text frames only").await;
            return None;
        }
        Err(error) => {
            close_after(socket, error.close_code()).await;
            return None;
        }
    };
    match authenticate(chat, &text).await {
        Ok((caller, answer)) => {
            socket
                .write(&mut answer.map(EncodedFrames::into_bytes).into_iter().collect())
                .await
                .ok()?;
            Some((socket, caller))
        }
        Err(error) => {
            let _ = socket
                .write(&mut vec![
                    commands::refusal(None, &Fault::Chat(error)).into_bytes(),
                ])
                .await;
            socket.close(4001, "not authenticated").await;
            None
        }
    }
}

async fn authenticate(
    chat: &Chat,
    text: &str,
) -> Result<(Caller, Option<EncodedFrames>), ChatError> {
    let missing = ChatError::Unauthenticated(TokenFault::Missing);
    let Ok((id, Op::Auth { token })) = commands::parse(text) else {
        return Err(missing);
    };
    let caller = chat.authenticate(Credential::Token(&token)).await?;
    Ok((caller, id.map(commands::done)))
}

async fn close_after(socket: WebSocket, code: Option<u16>) {
    if let Some(code) = code {
        socket.close(code, "").await;
    }
}

async fn serve(chat: Chat, socket: WebSocket, caller: Caller) {
    let opening = chat.connect(&caller, Some(NATIVE), Arc::new(Outbox::held()), "");
    // Boxed, because it is needed only at the start and would enlarge the task for its whole lifetime.
    let connection = match Box::pin(opening).await {
        Ok(connection) => connection,
        Err(ChatError::Limited(_)) => return socket.close(1008, "too many connections").await,
        Err(_) => return socket.close(1012, "come back").await,
    };
    let welcome = Box::pin(welcome(chat.clone(), caller.clone(), connection.clone()));
    let hear = |text: &str, slot: Slot| match commands::parse(text) {
        Ok((id, op)) => commands::perform(&chat, &caller, &connection, (slot, id), op),
        Err((id, fault)) => {
            slot.push(commands::refusal(id, &fault));
            Heard::Nonsense
        }
    };
    converse(socket, connection.outbox().clone(), Some(welcome), hear).await;
    chat.disconnect(&connection).await;
}

/// Sends the welcome to a new connection, in several frames if there are many rooms. The outbox holds back everything
/// else until the first of them is queued.
async fn welcome(chat: Chat, caller: Caller, connection: Arc<Connection>) {
    let mut after = RoomId(0);
    loop {
        let Ok(welcome) = chat.welcome(&caller, &connection, after).await else {
            // A client is useless without the welcome, so it has to reconnect.
            return connection.outbox().close(CloseReason::Changed);
        };
        let mut frames = Frames::default();
        let rooms = RoomsJson::from(&welcome);
        if after == RoomId(0) {
            encode::add(
                &mut frames,
                &WelcomeJson {
                    event: "welcome",
                    user: UserJson::new(caller.user(), caller.viewer()),
                    unread_notifications: welcome.unread_notifications,
                    rooms,
                },
            );
        } else {
            let event = "rooms";
            encode::add(&mut frames, &MoreJson { event, rooms });
        }
        connection.outbox().fill(frames.seal());
        match welcome.rooms.last() {
            Some(last) if welcome.more => after = last.room.id,
            _ => return,
        }
    }
}

impl<'a> From<&'a Welcome> for RoomsJson<'a> {
    fn from(welcome: &'a Welcome) -> Self {
        let online = welcome.online.iter();
        let online_count = welcome.online_count.iter();
        Self {
            rooms: welcome.rooms.iter().map(OverviewJson::from).collect(),
            more: welcome.more,
            online: online
                .map(|(room, there)| (room.0, encode::people(there)))
                .collect(),
            online_count: online_count.map(|(room, count)| (room.0, *count)).collect(),
        }
    }
}
