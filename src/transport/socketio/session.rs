//! A client's connection: its namespaces, and the packets it sends to them. Independent of the transport below.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::acks::{Acks, Answer};
use super::encode;
use super::packet::{Invalid, Kind, Packet, event_name};
use super::reconstructor::Partial;
use super::{AckId, Client, Connect, Event, Handler, Handshake, Refusal, Socket};
use crate::transport::engineio::{Message, Protocol, Reaction, Reason, Session, new_sid};
use crate::transport::send_queue::{Close, Outgoing};

/// Maximum total size of a packet's attachments, in bytes.
const MAX_ATTACHED: usize = 1_000_000;

/// The Engine.IO protocol that passes Socket.IO clients to a handler.
#[derive(Debug)]
pub struct Connections<H> {
    handler: Arc<H>,
}

#[derive(Debug)]
pub struct Connection<H: Handler> {
    handler: Arc<H>,
    outgoing: H::Outgoing,
    /// Dropped when the client is connected to every namespace, because headers are large.
    handshake: Option<Box<Handshake>>,
    sockets: Vec<Connected<H::Socket>>,
    partial: Option<Box<Partial>>,
}

#[derive(Debug)]
struct Connected<S> {
    namespace: &'static str,
    acks: Acks,
    socket: S,
}

impl<H: Handler> Connections<H> {
    pub fn new(handler: Arc<H>) -> Self {
        Self { handler }
    }
}

impl<H: Handler> Protocol for Connections<H> {
    type Outgoing = H::Outgoing;
    type Session = Connection<H>;

    fn open(self: &Arc<Self>, handshake: Handshake) -> (Self::Session, Self::Outgoing) {
        let outgoing = self.handler.outgoing();
        let connection = Connection {
            handler: Arc::clone(&self.handler),
            outgoing: outgoing.clone(),
            handshake: Some(Box::new(handshake)),
            sockets: Vec::new(),
            partial: None,
        };
        (connection, outgoing)
    }

    /// A client that receives DISCONNECT does not reconnect by itself.
    fn farewell(close: Close) -> Option<Bytes> {
        let namespaces = H::NAMESPACES.iter();
        let frames = namespaces.flat_map(|namespace| encode::disconnect(namespace));
        (!close.retry).then(|| frames.collect())
    }
}

impl<H: Handler> Session for Connection<H> {
    async fn message(&mut self, message: Message<'_>) -> Reaction {
        let taken = match message {
            Message::Text(text) => self.text(text).await,
            Message::Binary(bytes) => self.binary(bytes).await,
        };
        taken.unwrap_or(Reaction::Close)
    }

    async fn closed(mut self, reason: Reason) {
        for connected in self.sockets.drain(..) {
            connected.acks.give_up();
            connected.socket.disconnected(reason).await;
        }
    }
}

impl<H: Handler> Connection<H> {
    async fn text(&mut self, text: &str) -> Result<Reaction, Invalid> {
        let packet = Packet::parse(text)?;
        if self.partial.is_some() {
            return Err(Invalid);
        }
        if packet.attachments > 0 {
            self.partial = Some(Box::new(Partial::new(text, &packet, MAX_ATTACHED)));
            return Ok(Reaction::Keep);
        }
        self.packet(&packet, &[]).await
    }

    async fn binary(&mut self, bytes: Bytes) -> Result<Reaction, Invalid> {
        let partial = self.partial.as_mut().ok_or(Invalid)?;
        if !partial.add(bytes)? {
            return Ok(Reaction::Keep);
        }
        let partial = self.partial.take().ok_or(Invalid)?;
        let (text, attachments) = partial.into_parts();
        self.packet(&Packet::parse(&text)?, &attachments).await
    }

    async fn packet(
        &mut self,
        packet: &Packet<'_>,
        attachments: &[Bytes],
    ) -> Result<Reaction, Invalid> {
        let at = self
            .sockets
            .iter()
            .position(|s| s.namespace == packet.namespace);
        match (packet.kind, at) {
            (Kind::Connect, None) => self.connect(packet).await,
            (Kind::Disconnect, Some(at)) => Ok(self.disconnect(at).await),
            (Kind::Event | Kind::BinaryEvent, Some(at)) => {
                event(&mut self.sockets[at].socket, packet, attachments).await
            }
            (Kind::Ack | Kind::BinaryAck, Some(at)) => {
                answer(&self.sockets[at].acks, packet, attachments)
            }
            (Kind::Connect, Some(_)) | (Kind::ConnectError, _) | (_, None) => Err(Invalid),
        }
    }

    async fn connect(&mut self, packet: &Packet<'_>) -> Result<Reaction, Invalid> {
        let auth = packet.object()?;
        let known = H::NAMESPACES
            .iter()
            .find(|known| **known == packet.namespace);
        let let_in = match known {
            Some(namespace) => self.let_in(namespace, auth).await,
            None => Err(Refusal("Invalid namespace".into())),
        };
        if let Err(Refusal(message)) = &let_in {
            let error = encode::connect_error(packet.namespace, message);
            self.outgoing.push(error);
            return Ok(Reaction::Keep);
        }
        Ok(Reaction::Settle)
    }

    async fn let_in(
        &mut self,
        namespace: &'static str,
        auth: Option<&RawValue>,
    ) -> Result<(), Refusal> {
        let again = || Refusal("Open a new connection".into());
        let handshake = self.handshake.as_deref().ok_or_else(again)?;
        let client = Client {
            outgoing: self.outgoing.clone(),
            namespace,
            sid: Arc::from(new_sid()),
            acks: Acks::default(),
        };
        let (acks, sid) = (client.acks.clone(), Arc::clone(&client.sid));
        let connect = Connect {
            handshake,
            auth,
            client,
        };
        let mut socket = self.handler.connect(connect).await?;
        self.outgoing.push(encode::connect(namespace, &sid));
        socket.connected().await;
        self.sockets.push(Connected {
            namespace,
            acks,
            socket,
        });
        if self.sockets.len() == H::NAMESPACES.len() {
            self.handshake = None;
        }
        Ok(())
    }

    async fn disconnect(&mut self, at: usize) -> Reaction {
        let connected = self.sockets.swap_remove(at);
        connected.acks.give_up();
        connected.socket.disconnected(Reason::Client).await;
        match self.sockets.is_empty() {
            true => Reaction::Unsettle,
            false => Reaction::Keep,
        }
    }
}

async fn event<S: Socket>(
    socket: &mut S,
    packet: &Packet<'_>,
    attachments: &[Bytes],
) -> Result<Reaction, Invalid> {
    let values = packet.values()?;
    let (name, args) = values.split_first().ok_or(Invalid)?;
    let event = Event {
        name: event_name(name)?.into(),
        args,
        attachments,
        ack: packet.id.map(AckId),
    };
    socket.event(event).await;
    Ok(Reaction::Keep)
}

fn answer(acks: &Acks, packet: &Packet<'_>, attachments: &[Bytes]) -> Result<Reaction, Invalid> {
    let id = packet.id.ok_or(Invalid)?;
    let args = packet
        .values()?
        .into_iter()
        .map(RawValue::to_owned)
        .collect();
    let attachments = attachments.to_vec();
    acks.answer(id, Answer { args, attachments });
    Ok(Reaction::Keep)
}
