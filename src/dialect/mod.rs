//! Wire protocols (dialects), one folder each: translations of the same core, independent of each other. This module
//! lists them.

pub mod back_chat;
pub mod chat_app;
pub mod kit;
pub mod komunikator;
pub mod native;
pub mod realtime;
pub mod team;

use kit::{EventSurface, Surface};

/// Returns the HTTP routes of all dialects.
pub fn surfaces() -> Vec<Surface> {
    vec![
        native::surface(),
        kit::api_surface(),
        native::files_surface(),
        chat_app::surface(),
        komunikator::surface(),
        realtime::surface(),
        team::surface(),
        back_chat::health(),
        back_chat::surface(),
        back_chat::nothing(),
    ]
}

/// Returns the Socket.IO events of all dialects. An event name belongs to one dialect.
pub fn event_surfaces() -> Vec<EventSurface> {
    vec![
        chat_app::event_surface(),
        komunikator::event_surface(),
        realtime::event_surface(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn event_names_are_unique_among_dialects() {
        let surfaces = event_surfaces();
        let names: Vec<_> = surfaces
            .iter()
            .flat_map(|surface| &surface.events)
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(
            names.len(),
            names.iter().collect::<HashSet<_>>().len(),
            "{names:?}"
        );
    }
}
