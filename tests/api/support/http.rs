//! HTTP client and assertions on responses.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{assert_keys, within};

/// HTTP client with fixed headers, opening a connection per request.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            headers: Vec::new(),
        }
    }

    /// Sets a header of every request.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the bearer token.
    pub fn token(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    /// Returns the value of a header that the client sends, empty if unset.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, None).await
    }

    /// Sends a request below `/api/v1/`, or elsewhere if the path begins with `/`.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let content_type = body.as_ref().map(|_| "application/json");
        let body = body.map(|json| json.to_string()).unwrap_or_default();
        self.send(method, path, content_type, body).await
    }

    /// Like [`Self::call`], with any body.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Reply {
        let path = match path.strip_prefix('/') {
            Some(_) => path.to_owned(),
            None => format!("/api/v1/{path}"),
        };
        let mut request = Request::builder().method(method).uri(&path);
        if self.header("host").is_empty() {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let what = format!("{method} {path}");
        within(&what, exchange(self.address, request, what.clone())).await
    }
}

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>, what: String) -> Reply {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let (head, body) = response.into_parts();
    Reply {
        what,
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// Sends raw bytes and returns everything received until the server closes.
pub async fn raw(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let answer = async {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(request.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    within("an answer", answer).await
}

/// Sends raw bytes and returns the first line of the response.
pub async fn first_line(address: SocketAddr, request: &str) -> String {
    let answer = async {
        let mut tcp = BufReader::new(TcpStream::connect(address).await.unwrap());
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut line = String::new();
        tcp.read_line(&mut line).await.unwrap();
        line
    };
    within("an answer", answer).await
}

/// Sends raw bytes, closes the sending side, and waits until the server closes.
pub async fn hang_up_after(address: SocketAddr, request: impl AsRef<[u8]>) {
    let talk = async {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(request.as_ref()).await.unwrap();
        tcp.shutdown().await.unwrap();
        let _ = tcp.read_to_end(&mut Vec::new()).await;
    };
    within("the end of the connection", talk).await;
}

/// Response to a request.
#[derive(Debug)]
pub struct Reply {
    what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// Returns a header, empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts the status and returns the JSON body.
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), "application/json", "{self}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts the status and returns the HTML body.
    pub fn page(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Asserts a redirect to `location`.
    pub fn leads_to(&self, location: &str) {
        assert_eq!(self.status, 302, "{self}");
        assert_eq!(self.header("location"), location, "{self}");
    }

    /// Returns the items of a list page.
    pub fn items(&self) -> Vec<Value> {
        let list = self.ok(200);
        assert_keys(&list, "items more");
        list["items"].as_array().unwrap().clone()
    }

    /// Asserts 204 without a body.
    pub fn done(&self) {
        assert_eq!(self.status, 204, "{self}");
        assert!(self.body.is_empty(), "{self}");
    }

    /// Asserts a problem document with that status and code, and returns it.
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self}");
        let kind = self.header("content-type");
        assert_eq!(kind, "application/problem+json", "{self}");
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["code"], code, "{self}");
        assert_eq!(problem["status"], status, "{self}");
        assert_eq!(problem["type"], "about:blank", "{self}");
        for text in ["title", "detail"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{self}");
        }
        problem
    }

    /// Asserts the status, and `text` under the error key of every protocol below `/api`.
    pub fn refused_below_api(&self, status: u16, text: &str) {
        let said = self.ok(status);
        assert_keys(&said, "error message msg detail");
        for key in ["error", "message", "msg", "detail"] {
            assert_eq!(said[key], text, "{self}");
        }
    }

    /// Asserts 422 for that field.
    pub fn invalid(&self, field: &str) {
        assert_eq!(self.refused(422, "invalid")["field"], field, "{self}");
    }

    /// Asserts 409 because the value of that field is taken.
    pub fn taken(&self, field: &str) {
        assert_eq!(self.refused(409, "taken")["field"], field, "{self}");
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} → {} {body}", self.what, self.status)
    }
}
