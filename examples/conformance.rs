//! The server for the official Engine.IO and Socket.IO test suites; see docs/conformance.md.
//!
//! `/engine.io/` echoes every message. `/socket.io/` has the namespaces `/` and `/custom`, sends the received
//! authentication payload in an `auth` event, and answers `message` and `message-with-ack`.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper_util::service::TowerToHyperService;
use parlor::transport::connection_limit::{Gate, Limits};
use parlor::transport::engineio::{
    self, Config, Handshake, Message, PingConfig, Protocol, Reaction, Reason, Server, Session,
};
use parlor::transport::frame::{binary_frame, text_frame};
use parlor::transport::listener::Listener;
use parlor::transport::send_queue::{Close, Outgoing, Queue};
use parlor::transport::socketio::{self, Client, Connect, Event, Handler, Refusal, Socket};
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter;

const RHYTHM: PingConfig = PingConfig {
    interval: Duration::from_millis(300),
    timeout: Duration::from_millis(200),
};

const GAP: Duration = Duration::from_millis(20);

/// Engine.IO: echoes every message.
struct Echo;
struct EchoSession(Queue);

impl Protocol for Echo {
    type Outgoing = Queue;
    type Session = EchoSession;

    fn open(self: &Arc<Self>, _: Handshake) -> (EchoSession, Queue) {
        let queue = Queue::new();
        (EchoSession(queue.clone()), queue)
    }

    fn farewell(_: Close) -> Option<Bytes> {
        None
    }
}

impl Session for EchoSession {
    async fn message(&mut self, message: Message<'_>) -> Reaction {
        self.0.push(match message {
            Message::Text(text) => text_frame(&format!("4{text}")),
            Message::Binary(bytes) => binary_frame(&bytes),
        });
        Reaction::Settle
    }

    async fn closed(self, _: Reason) {}
}

/// Socket.IO: sends back the authentication payload and the arguments of events.
struct Mirror;
struct MirrorSocket {
    client: Client<Queue>,
    auth: Option<String>,
}

impl Handler for Mirror {
    type Outgoing = Queue;
    type Socket = MirrorSocket;
    const NAMESPACES: &'static [&'static str] = &["/", "/custom"];

    fn outgoing(&self) -> Queue {
        Queue::new()
    }

    async fn connect(&self, connect: Connect<'_, Queue>) -> Result<MirrorSocket, Refusal> {
        Ok(MirrorSocket {
            client: connect.client,
            auth: connect.auth.map(|auth| auth.get().to_owned()),
        })
    }
}

impl Socket for MirrorSocket {
    async fn connected(&mut self) {
        // The suite listens for one message at a time and would miss one that arrives in the same TCP segment as the
        // response to CONNECT.
        tokio::time::sleep(GAP).await;
        let auth = self.auth.take().unwrap_or_else(|| "{}".to_owned());
        let auth: serde_json::Value = serde_json::from_str(&auth).unwrap_or_default();
        self.client.emit("auth", &auth);
    }

    async fn event(&mut self, event: Event<'_>) {
        match (&*event.name, &event.ack) {
            ("message", _) => {
                let mut back = self.client.event("message-back");
                for arg in event.args {
                    back = back.arg(arg);
                }
                let back = back.attachments(event.attachments);
                self.client.outgoing().push(back.frame());
            }
            ("message-with-ack", Some(id)) => self.client.ack(id, |mut answer| {
                for arg in event.args {
                    answer = answer.arg(arg);
                }
                answer.attachments(event.attachments)
            }),
            _ => {}
        }
    }

    async fn disconnected(self, _: Reason) {}
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let echo = Config {
        rhythm: RHYTHM,
        settle_timeout: None,
        ..Config::default()
    };
    let mirror = Config {
        rhythm: RHYTHM,
        settle_timeout: Some(Duration::from_secs(1)),
        ..Config::default()
    };
    let echo = engineio::routes(Server::new(Arc::new(Echo), echo), "engine.io");
    let mirror = socketio::routes(Arc::new(Mirror), mirror, "socket.io");
    let service = TowerToHyperService::new(warp::service(mirror.or(echo)));

    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)).await?;
    println!("listening on http://{}", tcp.local_addr()?);
    let (_running, stop) = watch::channel(false);
    let listener = Listener::new(tcp, Gate::new(Limits::default()));
    listener.serve(service, stop).await;
    Ok(())
}
