//! Network transport: listener, WebSocket, Engine.IO, Socket.IO. Knows nothing of chat.

pub mod access_log;
pub mod awake;
pub mod engineio;
pub mod frame;
pub mod gate;
pub mod guard;
pub mod keep_alive;
pub mod listener;
pub mod outgoing;
pub mod record;
pub mod socket;
pub mod socketio;
pub mod upgrade;
pub mod websocket;

#[cfg(test)]
mod testing;
