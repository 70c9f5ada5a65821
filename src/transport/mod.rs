//! Bytes in and out: listener, WebSocket, Engine.IO, Socket.IO. Must know nothing of chat.
