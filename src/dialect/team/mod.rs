//! Team chat protocol: token routes, conversations as JSON, and a raw WebSocket. Its HTML pages are in `web`.

mod conversations;
mod encode;
mod error;
mod frames;
mod token;
mod wire;
mod ws;

use crate::chat::TokenProfile;

use super::kit::{Call, Surface, routes};

const NAME: &str = "team";

/// Format of this dialect's tokens.
static TOKEN_PROFILE: TokenProfile = TokenProfile {
    dialect: NAME,
    sub: |user| user.person.uuid.to_string(),
    user_id: true,
};

/// Returns all routes of this dialect. Token routes also exist under `/auth`, the others also under `/api`.
pub fn surface() -> Surface {
    let routes = routes![error::response;
        GET "/auth/token" => token::grant,
        POST "/auth/token" => token::grant,
        OPTIONS "/auth/token" => token::options,
        GET "/token" => token::grant,
        POST "/token" => token::grant,
        OPTIONS "/token" => token::options,
        POST "/auth/refresh" => token::refresh,
        POST "/refresh" => token::refresh,
        GET "/auth/check" => token::check,
        GET "/check" => token::check,
        GET "/api/user/{uuid}/conversations" => conversations::of_user,
        GET "/user/{uuid}/conversations" => conversations::of_user,
        GET "/api/conversation/{uuid}/messages" => conversations::messages,
        GET "/conversation/{uuid}/messages" => conversations::messages,
        GET "/api/conversation/{uuid}" => conversations::show,
        GET "/conversation/{uuid}" => conversations::show,
        GET "/" if is_upgrade => ws::open,
    ];
    Surface {
        prefix: "",
        routes,
        fault: error::response,
    }
}

fn is_upgrade(call: &Call) -> bool {
    call.header("upgrade")
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}
