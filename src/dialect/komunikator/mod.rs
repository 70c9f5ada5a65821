//! Komunikator protocol: rooms with access keys, and online status. All paths below `/api`; events over Socket.IO.

mod access;
mod auth;
mod encode;
mod error;
mod events;
mod members;
mod params;
mod rooms;
mod users;
mod wire;

use crate::chat::TokenProfile;

use super::kit::{EventSurface, Surface, events, routes};

const NAME: &str = "komunikator";

/// Format of this dialect's tokens.
static TOKEN_PROFILE: TokenProfile = TokenProfile {
    dialect: NAME,
    sub: |user| user.person.username.clone(),
    user_id: false,
};

pub fn surface() -> Surface {
    let routes = routes![error::refuse;
        POST "/register" => auth::register,
        POST "/login" => auth::log_in,
        POST "/user/change_password" => auth::change_password,
        GET "/user/get_info" => users::info,
        GET "/users/online" => users::online,
        GET "/rooms" => rooms::list,
        GET "/room" => rooms::show,
        POST "/room/create" => rooms::create,
        POST "/room/edit" => rooms::edit,
        POST "/room/delete" => rooms::delete,
        POST "/room/join_public" => members::join_public,
        POST "/room/join_private" => members::join_private,
        POST "/room/leave" => members::leave,
        GET "/user_rooms" => members::mine,
        GET "/user/list" => members::list,
        GET "/user_list" => members::list,
        POST "/user_kick" => members::kick,
        GET "/chat_history" => rooms::history,
    ];
    Surface {
        prefix: "/api",
        routes,
        fault: error::response,
    }
}

pub fn event_surface() -> EventSurface {
    EventSurface {
        dialect: NAME,
        encoder: encode::KOMUNIKATOR,
        greet: None,
        events: events![
            "join" => events::join,
            "leave" => events::leave,
            "message" => events::message,
            "watchdog" => events::watchdog,
        ],
        posts: &["message"],
        may_be_open: true,
    }
}
