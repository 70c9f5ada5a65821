//! Engine.IO and Socket.IO as a client sees them: every case of the two official suites in our own
//! words, and what Parlor promises beyond them. Time is tokio's, paused, so the real intervals hold:
//! a `sleep` here costs nothing, and ends only when nothing else can go on.

#![allow(clippy::unwrap_used)]

mod client;
mod engineio;
mod fanout;
mod handshake;
mod limits;
mod server;
mod socketio;
mod upgrade;
