//! A polling session and its GETs and POSTs. Independent of HTTP and of sockets.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use super::heartbeat::Beat;
use super::packet::{self, Packet};
use super::server::{Inner, new_sid};
use super::state::{Phase, State};
use super::{Message, Protocol, Reaction, Reason, Session};
use crate::transport::connection_limit::Slot;
use crate::transport::connection_log::Opened;
use crate::transport::process_clock::AwakeClock;
use crate::transport::send_queue::Outgoing;

/// Packet that ends a GET without data.
pub(super) const NOOP: &[u8] = b"6";
const CLOSE: &[u8] = b"1";
const PING: &[u8] = b"2";
/// Time for which a GET is held during an upgrade. The client's UPGRADE packet may arrive shortly after it, and then
/// the GET is an error.
const NOOP_AFTER: Duration = Duration::from_millis(20);
/// Maximum number of packets in one response, besides a ping and the close packets. Python's client accepts 16.
const PACKETS: usize = 13;
/// Time for which the last payload of a closed session is kept for a GET.
const FAREWELL: Duration = Duration::from_secs(10);

/// Error: the session has ended or no longer polls.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Over;

/// A session in the table.
pub(super) struct Polling<P: Protocol> {
    pub sid: Box<str>,
    server: Weak<Inner<P>>,
    clock: Arc<AwakeClock>,
    pub outgoing: P::Outgoing,
    pending: Mutex<Vec<Bytes>>,
    /// Taken when the session is upgraded or ends. Locked while a message is handled.
    session: tokio::sync::Mutex<Option<P::Session>>,
    state: Mutex<State>,
    _slot: Slot,
    opened: Opened,
}

impl<P: Protocol> Polling<P> {
    pub fn new(
        server: &Arc<Inner<P>>,
        session: P::Session,
        outgoing: P::Outgoing,
        slot: Slot,
        opened: Opened,
    ) -> Self {
        Self {
            sid: new_sid(),
            server: Arc::downgrade(server),
            clock: server.clock.clone(),
            outgoing,
            pending: Mutex::default(),
            session: tokio::sync::Mutex::new(Some(session)),
            state: Mutex::new(State::new(&server.config, server.clock.now())),
            _slot: slot,
            opened,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alarm(&self) -> Instant {
        self.clock.alarm(self.state().next())
    }

    /// Returns the maximum length of a message at present, in bytes.
    fn max_payload(&self) -> usize {
        let server = self.server.upgrade();
        server.map_or(0, |server| {
            self.state().settling.max_payload(&server.config)
        })
    }

    /// Moves the upgrade to phase `to` if it is in phase `from`. Returns whether it was.
    pub fn change(&self, from: &Phase, to: Phase) -> bool {
        let mut state = self.state();
        let fits = state.phase == *from;
        if fits {
            state.phase = to;
            state.noop_at = self.clock.now() + NOOP_AFTER;
            state.wake();
        }
        fits
    }

    /// Returns to polling after a failed upgrade.
    pub fn stay(&self) {
        let mut state = self.state();
        if state.polls() {
            state.phase = Phase::Polling;
            state.wake();
        }
    }

    /// Takes the session, after the message that is being handled.
    pub async fn take(&self) -> Option<P::Session> {
        self.session.lock().await.take()
    }

    /// Waits for packets. If it is dropped before it completes, the session ends, because the client has disconnected.
    pub async fn get(self: &Arc<Self>) -> Result<Vec<u8>, Over> {
        {
            let mut state = self.state();
            if let Phase::Closed(farewell, _) = &mut state.phase {
                let farewell = farewell.take();
                drop(state);
                self.forget();
                return farewell.ok_or(Over);
            }
            if !state.polls() {
                return Err(Over);
            }
            if mem::replace(&mut state.getting, true) {
                drop(state);
                self.close(Reason::Invalid, Some(CLOSE));
                return Err(Over);
            }
        }
        let mut waiting = Waiting {
            polling: self,
            answered: false,
        };
        let mut timer = std::pin::pin!(sleep_until(self.alarm()));
        let answer = poll_fn(|cx| self.poll_get(timer.as_mut(), cx)).await;
        waiting.answered = true;
        answer
    }

    fn poll_get(
        self: &Arc<Self>,
        mut timer: Pin<&mut Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<u8>, Over>> {
        loop {
            let mut payload = Vec::new();
            let now = self.clock.now();
            let mut state = self.state();
            let noop_at = state.noop_at;
            let beat = match &mut state.phase {
                Phase::Closed(farewell, _) => return Poll::Ready(farewell.take().ok_or(Over)),
                Phase::Upgraded => return Poll::Ready(Err(Over)),
                Phase::Upgrading if now >= noop_at => {
                    return Poll::Ready(Ok(NOOP.to_vec()));
                }
                Phase::Upgrading => None,
                Phase::Polling | Phase::Probing => Some(state.beat(now)),
            };
            state.waker = Some(cx.waker().clone());
            timer.as_mut().reset(self.clock.alarm(state.next()));
            drop(state);
            match beat {
                Some(Beat::Dead) => {
                    self.close(Reason::Silent, None);
                    return Poll::Ready(Err(Over));
                }
                Some(Beat::Ping) => packet::append(&mut payload, PING),
                Some(Beat::Fine) | None => {}
            }
            if beat.is_some()
                && let Some(farewell) = self.drain(&mut payload, PACKETS, cx)
            {
                if payload.is_empty() {
                    packet::append(&mut payload, NOOP);
                }
                // The rest is for the next GET, not for this one.
                self.state().getting = false;
                self.close(Reason::Server, farewell);
            }
            if !payload.is_empty() {
                return Poll::Ready(Ok(payload));
            }
            std::task::ready!(timer.as_mut().poll(cx));
        }
    }

    /// Appends up to `room` queued packets to `payload`. If the queue is closed and drained, also appends the final
    /// frames and returns the packet for one more GET, if any; otherwise returns `None`.
    ///
    /// CLOSE is sent separately, because clients handle it before the packets in front of it in the same payload and
    /// would miss the final frames, which stop them from reconnecting. Clients that may reconnect get no CLOSE:
    /// Python's client would not reconnect.
    fn drain(
        &self,
        payload: &mut Vec<u8>,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Option<Option<&'static [u8]>> {
        let mut pending = self.pending();
        let mut closed = None;
        loop {
            let mut left = room;
            pending.retain_mut(|frames| {
                left -= packet::append_frames(payload, frames, left);
                !frames.is_empty()
            });
            if left < room || closed.is_some() {
                break;
            }
            match self.outgoing.poll_take(cx, &mut pending) {
                Poll::Ready(taken) => closed = taken,
                Poll::Pending => return None,
            }
        }
        let close = closed.filter(|_| pending.is_empty())?;
        let farewell = P::farewell(close).map(|mut farewell| {
            packet::append_frames(payload, &mut farewell, usize::MAX);
            CLOSE
        });
        Some(farewell)
    }

    /// Returns frames taken from the queue that are not sent yet.
    pub fn pending(&self) -> MutexGuard<'_, Vec<Bytes>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a POST. Ends the session if another POST is in progress.
    pub fn begin_post(self: &Arc<Self>) -> Result<Posting<P>, Over> {
        let mut state = self.state();
        if !state.polls() {
            return Err(Over);
        }
        if mem::replace(&mut state.posting, true) {
            drop(state);
            self.close(Reason::Invalid, Some(CLOSE));
            return Err(Over);
        }
        Ok(Posting {
            polling: Arc::clone(self),
            reason: Some(Reason::Gone),
        })
    }

    async fn take_in(self: &Arc<Self>, payload: &str) -> Result<(), Over> {
        let mut session = self.session.lock().await;
        for packet in packet::parse_payload(payload) {
            let session = session.as_mut().ok_or(Over)?;
            let reaction = match packet {
                Ok(Packet::Text(text)) => session.message(Message::Text(text)).await,
                Ok(Packet::Binary(bytes)) => session.message(Message::Binary(bytes)).await,
                Ok(Packet::Pong) => {
                    self.state().heartbeat.pong(self.clock.now());
                    Reaction::Keep
                }
                Ok(Packet::Close) => {
                    self.close(Reason::Client, Some(NOOP));
                    return Ok(());
                }
                Ok(Packet::Probe | Packet::Upgrade) | Err(_) => Reaction::Close,
            };
            if reaction == Reaction::Close {
                self.close(Reason::Invalid, None);
                return Err(Over);
            }
            self.state().settling.react(reaction, self.clock.now());
        }
        Ok(())
    }

    /// Ends the session unless it has ended or been upgraded. `farewell` is the response to the current or next GET.
    pub fn close(self: &Arc<Self>, reason: Reason, farewell: Option<&[u8]>) {
        let keep = {
            let mut state = self.state();
            if !state.polls() {
                return;
            }
            state.phase = Phase::Closed(farewell.map(<[u8]>::to_vec), self.clock.now());
            state.wake();
            farewell.is_some() && !state.getting
        };
        self.opened.ended(reason.words());
        if !keep {
            self.forget();
        }
        let polling = Arc::clone(self);
        tokio::spawn(async move {
            if let Some(session) = polling.take().await {
                session.closed(reason).await;
            }
        });
    }

    /// Removes the session from the table.
    pub fn forget(&self) {
        if let Some(server) = self.server.upgrade() {
            server.remove(&self.sid);
        }
    }

    /// Ends the session if it has timed out, or if its queue was closed while no GET waited.
    pub fn sweep(self: &Arc<Self>, now: Instant) {
        let state = self.state();
        if let Phase::Closed(_, since) = state.phase {
            drop(state);
            if now >= since + FAREWELL {
                self.forget();
            }
            return;
        }
        let (overdue, unheard) = (state.is_overdue(now), !state.getting);
        drop(state);
        if overdue {
            self.close(Reason::Silent, None);
        } else if unheard && self.outgoing.is_closed() {
            let mut payload = Vec::new();
            self.drain(
                &mut payload,
                usize::MAX,
                &mut Context::from_waker(Waker::noop()),
            );
            let rest = (!payload.is_empty()).then_some(&*payload);
            self.close(Reason::Server, rest);
        }
    }
}

/// A waiting GET.
struct Waiting<'a, P: Protocol> {
    polling: &'a Arc<Polling<P>>,
    answered: bool,
}

impl<P: Protocol> Drop for Waiting<'_, P> {
    fn drop(&mut self) {
        self.polling.state().getting = false;
        if !self.answered {
            self.polling.close(Reason::Gone, None);
        }
    }
}

/// A POST in progress. If it is dropped before its body is handled, the session ends, because messages may be lost.
pub(super) struct Posting<P: Protocol> {
    polling: Arc<Polling<P>>,
    reason: Option<Reason>,
}

impl<P: Protocol> Posting<P> {
    /// Returns the maximum length of the body, in bytes.
    pub fn max_payload(&self) -> usize {
        self.polling.max_payload()
    }

    /// Handles the body completely, even if the client disconnects meanwhile.
    pub async fn take_in(self, payload: Bytes) -> Result<(), Over> {
        tokio::spawn(self.finish(payload))
            .await
            .unwrap_or(Err(Over))
    }

    async fn finish(mut self, payload: Bytes) -> Result<(), Over> {
        self.reason = Some(Reason::Invalid);
        let payload = std::str::from_utf8(&payload).map_err(|_| Over)?;
        self.polling.take_in(payload).await?;
        self.reason = None;
        Ok(())
    }
}

impl<P: Protocol> Drop for Posting<P> {
    fn drop(&mut self) {
        self.polling.state().posting = false;
        if let Some(reason) = self.reason {
            self.polling.close(reason, None);
        }
    }
}
