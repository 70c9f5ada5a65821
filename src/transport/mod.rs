//! Network transport: listener, WebSocket, Engine.IO, Socket.IO. Knows nothing of chat.

pub mod access_log;
pub mod connection_limit;
pub mod connection_log;
pub mod engineio;
pub mod frame;
pub mod guard;
pub mod keep_alive;
pub mod listener;
pub mod process_clock;
pub mod send_queue;
pub mod socketio;
pub mod stream;
pub mod upgrade;
pub mod websocket;

#[cfg(test)]
mod testing;
