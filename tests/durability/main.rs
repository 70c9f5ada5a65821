//! Acknowledged messages are on the disk, whatever the disk does: the real server on a disk (`disk.c`) that loses
//! unsynced writes, fails, fills up, or whose files are removed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(unused_imports, reason = "made for other tests")]
#[path = "../api/support/mod.rs"]
mod support;

// The disk: preloaded into the server, and controlled by the tests.
mod disk;
// Replays a recording up to a power cut.
mod replay;

// Power cuts, also after a failed sync.
mod power;
// `/readyz` and recovery.
mod ready;
// Files removed from a running server.
mod taken;
