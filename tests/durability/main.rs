//! What was acknowledged is on the disk, whatever the disk does: the real server over a disk that loses what was not
//! synced, fails, fills up, or whose files are taken away. `disk.c` is that disk.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(unused_imports, reason = "made for other tests")]
#[path = "../api/support/mod.rs"]
mod support;

// The disk: preloaded into the server, and told what to do.
mod disk;
// What a power cut leaves, by replaying what was recorded.
mod replay;

// The power is cut, also after a sync has failed.
mod power;
// The server says what is wrong, and goes on when it is not any more.
mod ready;
// A file is taken away from under the server.
mod taken;
