//! Validates the query of Engine.IO requests. Changes no state.

use hyper::{Method, StatusCode};

use super::query_value;

/// An invalid request, with the error code and message of Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Transport,
    UnknownSid,
    Method,
    BadRequest,
    Version,
    /// The limit of sessions is reached.
    Full,
    TooBig,
}

impl Refusal {
    pub fn status(self) -> StatusCode {
        match self {
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooBig => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub fn body(self) -> &'static str {
        match self {
            Self::Transport => r#"{"code":0,"message":"Transport unknown"}"#,
            Self::UnknownSid => r#"{"code":1,"message":"Session ID unknown"}"#,
            Self::Method => r#"{"code":2,"message":"Bad handshake method"}"#,
            Self::BadRequest => r#"{"code":3,"message":"Bad request"}"#,
            Self::Version => {
                r#"{"code":5,"message":"Unsupported protocol version: Engine.IO 4 is needed, as in Socket.IO clients 3 and 4"}"#
            }
            Self::Full => r#"{"code":3,"message":"Too many sessions"}"#,
            Self::TooBig => r#"{"code":3,"message":"Payload too large"}"#,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Polling,
    WebSocket,
}

/// Transport and session id of a valid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub transport: Transport,
    pub sid: Option<String>,
}

/// Validates method and query of a request.
pub(super) fn check(method: &Method, query: &str) -> Result<Wanted, Refusal> {
    let value = |name| query_value(query, name);
    let transport = match value("transport").as_deref() {
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        _ => return Err(Refusal::Transport),
    };
    if value("EIO").as_deref() != Some("4") {
        return Err(Refusal::Version);
    }
    let sid = value("sid").map(|sid| sid.into_owned());
    let may = match (transport, &sid) {
        (Transport::Polling, Some(_)) => method == Method::GET || method == Method::POST,
        _ => method == Method::GET,
    };
    match may {
        true => Ok(Wanted { transport, sid }),
        false => Err(Refusal::Method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_requests_are_refused_with_a_reason() {
        let table = [
            ("GET", "", Refusal::Transport),
            ("GET", "EIO=4", Refusal::Transport),
            ("GET", "EIO=4&transport=carrier-pigeon", Refusal::Transport),
            ("GET", "transport=polling", Refusal::Version),
            ("GET", "EIO=3&transport=polling", Refusal::Version),
            ("GET", "EIO=3&transport=websocket", Refusal::Version),
            ("POST", "EIO=4&transport=polling", Refusal::Method),
            ("PUT", "EIO=4&transport=polling&sid=a", Refusal::Method),
            ("POST", "EIO=4&transport=websocket&sid=a", Refusal::Method),
        ];
        for (method, query, refusal) in table {
            let method = method.parse().unwrap();
            assert_eq!(check(&method, query), Err(refusal), "{method} {query}");
        }
    }

    #[test]
    fn transport_and_sid_are_parsed_from_the_query() {
        let wanted = check(&Method::POST, "t=x&sid=a%2Fb&transport=polling&EIO=4").unwrap();
        assert_eq!(wanted.transport, Transport::Polling);
        assert_eq!(wanted.sid.as_deref(), Some("a/b"));
    }
}
