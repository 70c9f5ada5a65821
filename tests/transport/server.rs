//! Test server: the Engine.IO endpoint echoes everything, the Socket.IO endpoint reacts to events.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper_util::service::TowerToHyperService;
use parlor::transport::connection_limit::{Gate, Limits};
use parlor::transport::engineio::{
    self, Config, Handshake, Message, Protocol, Reaction, Reason, Server, Session,
};
use parlor::transport::frame::{binary_frame, text_frame};
use parlor::transport::listener::Listener;
use parlor::transport::send_queue::{Close, Outgoing, Queue};
use parlor::transport::socketio::{Client, Connect, Connections, Event, Handler, Refusal, Socket};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use warp::Filter;

use crate::client::within;

pub const ENGINE: &str = "engine.io";
pub const SOCKET: &str = "socket.io";
pub const BOTH: [&str; 2] = [ENGINE, SOCKET];

/// Reason for closing a queue whose client must not reconnect.
pub const KICKED: Close = Close {
    code: 4003,
    reason: "kicked",
    retry: false,
};

pub struct Running {
    pub addr: SocketAddr,
    pub gate: Arc<Gate>,
    pub socketio: Server<Connections<App>>,
    /// Reasons why Socket.IO clients were lost.
    pub lost: mpsc::UnboundedReceiver<Reason>,
    /// Connected clients, in order of connection.
    pub clients: mpsc::UnboundedReceiver<Client<Queue>>,
    _stop: watch::Sender<bool>,
}

impl Running {
    pub async fn next_client(&mut self) -> Client<Queue> {
        within(self.clients.recv()).await.unwrap()
    }

    pub async fn next_lost(&mut self) -> Reason {
        within(self.lost.recv()).await.unwrap()
    }
}

/// Starts a server with the default intervals.
pub async fn start() -> Running {
    start_with(Config::default()).await
}

pub async fn start_with(config: Config) -> Running {
    let (lost_to, lost) = mpsc::unbounded_channel();
    let (came_to, clients) = mpsc::unbounded_channel();
    let app = App {
        lost: lost_to,
        came: came_to,
    };
    let connections = Arc::new(Connections::new(Arc::new(app)));
    let socketio = Server::new(connections, config.clone());
    let patient = Config {
        settle_timeout: None,
        ..config
    };
    let echo = engineio::routes(Server::new(Arc::new(Echo), patient), ENGINE);
    let routes = engineio::routes(socketio.clone(), SOCKET).or(echo);
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = tcp.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let gate = Gate::new(Limits::default());
    let service = TowerToHyperService::new(warp::service(routes));
    tokio::spawn(Listener::new(tcp, Arc::clone(&gate)).serve(service, stopped));
    Running {
        addr,
        gate,
        socketio,
        lost,
        clients,
        _stop: stop,
    }
}

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
        Reaction::Keep
    }

    async fn closed(self, _: Reason) {}
}

/// Socket.IO handler that accepts every client except with the token "bad".
pub struct App {
    lost: mpsc::UnboundedSender<Reason>,
    came: mpsc::UnboundedSender<Client<Queue>>,
}

pub struct AppSocket {
    client: Client<Queue>,
    auth: String,
    lost: mpsc::UnboundedSender<Reason>,
    came: mpsc::UnboundedSender<Client<Queue>>,
}

impl Handler for App {
    type Outgoing = Queue;
    type Socket = AppSocket;
    const NAMESPACES: &'static [&'static str] = &["/", "/custom"];

    fn outgoing(&self) -> Queue {
        Queue::new()
    }

    async fn connect(&self, connect: Connect<'_, Queue>) -> Result<AppSocket, Refusal> {
        let auth = connect.auth.map_or("{}", |auth| auth.get());
        let token = connect.handshake.query_value("token");
        if auth.contains("bad") || token.as_deref() == Some("bad one") {
            return Err(Refusal("Not authorized".into()));
        }
        Ok(AppSocket {
            client: connect.client,
            auth: auth.to_owned(),
            lost: self.lost.clone(),
            came: self.came.clone(),
        })
    }
}

impl Socket for AppSocket {
    async fn connected(&mut self) {
        let auth: serde_json::Value = serde_json::from_str(&self.auth).unwrap();
        self.client.emit("auth", &auth);
        let _ = self.came.send(self.client.clone());
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
            ("ask-me", _) => self.ask(),
            _ => {}
        }
    }

    async fn disconnected(self, reason: Reason) {
        let _ = self.lost.send(reason);
    }
}

impl AppSocket {
    /// Emits an event with an acknowledgement, and emits the client's answer back.
    fn ask(&self) {
        let answer = self.client.ask("question", &"?").unwrap();
        let client = self.client.clone();
        tokio::spawn(async move {
            let answer = answer.await.unwrap();
            let mut told = client.event("answered");
            for arg in &answer.args {
                told = told.arg(arg);
            }
            client
                .outgoing()
                .push(told.attachments(&answer.attachments).frame());
        });
    }
}
