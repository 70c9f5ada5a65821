//! Which web sites may call from a browser. Credentials are never allowed: a token works from anywhere, a cookie does not.

use super::{HeaderMap, Response, StatusCode, empty, set_header};

/// The sites that may call.
#[derive(Clone, Debug)]
pub enum Origins {
    /// Every site.
    Any,
    /// These, like `https://chat.example`.
    Only(Vec<String>),
}

impl Origins {
    /// The answer to a preflight; `allow` are the methods the path takes.
    pub(super) fn preflight(&self, headers: &HeaderMap, allow: &str) -> Response {
        let mut response = empty(StatusCode::NO_CONTENT);
        set_header(&mut response, "allow", allow);
        if headers.contains_key("access-control-request-method") {
            let asked = headers
                .get("access-control-request-headers")
                .and_then(|value| value.to_str().ok());
            set_header(&mut response, "access-control-allow-methods", allow);
            set_header(
                &mut response,
                "access-control-allow-headers",
                asked.unwrap_or("authorization, content-type"),
            );
            set_header(&mut response, "access-control-max-age", "600");
        }
        response
    }

    /// Lets the calling site read the answer, if it may.
    pub(super) fn dress(&self, origin: Option<&str>, response: &mut Response) {
        match (self, origin) {
            (_, None) => return,
            (Origins::Any, _) => set_header(response, "access-control-allow-origin", "*"),
            (Origins::Only(sites), Some(origin)) => {
                set_header(response, "vary", "origin");
                if !sites.iter().any(|site| site.eq_ignore_ascii_case(origin)) {
                    return;
                }
                set_header(response, "access-control-allow-origin", origin);
            }
        }
        set_header(
            response,
            "access-control-expose-headers",
            "retry-after, location",
        );
    }
}
