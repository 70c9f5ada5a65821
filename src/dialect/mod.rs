//! The wire protocols, one folder each, all translations of the same core; this is the list of them. A dialect must not
//! know any other.

pub mod back_chat;
pub mod chat_app;
pub mod kit;
pub mod komunikator;
pub mod native;
pub mod realtime;
pub mod team;

use kit::{EventSurface, Surface};

/// Every dialect's HTTP routes.
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

/// Every dialect's Socket.IO events; an event name belongs to one dialect.
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
    fn an_event_name_belongs_to_one_dialect() {
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
