//! Engine.IO and Socket.IO from a client's point of view: every case of the two official test suites, and Parlor's own
//! guarantees. Time is tokio's paused clock, so the real intervals apply: a `sleep` costs nothing, and ends only when
//! nothing else can make progress.

#![allow(clippy::unwrap_used)]

mod client;
mod engineio;
mod fanout;
mod handshake;
mod limits;
mod server;
mod socketio;
mod upgrade;
