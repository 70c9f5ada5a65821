//! Files: taking them in, giving them out, and where they are. Must not know how a protocol carries them.

#[expect(dead_code, reason = "the download follows")]
mod address;

pub use address::{address, signed_address, signed_thumbnail_address, thumbnail_address};
