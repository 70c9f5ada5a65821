//! A session on a WebSocket: one task that reads, writes and pings. Independent of HTTP.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use super::heartbeat::{Beat, Heartbeat};
use super::packet::Packet;
use super::server::{Inner, new_sid};
use super::state::Settling;
use super::{Handshake, Message, Protocol, Reaction, Reason, Session};
use crate::transport::frame::text_frame;
use crate::transport::send_queue::{Close, Outgoing};
use crate::transport::upgrade::Upgrade;
use crate::transport::websocket::{Incoming, ReadError, WebSocket};

/// Text frame with a ping packet.
const PING: &[u8] = b"\x81\x012";

/// Result of a connection's end.
struct End {
    reason: Reason,
    /// Close code and reason for the peer; `None` if the peer is gone.
    close: Option<(u16, &'static str)>,
}

impl End {
    const GONE: Self = Self {
        reason: Reason::Gone,
        close: None,
    };
    const INVALID: Self = Self {
        reason: Reason::Invalid,
        close: Some((1002, "invalid packet")),
    };
    const CLIENT: Self = Self {
        reason: Reason::Client,
        close: Some((1000, "")),
    };
    const SILENT: Self = Self {
        reason: Reason::Silent,
        close: Some((1000, "timeout")),
    };

    fn server(close: Close) -> Self {
        Self {
            reason: Reason::Server,
            close: Some((close.code, close.reason)),
        }
    }

    fn read(error: &ReadError) -> Self {
        let words = match error {
            ReadError::TooBig => "message too big",
            _ => "protocol error",
        };
        match error.close_code() {
            Some(code) => Self {
                reason: Reason::Invalid,
                close: Some((code, words)),
            },
            None => Self::GONE,
        }
    }
}

/// State of a session's task.
pub(super) struct Connection<P: Protocol> {
    pub server: Arc<Inner<P>>,
    pub socket: WebSocket,
    pub session: P::Session,
    pub outgoing: P::Outgoing,
    pub heartbeat: Heartbeat,
    pub settling: Settling,
    /// Frames about to be written.
    pub frames: Vec<Bytes>,
    pub out_first: bool,
}

/// Next event for the task.
enum Next {
    Incoming(Result<Incoming, ReadError>),
    Outgoing(Option<Close>),
    Tick,
}

/// Opens a WebSocket for a session without a polling phase, and serves it.
pub(super) async fn open<P: Protocol>(
    server: Arc<Inner<P>>,
    upgrade: Upgrade,
    handshake: Handshake,
) {
    let Ok(socket) = upgrade.open(server.config.max_first_payload).await else {
        return;
    };
    let (session, outgoing) = server.protocol.open(handshake);
    let now = server.clock.now();
    let connection = Connection {
        heartbeat: Heartbeat::new(server.config.rhythm, now),
        settling: Settling::new(&server.config, now),
        frames: vec![text_frame(&server.open_packet(&new_sid(), ""))],
        out_first: false,
        server,
        socket,
        session,
        outgoing,
    };
    connection.run().await;
}

impl<P: Protocol> Connection<P> {
    /// Serves the session until it ends.
    pub async fn run(mut self) {
        self.set_limit();
        let end = match self.write().await {
            Ok(()) => self.converse().await,
            Err(end) => end,
        };
        Box::pin(self.end(end)).await;
    }

    async fn converse(&mut self) -> End {
        self.outgoing.set_line(Arc::downgrade(self.socket.line()));
        let mut timer = std::pin::pin!(sleep_until(self.alarm()));
        loop {
            let next = poll_fn(|cx| self.poll_next(timer.as_mut(), cx)).await;
            let step = match next {
                Next::Incoming(Ok(incoming)) => self.take_in(incoming).await,
                Next::Incoming(Err(error)) => Err(End::read(&error)),
                Next::Outgoing(None) => self.write().await,
                Next::Outgoing(Some(close)) => Err(self.part(close).await),
                Next::Tick => self.tick(timer.as_mut()).await,
            };
            if let Err(end) = step {
                return end;
            }
            if self.alarm() < timer.deadline() {
                timer.as_mut().reset(self.alarm());
            }
        }
    }

    /// Incoming messages and outgoing frames alternate in priority, so that neither a client nor a busy room starves
    /// the other direction. The timer comes last, so that a pong that has already arrived counts.
    fn poll_next(&mut self, timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<Next> {
        self.out_first = !self.out_first;
        if self.out_first
            && let Poll::Ready(closed) = self.outgoing.poll_take(cx, &mut self.frames)
        {
            return Poll::Ready(Next::Outgoing(closed));
        }
        if let Poll::Ready(incoming) = self.socket.poll_read(cx) {
            return Poll::Ready(Next::Incoming(incoming));
        }
        if !self.out_first
            && let Poll::Ready(closed) = self.outgoing.poll_take(cx, &mut self.frames)
        {
            return Poll::Ready(Next::Outgoing(closed));
        }
        timer.poll(cx).map(|()| Next::Tick)
    }

    async fn take_in(&mut self, incoming: Incoming) -> Result<(), End> {
        match incoming {
            Incoming::Text(text) => self.packet(&text).await,
            Incoming::Binary(bytes) => self.message(Message::Binary(bytes)).await,
            Incoming::Pong => Ok(()),
            Incoming::Close(_) => Err(End::CLIENT),
        }
    }

    async fn packet(&mut self, text: &str) -> Result<(), End> {
        match Packet::parse(text) {
            Ok(Packet::Text(text)) => self.message(Message::Text(text)).await,
            Ok(Packet::Pong) => {
                self.heartbeat.pong(self.server.clock.now());
                Ok(())
            }
            Ok(Packet::Close) => Err(End::CLIENT),
            Ok(Packet::Binary(_) | Packet::Probe | Packet::Upgrade) | Err(_) => Err(End::INVALID),
        }
    }

    /// Passes a message to the session and sends frames meanwhile, because events of other clients must not wait in
    /// this queue until this client's request is handled.
    async fn message(&mut self, message: Message<'_>) -> Result<(), End> {
        // Boxed, so that an idle connection does not reserve memory for the largest message future.
        let mut handling = Box::pin(self.session.message(message));
        let mut sent = Ok(());
        let reaction = loop {
            tokio::select! {
                biased;
                reaction = &mut handling => break reaction,
                closed = take(&self.outgoing, &mut self.frames), if sent.is_ok() => {
                    sent = self.socket.write(&mut self.frames).await.map_err(|_| End::GONE);
                    if closed.is_some() {
                        // The queue is closed. The session ends after this message.
                        break handling.as_mut().await;
                    }
                }
            }
        };
        drop(handling);
        self.react(reaction)?;
        sent
    }

    fn react(&mut self, reaction: Reaction) -> Result<(), End> {
        match reaction {
            Reaction::Keep => return Ok(()),
            Reaction::Close => return Err(End::INVALID),
            Reaction::Settle | Reaction::Unsettle => {}
        }
        self.settling.react(reaction, self.server.clock.now());
        self.set_limit();
        Ok(())
    }

    fn set_limit(&mut self) {
        let max = self.settling.max_payload(&self.server.config);
        self.socket.set_max_message(max);
    }

    async fn write(&mut self) -> Result<(), End> {
        let written = self.socket.write(&mut self.frames).await;
        written.map_err(|_| End::GONE)
    }

    /// Sends the last frames after the queue was closed.
    async fn part(&mut self, close: Close) -> End {
        self.frames.extend(P::farewell(close));
        match self.write().await {
            Ok(()) => End::server(close),
            Err(end) => end,
        }
    }

    async fn tick(&mut self, timer: Pin<&mut Sleep>) -> Result<(), End> {
        let now = self.server.clock.now();
        if self.settling.is_over(now) {
            return Err(End::SILENT);
        }
        let beat = self.heartbeat.beat(now);
        timer.reset(self.alarm());
        match beat {
            Beat::Fine => Ok(()),
            Beat::Dead => Err(End::SILENT),
            Beat::Ping => {
                self.frames.push(Bytes::from_static(PING));
                self.write().await
            }
        }
    }

    /// Returns the time for the timer, if the process is not suspended meanwhile.
    fn alarm(&self) -> Instant {
        let next = self.settling.or(self.heartbeat.next());
        self.server.clock.alarm(next)
    }

    async fn end(self, end: End) {
        let closing = async {
            if let Some((code, words)) = end.close {
                self.socket.close(code, words).await;
            }
        };
        tokio::join!(self.session.closed(end.reason), closing);
    }
}

async fn take<O: Outgoing>(outgoing: &O, frames: &mut Vec<Bytes>) -> Option<Close> {
    poll_fn(|cx| outgoing.poll_take(cx, frames)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::engineio::{Config, Server};
    use crate::transport::send_queue::Queue;
    use crate::transport::testing::pair;

    struct Nothing;
    impl Protocol for Nothing {
        type Outgoing = Queue;
        type Session = Nothing;
        fn open(self: &Arc<Self>, _: Handshake) -> (Nothing, Queue) {
            (Nothing, Queue::new())
        }
        fn farewell(_: Close) -> Option<Bytes> {
            None
        }
    }
    impl Session for Nothing {
        async fn message(&mut self, _: Message<'_>) -> Reaction {
            Reaction::Keep
        }
        async fn closed(self, _: Reason) {}
    }

    #[tokio::test]
    async fn an_idle_connection_costs_little_memory() {
        let server = Server::new(Arc::new(Nothing), Config::default());
        let (socket, _peer) = pair().await;
        let now = Instant::now();
        let connection = Connection {
            server: Arc::clone(server.inner()),
            socket: WebSocket::new(socket, &[], 1024),
            session: Nothing,
            outgoing: Queue::new(),
            heartbeat: Heartbeat::new(server.inner().config.rhythm, now),
            settling: Settling::new(&server.inner().config, now),
            frames: Vec::new(),
            out_first: false,
        };
        let size = size_of_val(&connection.run());
        assert!(size <= 2048, "{size}");
    }
}
