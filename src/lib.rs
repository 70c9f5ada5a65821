//! Parlor: a self-hosted chat server, one binary and one SQLite file.
//!
//! # Layout
//!
//! A module may use modules to its right, but none to its left:
//!
//! ```text
//! main ─► cli ─► server ─► web, dialect/* ─► chat ─► store ─► model        config, transport: independent of these
//! ```
//!
//! * [`chat`]: the core: commands in, events out, independent of any protocol.
//! * [`cli`]: the command line, one file per subcommand.
//! * [`config`]: all settings with their defaults and meanings.
//! * [`model`]: types and rules of the chat, without I/O.
//! * [`store`]: the SQLite file; the only module with SQL.
//! * [`transport`]: HTTP connections, WebSocket and Socket.IO, independent of the chat.
//! * [`web`]: the web pages.

pub mod chat;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod model;
pub mod server;
pub mod store;
pub mod transport;
pub mod web;
