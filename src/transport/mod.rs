//! Bytes in and out: listener, WebSocket, Engine.IO, Socket.IO. Must know nothing of chat.

pub mod access_log;
pub mod frame;
pub mod gate;
pub mod listener;
pub mod socket;
pub mod upgrade;
pub mod websocket;

#[cfg(test)]
mod testing;
