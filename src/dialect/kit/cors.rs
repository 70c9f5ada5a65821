//! Which web sites may call from a browser. Credentials are never allowed: a token works from anywhere, a cookie does not.

use warp::http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_EXPOSE_HEADERS, ORIGIN};

use super::{HeaderMap, Response, StatusCode, empty, set_header};

pub use crate::transport::engineio::Origins;

/// The answer to `OPTIONS`, which may be a preflight; `allow` are the methods the path takes.
pub(super) fn options(origins: &Origins, request: &HeaderMap, allow: &str) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    if request.contains_key("access-control-request-method") {
        origins.preflight(request, response.headers_mut());
        set_header(&mut response, ACCESS_CONTROL_ALLOW_METHODS.as_str(), allow);
    }
    set_header(&mut response, "allow", allow);
    response
}

/// Lets the calling page read the answer, if it may.
pub(super) fn dress(origins: &Origins, request: &HeaderMap, response: &mut Response) {
    if request.contains_key(ORIGIN) {
        origins.allow(request, response.headers_mut());
        set_header(
            response,
            ACCESS_CONTROL_EXPOSE_HEADERS.as_str(),
            "retry-after, location",
        );
    }
}
