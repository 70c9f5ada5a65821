//! Back chat protocol: the lobby as the only chat, users with a profile, uploads. `/v1`; WebSockets under `/ws` and
//! without it.

mod encode;
mod error;
mod messages;
mod notifications;
mod uploads;
mod users;
mod wire;
mod ws;

use crate::chat::Caller;

use super::kit::{Call, Fault, Surface, api_fault, routes};

const NAME: &str = "back_chat";

pub fn surface() -> Surface {
    let routes = routes![error::response;
        POST "/v1/user" => users::add,
        GET "/v1/users" => users::list,
        PUT "/v1/users/{id}" => users::edit,
        DELETE "/v1/users/{id}" => users::end,
        POST "/v1/upload-files" => uploads::take,
        GET "/v1/connected-users" => users::connected,
        GET "/v1/user-info" => users::info,
        GET "/v1/messages" => messages::recent,
        DELETE "/v1/messages" => messages::clear,
        GET "/ws/connected_users" => users::connected_names,
        GET "/connected_users" => users::connected_names,
        GET "/ws/messages" => ws::messages,
        GET "/messages" => ws::messages,
        GET "/ws/notifications" => notifications::listen,
        GET "/notifications" => notifications::listen,
    ];
    Surface {
        prefix: "",
        routes,
        fault: error::response,
    }
}

/// Returns the only route below `/api`, where errors have the keys of all protocols.
pub fn health() -> Surface {
    Surface {
        prefix: "/api",
        routes: routes![api_fault; GET "/health" => users::health],
        fault: api_fault,
    }
}

/// Returns a surface without routes that answers errors for unknown paths below `/v1`.
pub fn nothing() -> Surface {
    Surface {
        prefix: "/v1",
        routes: Vec::new(),
        fault: error::response,
    }
}

/// Authenticates the request. If the dialect is open, requests without a token get an anonymous caller.
async fn caller(call: &Call) -> Result<Caller, Fault> {
    match call.optional_caller().await? {
        None if call.is_open(NAME) => Ok(Caller::anybody()),
        None => Err(call.token_fault(call.kit.is_open(NAME))),
        Some(caller) => Ok(caller),
    }
}
