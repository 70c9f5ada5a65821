//! One log line a request. Must never write a query string: tokens travel there.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Instant;

use hyper::service::Service;
use hyper::{Request, Response};

use super::listener::Peer;

/// A service that logs what its inner service answers.
#[derive(Clone, Debug)]
pub struct AccessLog<S> {
    inner: S,
}

impl<S> AccessLog<S> {
    /// Logs the requests to `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, A, B> Service<Request<A>> for AccessLog<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn call(&self, request: Request<A>) -> Self::Future {
        let line = Line::new(&request);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            if let Ok(response) = &answer {
                line.write(response.status().as_u16());
            }
            answer
        })
    }
}

struct Line {
    method: hyper::Method,
    uri: hyper::Uri,
    peer: Option<SocketAddr>,
    begun: Instant,
}

impl Line {
    fn new<A>(request: &Request<A>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            peer: request.extensions().get::<Peer>().map(|peer| peer.0),
            begun: Instant::now(),
        }
    }

    fn write(&self, status: u16) {
        let ms = self.begun.elapsed().as_secs_f64() * 1e3;
        tracing::info!(
            method = %self.method,
            path = %loggable(self.uri.path()),
            status,
            ms = (ms * 10.0).round() / 10.0,
            peer = self.peer.map(tracing::field::display),
            "request"
        );
    }
}

/// The longest path that is logged whole, bytes.
const PATH_MAX: usize = 200;

/// The path as it is logged: without parts of 32 hexadecimal digits, which are codes that let somebody in, and cut to
/// [`PATH_MAX`].
fn loggable(path: &str) -> String {
    let is_code = |part: &str| part.len() == 32 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<_> = path
        .split('/')
        .map(|part| if is_code(part) { "…" } else { part })
        .collect();
    let mut path = parts.join("/");
    if path.len() > PATH_MAX {
        let kept = path.floor_char_boundary(PATH_MAX);
        let cut = path.len() - kept;
        path.truncate(kept);
        path.push_str(&format!("… ({cut} bytes more)"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_not_logged() {
        let code = "0123456789abcdef0123456789ABCDEF";
        let path = format!("/api/v1/invites/{code}/join");
        assert_eq!(loggable(&path), "/api/v1/invites/…/join");
        for path in ["/", "/api/v1/rooms/12/messages", "/0123456789abcdef"] {
            assert_eq!(loggable(path), path);
        }
    }

    #[test]
    fn a_long_path_is_logged_cut() {
        let path = format!("/{}", "ä".repeat(30_000));
        let logged = loggable(&path);
        assert!(logged.len() < 250, "{}", logged.len());
        assert!(logged.ends_with("… (59802 bytes more)"), "{logged}");
        let code_at_the_cut = format!("/{}/{}", "a".repeat(180), "0123456789abcdef".repeat(2));
        assert!(!loggable(&code_at_the_cut).contains("0123456789abcdef"));
    }
}
