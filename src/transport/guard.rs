//! Refuses requests that no route can handle, and responds with 500 if a handler panics. Independent of the routes.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode, Version};

/// A service that refuses malformed requests and catches panics of its inner service.
#[derive(Clone, Debug)]
pub struct Guard<S> {
    inner: S,
}

impl<S> Guard<S> {
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, A, B> Service<Request<A>> for Guard<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: From<&'static str> + Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn call(&self, request: Request<A>) -> Self::Future {
        if let Some(refusal) = refuse(&request) {
            return Box::pin(std::future::ready(Ok(refusal)));
        }
        // Unwind safety: the state of a handler is dropped after its panic and not used again.
        let called = std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(request)));
        let Ok(answer) = called else {
            return Box::pin(std::future::ready(Ok(failed())));
        };
        Box::pin(async move {
            let caught: Result<_, Box<dyn Any + Send>> =
                AssertUnwindSafe(answer).catch_unwind().await;
            caught.unwrap_or_else(|_| Ok(failed()))
        })
    }
}

/// Returns a refusal for a request whose target is not a path (RFC 9112, sections 3.2.3 and 3.2.4), which would make
/// the router panic.
fn refuse<A, B: From<&'static str>>(request: &Request<A>) -> Option<Response<B>> {
    if request.method() == Method::CONNECT {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "this server is no proxy: CONNECT is not supported\n",
        );
        let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        response.headers_mut().insert(ALLOW, allow);
        return Some(response);
    }
    if request.uri().path().starts_with('/') {
        return None;
    }
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return Some(plain(StatusCode::NO_CONTENT, ""));
    }
    Some(plain(
        StatusCode::BAD_REQUEST,
        "the request target must be a path that begins with /\n",
    ))
}

/// Returns the response for a panic. Closes the connection, because the request body may be partly read.
fn failed<B: From<&'static str>>() -> Response<B> {
    let mut response = plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n");
    *response.version_mut() = Version::HTTP_11;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn plain<B: From<&'static str>>(status: StatusCode, text: &'static str) -> Response<B> {
    let mut response = Response::new(B::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::{Empty, Full};
    use hyper::service::service_fn;
    use std::convert::Infallible;

    type Answer = Result<Response<Full<Bytes>>, Infallible>;

    async fn status(method: &str, target: &str) -> u16 {
        let answers = service_fn(|request: Request<Empty<Bytes>>| async move {
            assert_ne!(request.uri().path(), "/panics");
            Answer::Ok(Response::new("ok".into()))
        });
        let request = Request::builder()
            .method(method)
            .uri(target)
            .body(Empty::<Bytes>::new());
        let answer = Guard::new(answers).call(request.unwrap()).await;
        answer.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_requests_with_a_path_reach_the_routes() {
        assert_eq!(status("CONNECT", "example.org:443").await, 405);
        assert_eq!(status("GET", "example.org:443").await, 400);
        assert_eq!(status("GET", "*").await, 400);
        assert_eq!(status("OPTIONS", "*").await, 204);
        for target in ["/", "/a?b", "http://example.org", "http://example.org/a"] {
            assert_eq!(status("GET", target).await, 200, "{target}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_500() {
        assert_eq!(status("GET", "/panics").await, 500);
    }

    #[tokio::test]
    async fn a_panic_before_the_first_await_is_answered_500() {
        let panics = service_fn(|request: Request<Empty<Bytes>>| {
            assert!(request.uri().path().is_empty());
            std::future::ready(Answer::Ok(Response::new("ok".into())))
        });
        let request = Request::new(Empty::<Bytes>::new());
        let answer = Guard::new(panics).call(request).await.unwrap();
        assert_eq!(answer.status(), 500);
    }
}
