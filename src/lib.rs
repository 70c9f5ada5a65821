//! Parlor: a self-hosted chat server, one binary and one SQLite file.
//!
//! # Layout
//!
//! A module may use what stands to its right, never what stands to its left:
//!
//! ```text
//! main ─► cli ─► server ─► web, dialect/* ─► chat ─► store ─► model        config, transport: leaves beside them
//! ```
//!
//! * [`chat`]: the core: commands in, events out, nothing of any wire.
//! * [`cli`]: the command line, one file per subcommand.
//! * [`config`]: every setting with its default and meaning.
//! * [`model`]: chat's nouns and rules, no I/O.
//! * [`store`]: one SQLite file, the only SQL.
//! * [`transport`]: bytes in and out, nothing of chat.
//! * [`web`]: pages for people.

pub mod chat;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod model;
pub mod server;
pub mod store;
pub mod transport;
pub mod web;
