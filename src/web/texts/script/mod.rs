//! What scripts say. Must not know when they do.

pub(super) mod de;
pub(super) mod en;
