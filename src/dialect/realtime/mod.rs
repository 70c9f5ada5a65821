//! Realtime chat protocol: public and private chat with files, for an existing front end. `/api`; Socket.IO events.

mod auth;
mod chats;
mod encode;
mod error;
mod events;
mod files;
mod me;
mod messages;
mod private;
mod upload;
mod users;
mod wire;

use crate::chat::TokenProfile;

use super::kit::{EventSurface, Response, Surface, events as event_list, routes};
use error::Refusal;

const NAME: &str = "realtime";

/// Format of this dialect's tokens.
static TOKEN_PROFILE: TokenProfile = TokenProfile {
    dialect: NAME,
    sub: |user| user.id().to_string(),
    user_id: false,
};

type Answer = Result<Response, Refusal>;

pub fn surface() -> Surface {
    let routes = routes![error::response;
        POST "/auth/register" => auth::register,
        POST "/auth/login" => auth::log_in,
        POST "/auth/logout" => auth::log_out,
        GET "/messages" => messages::list,
        POST "/messages" => messages::post,
        DELETE "/messages/{id}" => messages::delete,
        GET "/messages/private/{user}" => private::list,
        POST "/messages/private/{user}" => private::post,
        DELETE "/messages/private/{user}/{id}" => private::delete,
        GET "/chats" => chats::list,
        POST "/chats/{id}/read" => chats::read,
        GET "/files" => files::mine,
        POST "/files" => files::create,
        POST "/files/upload" => upload::take,
        GET "/files/{id}" => files::show,
        DELETE "/files/{id}" => files::delete,
        GET "/files/public/{message}" => files::of_message,
        GET "/files/private/{chat}" => files::of_chat,
        GET "/users" => users::list,
        GET "/users/auth-user" => me::show,
        PUT "/users/auth-user" => me::edit,
        POST "/users/auth-user/change-password" => me::change_password,
        GET "/users/{id}" => users::show,
        PUT "/users/{id}" => users::edit,
        DELETE "/users/{id}" => users::end,
    ];
    Surface {
        prefix: "/api",
        routes,
        fault: error::fault_response,
    }
}

pub fn event_surface() -> EventSurface {
    EventSurface {
        dialect: NAME,
        encoder: encode::REALTIME,
        greet: Some(events::greet),
        events: event_list![
            "join_public" => events::join_public,
            "leave_public" => events::leave_public,
            "send_public_message" => events::send_public,
            "send_public_file" => events::send_public_file,
            "mark_public_read" => events::mark_public_read,
            "join_private" => events::join_private,
            "leave_private" => events::leave_private,
            "send_private_message" => events::send_private,
            "send_private_file" => events::send_private_file,
            "mark_chat_read" => events::mark_chat_read,
            "get_online_users" => events::online_users,
        ],
        posts: &["send_public_message", "send_private_message"],
        may_be_open: false,
    }
}
