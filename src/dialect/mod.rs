//! The wire protocols, one folder each, all translations of the same core; this is the list of them. A dialect must not
//! know any other.

pub mod kit;
pub mod native;

use kit::Surface;

/// Every dialect's HTTP routes.
pub fn surfaces() -> Vec<Surface> {
    vec![native::surface()]
}
