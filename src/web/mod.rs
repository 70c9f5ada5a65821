//! Web pages: rendered by the server, usable without scripts, then live over the native protocol. Independent of the
//! implementation of that protocol and of all others.

mod admin;
mod answer;
mod assets;
mod attached;
mod bundle;
mod chat;
mod docs;
mod entry;
mod explain;
mod fields;
mod form;
mod groups;
mod install;
mod invited;
mod invites;
mod keeping;
mod list;
mod look;
mod markup;
mod message;
mod notice;
mod password;
mod people;
mod picture;
mod room;
mod rooms;
mod search;
mod sending;
mod settings;
mod setup;
mod shell;
mod texts;
mod users;
mod view;
mod window;

use crate::dialect::kit::{Route, Surface, api_fault, routes};

/// Returns the routes of all pages and their assets.
pub fn surface() -> Surface {
    let routes = [room_pages(), own_pages(), admin_pages(), entry_pages()].concat();
    Surface {
        prefix: "",
        routes,
        fault: answer::fault,
    }
}

/// Returns the routes of the API documentation. Errors below `/api` have the keys of all protocols.
pub fn docs_surface() -> Surface {
    let routes = routes![docs::stopped;
        GET "/docs" => docs::show,
        GET "/docs/clients/{name}" => docs::client,
    ];
    Surface {
        prefix: "/api",
        routes,
        fault: api_fault,
    }
}

/// Rooms and messages.
fn room_pages() -> Vec<Route> {
    routes![answer::stopped;
        GET "/" => list::home,
        GET "/conversations" => list::show,
        GET "/conversations/{room}" => room::show,
        POST "/conversations/{room}/join" => keeping::join,
        POST "/conversations/{room}/leave" => keeping::leave,
        POST "/conversations/{room}/notify" => keeping::notify,
        POST "/conversations/{room}/edit" => keeping::edit,
        POST "/conversations/{room}/picture" => keeping::set_picture,
        POST "/conversations/{room}/picture/clear" => keeping::clear_picture,
        POST "/conversations/{room}/add" => keeping::add,
        POST "/conversations/{room}/kick" => keeping::kick,
        POST "/conversations/{room}/role" => keeping::set_role,
        POST "/conversations/{room}/mute" => keeping::mute,
        POST "/conversations/{room}/transfer" => keeping::transfer,
        POST "/conversations/{room}/clear" => keeping::clear,
        POST "/conversations/{room}/delete" => keeping::delete,
        POST "/conversations/{room}/invite" => invites::create,
        POST "/conversations/{room}/revoke" => invites::revoke,
        GET "/chat/{room}" => chat::show,
        POST "/chat/{room}" => sending::send,
        POST "/chat/{room}/read" => sending::read,
        GET "/rooms" => rooms::browse,
        POST "/rooms/join" => rooms::join_by_key,
        GET "/rooms/new" => rooms::new,
        POST "/rooms/new" => rooms::create,
    ]
}

/// People, search, and the caller's own settings.
fn own_pages() -> Vec<Route> {
    routes![answer::stopped;
        GET "/people" => people::show,
        POST "/people/{id}/chat" => people::chat,
        GET "/search" => search::show,
        GET "/settings" => settings::show,
        POST "/settings/profile" => settings::save_profile,
        POST "/settings/picture" => settings::save_picture,
        POST "/settings/picture/clear" => settings::clear_picture,
        POST "/settings/look" => look::save,
        POST "/settings/notify" => settings::save_notify,
        POST "/settings/password" => settings::save_password,
        POST "/settings/delete" => settings::delete,
        POST "/settings/sessions/end" => settings::end_session,
        POST "/settings/sessions/end-others" => settings::end_other_sessions,
    ]
}

/// Pages for admins.
fn admin_pages() -> Vec<Route> {
    routes![answer::stopped;
        GET "/groups" => groups::list,
        GET "/groups/create" => groups::new,
        POST "/groups/create" => groups::create,
        GET "/groups/{room}/edit" => groups::show,
        POST "/groups/{room}/edit" => groups::edit,
        POST "/groups/delete/{room}" => groups::delete,
        GET "/users" => users::list,
        GET "/users/edit/{user}" => users::show,
        POST "/users/edit/{user}" => users::edit,
        POST "/users/delete/{user}" => users::delete,
        POST "/users/sessions/{user}" => users::end_sessions,
        POST "/users/password/{user}" => users::make_link,
        GET "/admin" => admin::show,
        POST "/admin/invite" => admin::invite,
        POST "/admin/revoke" => admin::revoke,
    ]
}

/// Log-in, registration, invites, and assets.
fn entry_pages() -> Vec<Route> {
    routes![answer::stopped;
        GET "/invite" => invited::show,
        POST "/invite" => invited::register,
        POST "/invite/join" => invited::join,
        GET "/password" => password::show,
        POST "/password" => password::choose,
        GET "/login" => entry::login,
        POST "/login" => entry::log_in,
        GET "/register" => entry::registration,
        POST "/register" => entry::register,
        GET "/guest" => entry::guest,
        POST "/guest" => entry::enter,
        GET "/auth/login" => entry::login,
        POST "/auth/login" => entry::log_in,
        GET "/auth/register" => entry::registration,
        POST "/auth/register" => entry::register,
        GET "/auth/guest" => entry::guest,
        POST "/auth/guest" => entry::enter,
        GET "/auth/logout" => entry::log_out,
        POST "/auth/logout" => entry::log_out_by_form,
        GET "/logout" => entry::log_out,
        POST "/logout" => entry::log_out_by_form,
        GET "/setup" => setup::show,
        POST "/setup" => setup::set_up,
        GET "/assets/{version}/{name}" => assets::serve,
        GET "/manifest.webmanifest" => install::manifest,
        GET "/sw.js" => install::worker,
        GET "/offline" => install::offline,
        GET "/favicon.ico" => assets::favicon,
    ]
}
