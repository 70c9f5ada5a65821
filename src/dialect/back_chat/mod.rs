//! Document 002: the lobby as a chat of its own, users with a profile, uploads. `/v1`; WebSockets under `/ws` and bare.

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

/// This dialect's name.
const NAME: &str = "back_chat";

/// All routes of this dialect.
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

/// Its one route below `/api`, where refusals have the keys of all protocols.
pub fn health() -> Surface {
    Surface {
        prefix: "/api",
        routes: routes![api_fault; GET "/health" => users::health],
        fault: api_fault,
    }
}

/// Who answers for `/v1` where nothing is.
pub fn nothing() -> Surface {
    Surface {
        prefix: "/v1",
        routes: Vec::new(),
        fault: error::response,
    }
}

/// Who asks; anybody, where an operator has switched proof off.
async fn caller(call: &Call) -> Result<Caller, Fault> {
    match call.optional_caller().await? {
        None if call.is_open(NAME) => Ok(Caller::anybody()),
        None => Err(call.token_fault(call.kit.is_open(NAME))),
        Some(caller) => Ok(caller),
    }
}
