//! Web pages: rendered by the server, usable without scripts, then live over the native protocol. Independent of the
//! implementation of that protocol and of all others.

mod accept_invite;
mod admin;
mod admin_rooms;
mod admin_users;
mod appearance;
mod assets;
mod auth;
mod browse_rooms;
mod bundle;
mod chat;
mod conversations;
mod docs;
mod error_text;
mod file_view;
mod flash;
mod form;
mod form_fields;
mod history_page;
mod i18n;
mod image_form;
mod invites;
mod layout;
mod markdown;
mod message_view;
mod password_reset;
mod people;
mod pwa;
mod respond;
mod room_actions;
mod room_details;
mod search;
mod send_form;
mod settings;
mod setup;
mod views;

use crate::dialect::kit::{Route, Surface, api_fault, routes};

/// Returns the routes of all pages and their assets.
pub fn surface() -> Surface {
    let routes = [room_pages(), own_pages(), admin_pages(), entry_pages()].concat();
    Surface {
        prefix: "",
        routes,
        fault: respond::fault,
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
    routes![respond::stopped;
        GET "/" => conversations::home,
        GET "/conversations" => conversations::show,
        GET "/conversations/{room}" => room_details::show,
        POST "/conversations/{room}/join" => room_actions::join,
        POST "/conversations/{room}/leave" => room_actions::leave,
        POST "/conversations/{room}/notify" => room_actions::notify,
        POST "/conversations/{room}/edit" => room_actions::edit,
        POST "/conversations/{room}/picture" => room_actions::set_picture,
        POST "/conversations/{room}/picture/clear" => room_actions::clear_picture,
        POST "/conversations/{room}/add" => room_actions::add,
        POST "/conversations/{room}/kick" => room_actions::kick,
        POST "/conversations/{room}/role" => room_actions::set_role,
        POST "/conversations/{room}/mute" => room_actions::mute,
        POST "/conversations/{room}/transfer" => room_actions::transfer,
        POST "/conversations/{room}/clear" => room_actions::clear,
        POST "/conversations/{room}/delete" => room_actions::delete,
        POST "/conversations/{room}/invite" => invites::create,
        POST "/conversations/{room}/revoke" => invites::revoke,
        GET "/chat/{room}" => chat::show,
        POST "/chat/{room}" => send_form::send,
        POST "/chat/{room}/read" => send_form::read,
        GET "/rooms" => browse_rooms::browse,
        POST "/rooms/join" => browse_rooms::join_by_key,
        GET "/rooms/new" => browse_rooms::new,
        POST "/rooms/new" => browse_rooms::create,
    ]
}

/// People, search, and the caller's own settings.
fn own_pages() -> Vec<Route> {
    routes![respond::stopped;
        GET "/people" => people::show,
        POST "/people/{id}/chat" => people::chat,
        GET "/search" => search::show,
        GET "/settings" => settings::show,
        POST "/settings/profile" => settings::save_profile,
        POST "/settings/picture" => settings::save_picture,
        POST "/settings/picture/clear" => settings::clear_picture,
        POST "/settings/look" => appearance::save,
        POST "/settings/notify" => settings::save_notify,
        POST "/settings/password" => settings::save_password,
        POST "/settings/delete" => settings::delete,
        POST "/settings/sessions/end" => settings::end_session,
        POST "/settings/sessions/end-others" => settings::end_other_sessions,
    ]
}

/// Pages for admins.
fn admin_pages() -> Vec<Route> {
    routes![respond::stopped;
        GET "/groups" => admin_rooms::list,
        GET "/groups/create" => admin_rooms::new,
        POST "/groups/create" => admin_rooms::create,
        GET "/groups/{room}/edit" => admin_rooms::show,
        POST "/groups/{room}/edit" => admin_rooms::edit,
        POST "/groups/delete/{room}" => admin_rooms::delete,
        GET "/users" => admin_users::list,
        GET "/users/edit/{user}" => admin_users::show,
        POST "/users/edit/{user}" => admin_users::edit,
        POST "/users/delete/{user}" => admin_users::delete,
        POST "/users/sessions/{user}" => admin_users::end_sessions,
        POST "/users/password/{user}" => admin_users::make_link,
        GET "/admin" => admin::show,
        POST "/admin/invite" => admin::invite,
        POST "/admin/revoke" => admin::revoke,
    ]
}

/// Log-in, registration, invites, and assets.
fn entry_pages() -> Vec<Route> {
    routes![respond::stopped;
        GET "/invite" => accept_invite::show,
        POST "/invite" => accept_invite::register,
        POST "/invite/join" => accept_invite::join,
        GET "/password" => password_reset::show,
        POST "/password" => password_reset::choose,
        GET "/login" => auth::login,
        POST "/login" => auth::log_in,
        GET "/register" => auth::registration,
        POST "/register" => auth::register,
        GET "/guest" => auth::guest,
        POST "/guest" => auth::enter,
        GET "/auth/login" => auth::login,
        POST "/auth/login" => auth::log_in,
        GET "/auth/register" => auth::registration,
        POST "/auth/register" => auth::register,
        GET "/auth/guest" => auth::guest,
        POST "/auth/guest" => auth::enter,
        GET "/auth/logout" => auth::log_out,
        POST "/auth/logout" => auth::log_out_by_form,
        GET "/logout" => auth::log_out,
        POST "/logout" => auth::log_out_by_form,
        GET "/setup" => setup::show,
        POST "/setup" => setup::set_up,
        GET "/assets/{version}/{name}" => assets::serve,
        GET "/manifest.webmanifest" => pwa::manifest,
        GET "/sw.js" => pwa::worker,
        GET "/offline" => pwa::offline,
        GET "/favicon.ico" => assets::favicon,
    ]
}
