//! Access log: one line per request, and a request id for all log lines of a request. Must never log a query string,
//! because it may contain tokens.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::Service;
use hyper::{Request, Response, StatusCode};
use tracing::Instrument as _;

use super::connection_log::{REQUEST_ID, Record};
use super::stream::Peer;

/// Maximum length of an id that is accepted from a proxy, in bytes.
const ID_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The client's own address, as far as it is known.
    pub address: IpAddr,
    pub is_proxied: bool,
}

/// Determines the client from the peer's address and the headers.
pub type Locate = dyn Fn(SocketAddr, &HeaderMap) -> Client + Send + Sync;

/// Response extension for long polls: the response had to wait for data, so its duration says nothing about the server.
#[derive(Clone, Copy, Debug)]
pub struct LongPoll;

/// A service that logs the responses of its inner service.
#[derive(Clone)]
pub struct AccessLog<S> {
    inner: S,
    locate: Arc<Locate>,
}

impl<S> AccessLog<S> {
    pub fn new(inner: S, locate: Arc<Locate>) -> Self {
        Self { inner, locate }
    }
}

impl<S: fmt::Debug> fmt::Debug for AccessLog<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
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

    fn call(&self, mut request: Request<A>) -> Self::Future {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let client = peer.map(|peer| (self.locate)(peer, request.headers()));
        let id = request_id(&request, client);
        let span = tracing::error_span!("request", request_id = id.to_str().unwrap_or_default());
        request.headers_mut().insert(REQUEST_ID, id.clone());
        let line = Line::new(&request, peer, client);
        let record = request.extensions().get::<Arc<Record>>().cloned();
        let answer = span.in_scope(|| self.inner.call(request));
        let work = async move {
            let mut answer = answer.await;
            if let Ok(response) = &mut answer {
                line.write(response);
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    line.note(record.as_deref(), &id);
                }
                response.headers_mut().insert(REQUEST_ID, id);
            }
            answer
        };
        Box::pin(work.instrument(span))
    }
}

/// Returns the id that a trusted proxy gave the request, or a new one.
fn request_id<A>(request: &Request<A>, client: Option<Client>) -> HeaderValue {
    let is_id = |id: &&HeaderValue| {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=ID_MAX).contains(&id.len()) && id.as_bytes().iter().all(is_part)
    };
    let given = request.headers().get(REQUEST_ID).filter(is_id);
    let given = given.filter(|_| client.is_some_and(|client| client.is_proxied));
    given.cloned().unwrap_or_else(|| {
        let id = format!("{:016x}", rand::random::<u64>());
        HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    })
}

struct Line {
    method: hyper::Method,
    uri: hyper::Uri,
    client: Option<IpAddr>,
    proxy: Option<IpAddr>,
    begun: Instant,
}

impl Line {
    fn new<A>(request: &Request<A>, peer: Option<SocketAddr>, client: Option<Client>) -> Self {
        let is_proxied = client.is_some_and(|client| client.is_proxied);
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: client.map(|client| client.address),
            proxy: peer.map(|peer| peer.ip()).filter(|_| is_proxied),
            begun: Instant::now(),
        }
    }

    fn write<B>(&self, response: &Response<B>) {
        let ms = self.begun.elapsed().as_secs_f64() * 1e3;
        let ms = (ms * 10.0).round() / 10.0;
        let is_long_poll = response.extensions().get::<LongPoll>().is_some();
        tracing::info!(
            method = %self.method,
            path = %loggable(self.uri.path()),
            status = response.status().as_u16(),
            ms = (!is_long_poll).then_some(ms),
            waited_ms = is_long_poll.then_some(ms),
            client = self.client.map(tracing::field::display),
            proxy = self.proxy.map(tracing::field::display),
            "request"
        );
    }

    /// Records that the connection has become a WebSocket.
    fn note(&self, record: Option<&Record>, id: &HeaderValue) {
        if let (Some(record), Some(client), Ok(id)) = (record, self.client, id.to_str()) {
            record.upgraded(id, client, &loggable(self.uri.path()));
        }
    }
}

/// Maximum length of a logged path, in bytes.
const PATH_MAX: usize = 200;

/// Returns the path for the log: without segments of 32 hexadecimal digits, which are secret codes that grant access,
/// and truncated to [`PATH_MAX`].
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

    fn id_for(given: &str, is_proxied: bool) -> String {
        let request = Request::builder().header(REQUEST_ID, given);
        let address = [192, 0, 2, 1].into();
        let client = Client {
            address,
            is_proxied,
        };
        let id = request_id(&request.body(()).unwrap(), Some(client));
        id.to_str().unwrap().to_owned()
    }

    #[test]
    fn request_ids_are_taken_from_trusted_proxies_only_if_plain() {
        assert_eq!(id_for("4bf92f35-77b3.4_a", true), "4bf92f35-77b3.4_a");
        for (given, is_proxied) in [
            ("4bf92f35", false),
            ("", true),
            ("a b", true),
            ("a\"b", true),
            (&*"a".repeat(65), true),
        ] {
            let id = id_for(given, is_proxied);
            assert_ne!(id, given);
            assert_eq!(id.len(), 16, "{id}");
        }
    }

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
    fn a_long_path_is_truncated_in_the_log() {
        let path = format!("/{}", "ä".repeat(30_000));
        let logged = loggable(&path);
        assert!(logged.len() < 250, "{}", logged.len());
        assert!(logged.ends_with("… (59802 bytes more)"), "{logged}");
        let code_at_the_cut = format!("/{}/{}", "a".repeat(180), "0123456789abcdef".repeat(2));
        assert!(!loggable(&code_at_the_cut).contains("0123456789abcdef"));
    }
}
