//! Parlor's native protocol under `/api/v1`, see `docs/native.md`: for web pages, the command line and new programs.

mod auth;
mod commands;
mod encode;
mod error;
mod files;
mod invites;
mod me;
mod members;
mod messages;
mod notifications;
mod reactions;
mod resume;
mod rooms;
mod search;
mod server;
mod users;
mod wire;
mod ws;

pub use files::files_surface;

use crate::chat::Caller;

use super::kit::{Call, Fault, Method, Proof, Surface, routes};

const PREFIX: &str = "/api/v1";

#[expect(clippy::too_many_lines, reason = "one long table")]
pub fn surface() -> Surface {
    let routes = routes![error::response;
        GET "/openapi.json" => server::describe,
        GET "/server" => server::show,
        POST "/setup" => server::set_up,
        POST "/auth/register" => auth::register,
        POST "/auth/login" => auth::log_in,
        POST "/auth/guest" => auth::guest,
        POST "/auth/refresh" => auth::refresh,
        POST "/auth/password" => invites::use_password_link,
        POST "/auth/logout" => auth::log_out,
        GET "/auth/sessions" => auth::sessions,
        DELETE "/auth/sessions" => auth::end_others,
        DELETE "/auth/sessions/{id}" => auth::end,
        GET "/me" => me::show,
        PATCH "/me" => me::edit,
        DELETE "/me" => me::end,
        PUT "/me/avatar" => files::set_avatar,
        DELETE "/me/avatar" => files::clear_avatar,
        POST "/me/password" => me::change_password,
        GET "/users" => users::list,
        GET "/users/{id}" => users::show,
        PATCH "/users/{id}" => users::edit,
        DELETE "/users/{id}" => users::end,
        DELETE "/users/{id}/sessions" => users::end_sessions,
        POST "/users/{id}/password-link" => invites::create_password_link,
        GET "/rooms" => rooms::mine,
        POST "/rooms" => rooms::create,
        GET "/rooms/public" => rooms::public,
        POST "/rooms/direct" => rooms::direct,
        POST "/rooms/join" => rooms::join_by_key,
        GET "/rooms/{id}" => rooms::show,
        PATCH "/rooms/{id}" => rooms::edit,
        DELETE "/rooms/{id}" => rooms::delete,
        POST "/rooms/{id}/clear" => rooms::clear,
        POST "/rooms/{id}/join" => rooms::join,
        POST "/rooms/{id}/leave" => rooms::leave,
        POST "/rooms/{id}/transfer" => rooms::transfer,
        POST "/rooms/{id}/read" => rooms::read,
        GET "/rooms/{id}/members" => members::list,
        POST "/rooms/{id}/members" => members::add,
        PATCH "/rooms/{id}/members/me" => notifications::set_notify,
        PATCH "/rooms/{id}/members/{user}" => members::edit,
        DELETE "/rooms/{id}/members/{user}" => members::remove,
        GET "/rooms/{id}/messages" => messages::history,
        POST "/rooms/{id}/messages" => messages::post,
        POST "/rooms/{id}/files" => files::post,
        PUT "/rooms/{id}/picture" => files::set_picture,
        DELETE "/rooms/{id}/picture" => files::clear_picture,
        GET "/files" => files::list,
        DELETE "/files/{id}" => files::remove,
        GET "/messages/{id}" => messages::show,
        PATCH "/messages/{id}" => messages::edit,
        DELETE "/messages/{id}" => messages::delete,
        GET "/invites" => invites::list,
        POST "/invites" => invites::create,
        DELETE "/invites/{id}" => invites::revoke,
        GET "/invites/{code}" => invites::show,
        GET "/invites/{code}/qr" => invites::picture,
        POST "/invites/{code}/join" => invites::join,
        PUT "/messages/{id}/reactions/{emoji}" => reactions::add,
        DELETE "/messages/{id}/reactions/{emoji}" => reactions::remove,
        GET "/notifications" => notifications::list,
        POST "/notifications" => notifications::note,
        POST "/notifications/read" => notifications::read,
        GET "/search" => search::search,
        GET "/ws" => ws::open,
    ];
    Surface {
        prefix: PREFIX,
        routes,
        fault: error::response,
    }
}

/// Authenticates the request. With the cookie, every method other than GET also requires the CSRF token.
async fn caller(call: &Call) -> Result<Caller, Fault> {
    let caller = call.caller().await?;
    if call.method == Method::GET || !matches!(call.proof(false)?, Some(Proof::Cookie(_))) {
        return Ok(caller);
    }
    let token = call.header("x-csrf-token").unwrap_or_default();
    if call.kit.chat.is_csrf_token(&caller, token) {
        Ok(caller)
    } else {
        Err(Fault::Csrf)
    }
}
