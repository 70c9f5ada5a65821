//! The nginx and Caddy configurations of README.md, with the real programs in front of the real server.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(unused_imports, reason = "made for other tests")]
#[path = "../api/support/mod.rs"]
mod support;

mod proxy;

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use proxy::{CADDY, Kind, NGINX, Proxy};
use support::*;

const FILE_MAX: usize = 25 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_nginx_configuration_of_the_readme_works() {
    people_chat_behind(&NGINX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caddy_configuration_of_the_readme_works() {
    people_chat_behind(&CADDY).await;
}

async fn people_chat_behind(kind: &Kind) {
    let Some(proxy) = Proxy::start(kind).await else {
        return;
    };
    let ann = register(proxy.address, "ann").await;
    files_of_the_largest_size_pass(&ann).await;
    sockets_pass(&proxy, &ann).await;
    socket_io_passes_by_both_transports(&proxy, &ann).await;
    pages_know_their_own_address(&proxy).await;
    five_hundred_posts_pass_over_kept_connections(&proxy, &ann).await;
    the_log_names_the_client_and_the_request(&proxy).await;
}

async fn files_of_the_largest_size_pass(ann: &Persona) {
    let uuid = "6f1f7c6e-6d0b-4e0e-9c6a-0a4c3f6d8a01";
    let form = Form::new().text("uuid", uuid);
    let form = form.file("film.bin", "application/octet-stream", vec![7; FILE_MAX]);
    let message = ann.form("POST", "rooms/1/files", &form).await.ok(201);
    assert_eq!(message["files"][0]["size"], FILE_MAX);
    // A file that is too large is refused by Parlor, with an error that the page understands.
    let form = Form::new().file(
        "film.bin",
        "application/octet-stream",
        vec![7; FILE_MAX + 1],
    );
    let refused = ann.form("POST", "rooms/1/files", &form).await;
    refused.refused(413, "too_large");
}

async fn sockets_pass(proxy: &Proxy, ann: &Persona) {
    let mut socket = Socket::open(proxy.address, Some(&ann.token)).await;
    let sent = json!({"op": "send", "room": 1, "content": "hi"});
    socket.ok(sent).await;
}

async fn socket_io_passes_by_both_transports(proxy: &Proxy, ann: &Persona) {
    let url = format!("http://{}", proxy.address);
    let Some(mut client) = Driven::npm() else {
        return;
    };
    for transports in [json!(["polling"]), json!(["websocket"])] {
        let order = json!({"url": url, "transports": transports, "auth": {"token": ann.token}});
        client.order("open", order);
        assert_eq!(client.told("connected").await, transports[0]);
        client.order("emit", json!(["join", {"user_name": "ann", "room_id": 1}]));
        client.event("user_joined").await;
        let words = json!({"user_name": "ann", "room_id": 1, "message": "hi"});
        client.order("emit", json!(["message", words]));
        assert_eq!(client.event("new_message").await["message"], "hi");
    }
}

/// The page's origin includes the proxy's port, which only a correct `Host` header tells.
async fn pages_know_their_own_address(proxy: &Proxy) {
    let browser = Client::new(proxy.address).with("origin", format!("http://{}", proxy.address));
    let fields = [("username", "ann"), ("password", PASSWORD)];
    submit(&browser, "/auth/login", &fields).await.leads_to("/");
}

async fn five_hundred_posts_pass_over_kept_connections(proxy: &Proxy, ann: &Persona) {
    let posting = (0..5).map(|_| tokio::spawn(post_a_hundred(proxy.address, ann.token.clone())));
    for posted in posting.collect::<Vec<_>>() {
        within("a hundred posts", posted).await.unwrap();
    }
}

/// Posts over one connection, from another address than the proxy's.
async fn post_a_hundred(address: SocketAddr, token: String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let tcp = socket.connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(connection);
    for n in 0..100 {
        let request = Request::post("/api/v1/rooms/1/messages")
            .header("host", address.to_string())
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(
                json!({"content": format!("no. {n}")}).to_string(),
            )));
        sender.ready().await.unwrap();
        let reply = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(reply.status(), 201, "post {n}");
        reply.into_body().collect().await.unwrap();
    }
}

async fn the_log_names_the_client_and_the_request(proxy: &Proxy) {
    let posts = |line: &&Value| line["client"] == "127.0.0.2" && line["method"] == "POST";
    let log = proxy.log();
    let posts: Vec<_> = log.iter().filter(posts).collect();
    assert_eq!(posts.len(), 500);
    assert!(posts.iter().all(|line| line["proxy"] == "127.0.0.1"));
    // The proxy's request ids are longer than Parlor's own.
    let id = |line: &&Value| line["span"]["request_id"].as_str().unwrap().len() >= 32;
    assert!(posts.iter().all(id), "{}", posts[0]);
}
