//! Plain WebSocket connections from handshake to close, for all dialects that use one, whatever the frames contain.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use crate::chat::{self, Caller, CloseReason, Credential, Outbox};
use crate::transport::frame::ping_frame;
use crate::transport::process_clock::STALL;
use crate::transport::websocket::{Incoming, Line, ReadError, WebSocket};

use super::{Call, Fault, Pipeline, Proof, Slot};

/// Longest frame that a client may send, in bytes.
pub const FRAME_MAX: usize = 64 * 1024;
/// Interval between two pings. The connection is dead if nothing arrives until the next one is due.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Number of invalid frames that are tolerated per connection.
const BAD_FRAMES_MAX: u32 = 50;

/// Handling of a frame, while it runs.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Outcome of handling a frame. Responses are sent through its [`Slot`].
pub enum Heard {
    /// The frame is handled, or needed no handling.
    Done,
    /// Handling takes time. The next frame is read when the task is over: by then a message has been handed to its
    /// room, and everything else is done. The task always runs to its end.
    Doing(Task),
    /// The frame was invalid, and its sender has been told.
    Nonsense,
}

/// Authenticates a WebSocket handshake, or returns `None` if it has no credential. An invalid token is refused.
///
/// # Errors
/// [`Fault::Chat`] with the error of the token.
pub async fn handshake_caller(call: &Call) -> Result<Option<Caller>, Fault> {
    let token = match call.proof(true)? {
        None => return Ok(None),
        Some(Proof::Cookie(value)) => {
            return Ok(Some(
                call.kit
                    .chat
                    .authenticate(Credential::Cookie(value))
                    .await?,
            ));
        }
        Some(Proof::Token(token)) => token.into_owned(),
    };
    Ok(Some(
        call.kit
            .chat
            .authenticate(Credential::Token(&token))
            .await?,
    ))
}

/// Writes queued frames and passes incoming ones to `hear`, until either side closes and all events have ended.
pub async fn converse(
    mut socket: WebSocket,
    outbox: Arc<Outbox>,
    first: Option<Task>,
    mut hear: impl FnMut(&str, Slot) -> Heard,
) {
    let pipeline = Pipeline::new(outbox.clone());
    outbox.set_line(Arc::downgrade(socket.line()) as _);
    let (mut doing, mut batch) = (first, Vec::new());
    let mut pulse = Pulse::new(Instant::now());
    let mut clock = std::pin::pin!(sleep_until(pulse.due));
    let mut nonsense = 0;
    let code = loop {
        tokio::select! {
            closing = poll_fn(|context| outbox.poll_take(context, &mut batch)) => {
                if socket.write(&mut batch).await.is_err() {
                    break None;
                }
                if let Some(closing) = closing {
                    break close_code(closing);
                }
            }
            () = async { if let Some(doing) = &mut doing { doing.await } }, if doing.is_some() => doing = None,
            incoming = read_when_due(&pipeline, &mut socket), if doing.is_none() => {
                pulse.heard();
                match incoming {
                    // Frames received after the session has ended are dropped.
                    Ok(Incoming::Text(_)) if outbox.is_closed() => {}
                    Ok(Incoming::Text(text)) => match hear(&text, pipeline.begin()) {
                        Heard::Done => {}
                        Heard::Doing(task) => doing = Some(task),
                        Heard::Nonsense if nonsense >= BAD_FRAMES_MAX => break Some((1008, "too many bad frames")),
                        Heard::Nonsense => nonsense += 1,
                    },
                    Ok(Incoming::Pong) => {}
                    Ok(Incoming::Binary(_)) => break Some((1003, "text frames only")),
                    Ok(Incoming::Close(_)) => break Some((1000, "")),
                    Err(error) => break error.close_code().map(|code| (code, "")),
                }
            }
            () = clock.as_mut() => {
                if !pulse.beat(Instant::now()) {
                    break Some((1001, "no sign of life"));
                }
                clock.as_mut().reset(pulse.due);
                if socket.write(&mut vec![ping_frame()]).await.is_err() {
                    break None;
                }
            }
        }
    };
    // Nothing is queued after this.
    outbox.close(CloseReason::Gone);
    let closing = async move {
        if let Some((code, reason)) = code {
            socket.close(code, reason).await;
        }
    };
    let ending = async {
        if let Some(doing) = doing {
            doing.await;
        }
        pipeline.ended().await;
    };
    // Boxed to keep it out of the task's own size: it is needed only at the end.
    Box::pin(async { tokio::join!(closing, ending) }).await;
}

/// Reads the next frame once another event may begin.
async fn read_when_due(pipeline: &Pipeline, socket: &mut WebSocket) -> Result<Incoming, ReadError> {
    pipeline.room().await;
    socket.read().await
}

/// Liveness of the peer between two pings.
struct Pulse {
    /// Time of the next ping.
    due: Instant,
    silent: bool,
}

impl Pulse {
    fn new(now: Instant) -> Self {
        Self {
            due: now + PING_EVERY,
            silent: false,
        }
    }

    fn heard(&mut self) {
        self.silent = false;
    }

    /// Begins the next interval when a ping is due. Returns `false` if nothing arrived since the last one. If this
    /// process was suspended in the meantime, the peer gets one more interval.
    fn beat(&mut self, now: Instant) -> bool {
        let stalled = now.saturating_duration_since(self.due) > STALL;
        let alive = !self.silent || stalled;
        self.silent = true;
        self.due = now + PING_EVERY;
        alive
    }
}

impl chat::Line for Line {
    fn send(&self, frames: &Bytes) -> usize {
        Line::send(self, frames)
    }
}

fn close_code(closing: CloseReason) -> Option<(u16, &'static str)> {
    match closing {
        CloseReason::SessionEnded => Some((4001, "the session ended")),
        CloseReason::Lagging => Some((4002, "too slow")),
        CloseReason::Restarting => Some((1012, "the server restarts")),
        CloseReason::Changed => Some((1012, "come back")),
        CloseReason::Gone => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_silent_interval_ends_a_connection_unless_suspended() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert!(pulse.beat(start + PING_EVERY));
        pulse.heard();
        assert!(pulse.beat(start + 2 * PING_EVERY));
        // Suspended for three intervals: frames from the peer have not been read yet.
        assert!(pulse.beat(start + 6 * PING_EVERY));
        assert_eq!(pulse.due, start + 7 * PING_EVERY);
        assert!(!pulse.beat(start + 7 * PING_EVERY));
    }
}
