//! Chat app protocol: direct chats between admins and users. No path prefix; events over Socket.IO.

mod auth;
mod chat;
mod encode;
mod error;
mod events;
mod wire;

use crate::chat::TokenProfile;

use super::kit::{Call, EventSurface, Surface, events, routes};

const NAME: &str = "chat_app";

/// Format of this dialect's tokens.
static TOKEN_PROFILE: TokenProfile = TokenProfile {
    dialect: NAME,
    sub: |user| user.id().to_string(),
    user_id: false,
};

pub fn surface() -> Surface {
    let routes = routes![error::response;
        POST "/auth/register" if is_json => auth::register,
        POST "/auth/login" if is_json => auth::log_in,
        GET "/chat/admins" => chat::admins,
        GET "/chat/users" => chat::users,
        GET "/chat/info" => chat::info,
        GET "/chat/messages/{receiver}" => chat::messages,
        GET "/chat/loaded" => chat::loaded,
    ];
    Surface {
        prefix: "",
        routes,
        fault: error::response,
    }
}

pub fn event_surface() -> EventSurface {
    EventSurface {
        dialect: NAME,
        encoder: encode::CHAT_APP,
        greet: Some(events::greet),
        events: events!["smessage" => events::send, "mark_message_read" => events::mark_read],
        posts: &["smessage"],
        may_be_open: false,
    }
}

fn is_json(call: &Call) -> bool {
    call.is_of_type("application/json")
}
