//! CORS: which web sites may send requests from a browser. Credentials are never allowed: tokens work from any origin,
//! cookies do not.

use warp::http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_EXPOSE_HEADERS, ORIGIN};

use super::{HeaderMap, Response, StatusCode, empty, set_header};

pub use crate::transport::engineio::Origins;

/// Responds to `OPTIONS`, which may be a preflight request; `allow` lists the methods of the path.
pub(super) fn options(origins: &Origins, request: &HeaderMap, allow: &str) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    if request.contains_key("access-control-request-method") {
        origins.preflight(request, response.headers_mut());
        set_header(&mut response, ACCESS_CONTROL_ALLOW_METHODS.as_str(), allow);
    }
    set_header(&mut response, "allow", allow);
    response
}

/// Sets the headers that let an allowed origin read the response.
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
