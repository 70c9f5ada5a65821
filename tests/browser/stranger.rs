//! A page of another web site, opened in a browser on the local network, can neither read nor write anything: neither
//! one of another origin on the same machine (to which browsers send the server's cookies), nor one that reaches the
//! server under its own name (DNS rebinding).

use parlor::config::OpenDialects;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::driver::{Browser, Window};
use crate::support::TestServer;

const TRIES: &str = include_str!("stranger.js");
const TABLES: [&str; 4] = ["users", "sessions", "messages", "rooms"];

/// Starts a web site with one empty page and returns its origin.
async fn web_site() -> String {
    const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 44\r\n\
        connection: close\r\n\r\n<!doctype html><title>evil</title><body>evil";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut visitor, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = visitor.read(&mut [0; 4096]).await;
                let _ = visitor.write_all(PAGE).await;
            });
        }
    });
    format!("http://{address}")
}

/// Runs the requests in the open page; returns what it could read from the server at `base`.
async fn attack(window: &Window, base: &str) -> Vec<(String, String)> {
    let arguments = vec![json!(base)];
    let learnt = window.client.execute_async(TRIES, arguments).await.unwrap();
    serde_json::from_value(learnt).unwrap()
}

fn assert_nothing_learnt(learnt: &[(String, String)]) {
    assert!(learnt.len() > 40, "{learnt:?}");
    for (what, told) in learnt {
        let is_refusal = ["401", "403", "unreadable", "opaque", ""].contains(&told.as_str())
            || told.starts_with("44")
            || (told.contains("\"error\"") && told.contains("unauthenticated"));
        assert!(is_refusal, "{what}: {told}");
    }
}

#[tokio::test]
async fn pages_of_other_web_sites_can_neither_read_nor_write() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start_with(|config| config.compat.open = OpenDialects::All).await;
    let base = format!("http://{}", server.address);
    let window = browser.person(&server, "ann").await;
    let rows = || TABLES.map(|table| server.count(table));
    let before = rows();

    let site = web_site().await;
    window.client.goto(&site).await.unwrap();
    assert_nothing_learnt(&attack(&window, &base).await);
    assert_eq!(rows(), before, "another origin");

    // This response has no CSP, so its page may do what an attacker's page could.
    let rebound = format!("http://evil.example:{}", server.address.port());
    window
        .client
        .goto(&format!("{rebound}/api/v1/server"))
        .await
        .unwrap();
    let told = window
        .eval("return JSON.parse(document.body.innerText)")
        .await;
    assert_eq!(told["registration"], "closed");
    assert_eq!(told["guests"], Value::Bool(false));
    assert_nothing_learnt(&attack(&window, &rebound).await);
    assert_eq!(rows(), before, "a foreign name");

    window.open("/").await;
    window.until("location.pathname === '/conversations'").await;
}
