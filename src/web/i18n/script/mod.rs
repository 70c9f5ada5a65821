//! Texts of the scripts. Independent of their use.

pub(super) mod de;
pub(super) mod en;
