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
//! * [`transport`]: bytes in and out, nothing of chat.

pub mod model;
pub mod transport;
