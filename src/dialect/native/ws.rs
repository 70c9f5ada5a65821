//! `/ws`: one connection from handshake to end.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::chat::{
    Caller, Chat, ChatError, Closing, Connection, Credential, Frames, Sealed, TokenFault, Weight,
    Welcome,
};
use crate::dialect::kit::{Answer, Call, Fault, Proof};
use crate::transport::frame::ping_frame;
use crate::transport::upgrade::Upgrade;
use crate::transport::websocket::{Incoming, WebSocket};

use super::encode::{self, NATIVE};
use super::ops::{self, Op};
use super::wire::{OverviewJson, UserJson};

/// The longest frame a client may send, bytes.
const FRAME_MAX: usize = 64 * 1024;
/// Who does not say who they are by then is let go.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a ping goes out; without any sign of life after two of them the connection is gone.
const PING_EVERY: Duration = Duration::from_secs(10);
/// So many frames that cannot be read are put up with.
const BAD_FRAMES_MAX: u32 = 50;

#[derive(Serialize)]
struct WelcomeJson<'a> {
    event: &'static str,
    user: UserJson<'a>,
    rooms: Vec<OverviewJson<'a>>,
    online: std::collections::BTreeMap<i64, Vec<super::wire::PersonJson<'a>>>,
    online_count: std::collections::BTreeMap<i64, u32>,
}

/// Answers the handshake; a token that is there but bad refuses it.
pub(super) async fn open(mut call: Call) -> Answer {
    let credential = match call.proof(true)? {
        None => None,
        Some(Proof::Cookie(value)) => Some(
            call.kit
                .chat
                .authenticate(Credential::Cookie(value))
                .await?,
        ),
        Some(Proof::Token(token)) => {
            let token = token.into_owned();
            Some(
                call.kit
                    .chat
                    .authenticate(Credential::Token(&token))
                    .await?,
            )
        }
    };
    let upgrade = Upgrade::check(&call.headers, call.on_upgrade.take()).map_err(Fault::Upgrade)?;
    let response = upgrade.response();
    let chat = call.kit.chat.clone();
    tokio::spawn(async move {
        if let Ok(socket) = upgrade.open(FRAME_MAX).await {
            // Boxed, because it is only for the start and would stay in the task for good.
            if let Some((socket, caller)) = Box::pin(admit(&chat, socket, credential)).await {
                serve(chat, socket, caller).await;
            }
        }
    });
    Ok(response)
}

/// Makes sure who it is, by the first frame if need be.
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
                .write(&mut answer.map(Sealed::into_bytes).into_iter().collect())
                .await
                .ok()?;
            Some((socket, caller))
        }
        Err(error) => {
            let _ = socket
                .write(&mut vec![
                    ops::refusal(None, &Fault::Chat(error)).into_bytes(),
                ])
                .await;
            socket.close(4001, "not authenticated").await;
            None
        }
    }
}

async fn authenticate(chat: &Chat, text: &str) -> Result<(Caller, Option<Sealed>), ChatError> {
    let missing = ChatError::Unauthenticated(TokenFault::Missing);
    let Ok((id, Op::Auth { token })) = ops::parse(text) else {
        return Err(missing);
    };
    let caller = chat.authenticate(Credential::Token(&token)).await?;
    Ok((caller, id.map(ops::done)))
}

async fn close_after(socket: WebSocket, code: Option<u16>) {
    if let Some(code) = code {
        socket.close(code, "").await;
    }
}

async fn serve(chat: Chat, socket: WebSocket, caller: Caller) {
    match chat.connect(&caller, Some(NATIVE), Arc::default()) {
        Ok(connection) => {
            let mut live = Live {
                chat: chat.clone(),
                caller,
                connection: connection.clone(),
                bad_frames: 0,
            };
            live.run(socket).await;
            chat.disconnect(&connection).await;
        }
        Err(_) => socket.close(1008, "too many connections").await,
    }
}

/// What a client's frame asked for, on its way.
type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Live {
    chat: Chat,
    caller: Caller,
    connection: Arc<Connection>,
    bad_frames: u32,
}

impl Live {
    async fn run(&mut self, mut socket: WebSocket) {
        let mut doing: Option<Doing> = Some(self.welcome());
        let mut batch = Vec::new();
        let mut clock = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut silent = 0;
        let code = loop {
            tokio::select! {
                closing = poll_fn(|context| self.connection.outbox().poll_take(context, &mut batch)) => {
                    if socket.write(&mut batch).await.is_err() {
                        break None;
                    }
                    if let Some(closing) = closing {
                        break close_code(closing);
                    }
                }
                () = async { if let Some(doing) = &mut doing { doing.await } }, if doing.is_some() => doing = None,
                // The next frame waits until the one before is done: so answers come in order, and nothing piles up.
                incoming = socket.read(), if doing.is_none() => {
                    silent = 0;
                    match incoming {
                        Ok(Incoming::Text(text)) => doing = self.receive(&text),
                        Ok(Incoming::Pong) => {}
                        Ok(Incoming::Binary(_)) => break Some((1003, "text frames only")),
                        Ok(Incoming::Close(_)) => break Some((1000, "")),
                        Err(error) => break error.close_code().map(|code| (code, "")),
                    }
                }
                _ = clock.tick() => {
                    silent += 1;
                    if silent > 2 || socket.write(&mut vec![ping_frame()]).await.is_err() {
                        break None;
                    }
                }
            }
            if self.bad_frames > BAD_FRAMES_MAX {
                break Some((1008, "too many bad frames"));
            }
        };
        // Nothing more is queued from here on, and whoever watches hears that somebody left.
        self.connection.outbox().close(Closing::Gone);
        if let Some((code, reason)) = code {
            socket.close(code, reason).await;
        }
    }

    /// Starts what a frame asks for. What is done by the time this returns needs no waiting for.
    fn receive(&mut self, text: &str) -> Option<Doing> {
        let (id, op) = match ops::parse(text) {
            Ok(parsed) => parsed,
            Err((id, fault)) => {
                self.bad_frames += 1;
                self.push(ops::refusal(id, &fault));
                return None;
            }
        };
        ops::perform(&self.chat, &self.caller, &self.connection, id, op)
    }

    fn welcome(&self) -> Doing {
        let (chat, caller, connection) = (
            self.chat.clone(),
            self.caller.clone(),
            self.connection.clone(),
        );
        Box::pin(async move {
            match chat.welcome(&caller).await {
                Ok(welcome) => {
                    let mut frames = Frames::default();
                    encode::add(&mut frames, &welcome_json(&caller, &welcome));
                    connection.outbox().push(frames.seal(), Weight::Full);
                }
                // Without it a client knows nothing; it comes back.
                Err(_) => connection.outbox().close(Closing::Changed),
            }
        })
    }

    fn push(&self, frame: Sealed) {
        ops::push(&self.connection, frame);
    }
}

fn welcome_json<'a>(caller: &'a Caller, welcome: &'a Welcome) -> WelcomeJson<'a> {
    WelcomeJson {
        event: "welcome",
        user: caller.user().into(),
        rooms: welcome.rooms.iter().map(OverviewJson::from).collect(),
        online: welcome
            .online
            .iter()
            .map(|(room, there)| (room.0, encode::people(there)))
            .collect(),
        online_count: welcome
            .online_count
            .iter()
            .map(|(room, count)| (room.0, *count))
            .collect(),
    }
}

fn close_code(closing: Closing) -> Option<(u16, &'static str)> {
    match closing {
        Closing::SessionEnded => Some((4001, "the session ended")),
        Closing::Lagging => Some((4002, "too slow")),
        Closing::Restarting => Some((1012, "the server restarts")),
        Closing::Changed => Some((1012, "come back")),
        Closing::Gone => None,
    }
}
