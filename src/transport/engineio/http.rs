//! HTTP requests and responses of Engine.IO. Independent of the content of messages.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method, StatusCode};
use tokio::time::timeout;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::polling::Over;
use super::request_query::{Refusal, Transport, check};
use super::server::Inner;
use super::{Handshake, Protocol, Server, connection, upgrade};
use crate::transport::access_log::LongPoll;
use crate::transport::stream::Peer;
use crate::transport::upgrade::Upgrade;

const TEXT: &str = "text/plain; charset=UTF-8";
const JSON: &str = "application/json";
/// Maximum time for receiving the body of a POST.
const BODY_TIMEOUT: Duration = Duration::from_secs(45);

/// A request without its body.
#[derive(Debug)]
pub(super) struct Head {
    method: Method,
    query: String,
    headers: HeaderMap,
    on_upgrade: Option<OnUpgrade>,
    peer: Option<SocketAddr>,
}

impl Head {
    fn handshake(self) -> Handshake {
        Handshake {
            headers: self.headers,
            query: self.query,
            peer: self.peer,
        }
    }
}

/// Handles all requests to `/<path>/`.
pub fn routes<P: Protocol>(server: Server<P>, path: &'static str) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let head = warp::method()
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<OnUpgrade>())
        .and(warp::ext::optional::<Peer>())
        .map(
            |method, query, headers, on_upgrade, peer: Option<Peer>| Head {
                method,
                query,
                headers,
                on_upgrade,
                peer: peer.map(|peer| peer.0),
            },
        );
    warp::path(path)
        .and(warp::path::end())
        .and(head)
        .and(warp::body::stream())
        .then(move |head, body| {
            let server = Arc::clone(server.inner());
            async move { server.respond(head, body).await }
        })
        .boxed()
}

impl<P: Protocol> Inner<P> {
    async fn respond<B: Buf>(
        self: Arc<Self>,
        head: Head,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Response {
        let request = head.headers.clone();
        let mut response = match head.method {
            Method::OPTIONS => {
                let mut response = answer(StatusCode::NO_CONTENT, TEXT, "");
                let headers = response.headers_mut();
                self.config.origins.preflight(&request, headers);
                return response;
            }
            _ => self.dispatch(head, body).await.unwrap_or_else(refuse),
        };
        let headers = response.headers_mut();
        self.config.origins.allow(&request, headers);
        response
    }

    async fn dispatch<B: Buf>(
        self: &Arc<Self>,
        head: Head,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, Refusal> {
        let wanted = check(&head.method, &head.query)?;
        match (wanted.transport, wanted.sid) {
            (Transport::Polling, None) => self.open_polling(head),
            (Transport::Polling, Some(sid)) if head.method == Method::GET => {
                self.get_packets(&sid).await
            }
            (Transport::Polling, Some(sid)) => self.post_packets(&sid, body).await,
            (Transport::WebSocket, None) => self.open_websocket(head),
            (Transport::WebSocket, Some(sid)) => self.move_to_websocket(&head, &sid),
        }
    }

    fn open_polling(self: &Arc<Self>, head: Head) -> Result<Response, Refusal> {
        let ip = head.peer.map_or([0, 0, 0, 0].into(), |peer| peer.ip());
        let slot = self.config.sessions.enter(ip).ok_or(Refusal::Full)?;
        let session = self.open(head.handshake(), slot);
        let packet = self.open_packet(&session.sid, r#""websocket""#);
        Ok(answer(StatusCode::OK, TEXT, packet))
    }

    async fn get_packets(&self, sid: &str) -> Result<Response, Refusal> {
        let session = self.get(sid).ok_or(Refusal::UnknownSid)?;
        let payload = session.get().await?;
        let mut response = answer(StatusCode::OK, TEXT, payload);
        response.extensions_mut().insert(LongPoll);
        Ok(response)
    }

    async fn post_packets<B: Buf>(
        &self,
        sid: &str,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, Refusal> {
        let session = self.get(sid).ok_or(Refusal::UnknownSid)?;
        let posting = session.begin_post()?;
        let body = collect(body, posting.max_payload());
        let body = timeout(BODY_TIMEOUT, body).await;
        posting
            .take_in(body.unwrap_or(Err(Refusal::BadRequest))?)
            .await?;
        Ok(answer(StatusCode::OK, TEXT, "ok"))
    }

    fn open_websocket(self: &Arc<Self>, mut head: Head) -> Result<Response, Refusal> {
        let upgrade = upgrade(&mut head)?;
        let response = upgrade.response();
        tokio::spawn(connection::open(
            Arc::clone(self),
            upgrade,
            head.handshake(),
        ));
        Ok(response)
    }

    fn move_to_websocket(self: &Arc<Self>, head: &Head, sid: &str) -> Result<Response, Refusal> {
        let session = self.get(sid).ok_or(Refusal::UnknownSid)?;
        let upgrade = Upgrade::check(&head.headers, head.on_upgrade.clone());
        let upgrade = upgrade.map_err(|_| Refusal::BadRequest)?;
        let response = upgrade.response();
        tokio::spawn(upgrade::run(Arc::clone(self), session, upgrade));
        Ok(response)
    }
}

fn upgrade(head: &mut Head) -> Result<Upgrade, Refusal> {
    Upgrade::check(&head.headers, head.on_upgrade.take()).map_err(|_| Refusal::BadRequest)
}

impl From<Over> for Refusal {
    fn from(_: Over) -> Self {
        Self::BadRequest
    }
}

/// Reads a body of at most `max` bytes, whether chunked or not.
async fn collect<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    max: usize,
) -> Result<Bytes, Refusal> {
    let mut body = std::pin::pin!(body);
    let mut all = BytesMut::new();
    while let Some(part) = body.next().await {
        let mut part = part.map_err(|_| Refusal::BadRequest)?;
        if all.len() + part.remaining() > max {
            return Err(Refusal::TooBig);
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            all.extend_from_slice(chunk);
            let taken = chunk.len();
            part.advance(taken);
        }
    }
    Ok(all.freeze())
}

fn refuse(refusal: Refusal) -> Response {
    answer(refusal.status(), JSON, refusal.body())
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(body.into().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
