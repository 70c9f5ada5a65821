//! The pages for people: server-rendered, useful before any script runs, then live over the native protocol. Must not
//! know how that protocol is served, nor any other.

mod answer;
mod assets;
mod chat;
mod docs;
mod entry;
mod explain;
mod form;
mod list;
mod look;
mod notice;
mod people;
mod room;
mod rooms;
mod select;
mod settings;
mod setup;
mod shell;
mod texts;
mod view;

use crate::dialect::kit::{Surface, routes};

/// All pages, and what they are made of.
pub fn surface() -> Surface {
    let routes = routes![answer::stopped;
        GET "/" => list::home,
        GET "/conversations" => list::show,
        GET "/conversations/{room}" => room::show,
        POST "/conversations/{room}/join" => room::join,
        POST "/conversations/{room}/leave" => room::leave,
        POST "/conversations/{room}/kick" => room::kick,
        GET "/chat/{room}" => chat::show,
        POST "/chat/{room}" => chat::send,
        GET "/rooms" => rooms::browse,
        POST "/rooms/join" => rooms::join_by_key,
        GET "/rooms/new" => rooms::new,
        POST "/rooms/new" => rooms::create,
        GET "/people" => people::show,
        POST "/people/{id}/chat" => people::chat,
        GET "/auth/login" => entry::login,
        POST "/auth/login" => entry::log_in,
        GET "/auth/register" => entry::registration,
        POST "/auth/register" => entry::register,
        GET "/auth/guest" => entry::guest,
        POST "/auth/guest" => entry::enter,
        GET "/auth/logout" => entry::log_out,
        POST "/auth/logout" => entry::log_out_by_form,
        GET "/settings" => settings::show,
        POST "/settings/look" => look::save,
        GET "/setup" => setup::show,
        POST "/setup" => setup::set_up,
        GET "/api/docs" => docs::show,
        GET "/api/docs/clients/{name}" => docs::client,
        GET "/assets/{version}/{name}" => assets::serve,
        GET "/favicon.ico" => assets::favicon,
    ];
    Surface {
        prefix: "",
        routes,
        fault: answer::fault,
    }
}
