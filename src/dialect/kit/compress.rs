//! Compresses responses for clients that accept gzip (RFC 9110 §12.5.3), whatever their content.
//!
//! If a page that contains both a secret and text of an attacker's choice is compressed and then encrypted, its length
//! leaks the secret (BREACH), provided that the attacker can make the browser load it many times. A page of another
//! site can do so only with requests that browsers mark as cross-site; responses to these are not compressed. Without
//! TLS, anyone who can see the lengths can see the content too.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::header::HeaderValue;
use tokio::task::spawn_blocking;

use super::{HeaderMap, Response, StatusCode, set_header};

/// Smallest response that is compressed, in bytes. Smaller ones fit into one packet anyway.
const LEAST: u64 = 1024;
/// Largest response that is compressed, in bytes.
const MOST: u64 = 16 * 1024 * 1024;
/// Responses above this size are compressed on a blocking thread, in bytes.
const QUICK: usize = 64 * 1024;
/// Compression level. Takes less time than the usual 6, for slightly larger responses.
const LEVEL: u32 = 4;
/// Compressible text types. Images and videos are already compressed.
const TYPES: [&str; 9] = [
    "text/html",
    "text/css",
    "text/javascript",
    "text/plain",
    "text/markdown",
    "application/json",
    "application/problem+json",
    "application/manifest+json",
    "image/svg+xml",
];

/// Compresses a response if that is worthwhile and the client accepts gzip.
pub(super) async fn compress(request: &HeaderMap, mut response: Response) -> Response {
    if !is_compressible(&response) {
        return response;
    }
    let varies = HeaderValue::from_static("accept-encoding");
    response.headers_mut().append("vary", varies);
    if !takes_gzip(request) || is_cross_site(request) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let plain = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // A body in memory does not fail.
        Err(_) => return super::empty(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let packed = match plain.len() > QUICK {
        true => {
            let plain = plain.clone();
            spawn_blocking(move || gzip(&plain)).await.ok().flatten()
        }
        false => gzip(&plain),
    };
    let Some(packed) = packed.filter(|packed| packed.len() < plain.len()) else {
        return Response::from_parts(head, plain.into());
    };
    head.headers.remove("content-length");
    let mut response = Response::from_parts(head, packed.into());
    set_header(&mut response, "content-encoding", "gzip");
    response
}

/// Whether the response is text of suitable length, complete, in memory and not yet compressed. Responses that support
/// ranges or have an ETag must be the same for all clients, and a response with `Vary` already has its encoding.
fn is_compressible(response: &Response) -> bool {
    const WITHOUT: [&str; 4] = ["content-encoding", "content-range", "accept-ranges", "etag"];
    let headers = response.headers();
    let kind = headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    let size = response.body().size_hint().exact();
    let is_told = headers
        .get("vary")
        .is_some_and(|vary| vary == "accept-encoding");
    response.status() != StatusCode::PARTIAL_CONTENT
        && kind.is_some_and(|kind| TYPES.contains(&kind))
        && size.is_some_and(|size| (LEAST..=MOST).contains(&size))
        && !is_told
        && !WITHOUT.iter().any(|name| headers.contains_key(*name))
}

/// Whether `Accept-Encoding`, such as `br;q=1.0, gzip`, includes gzip.
pub fn takes_gzip(request: &HeaderMap) -> bool {
    let accepted = request
        .get("accept-encoding")
        .and_then(|accepted| accepted.to_str().ok())
        .unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=");
        let refused = weight.parse() == Ok(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Whether the browser marks the request as coming from a page of another site.
fn is_cross_site(request: &HeaderMap) -> bool {
    request
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

fn gzip(plain: &Bytes) -> Option<Bytes> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
    packed.write_all(plain).ok()?;
    Some(packed.finish().ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_needs_accept_encoding() {
        for (accepted, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, br", false),
            ("identity", false),
            ("", false),
        ] {
            let mut request = HeaderMap::new();
            request.insert("accept-encoding", accepted.parse().unwrap());
            assert_eq!(takes_gzip(&request), takes, "{accepted}");
        }
    }
}
