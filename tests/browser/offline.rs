//! Without a connection: what is written waits, survives a reload, and goes out once and in order.

use parlor::config::Config;
use serde_json::json;

use crate::driver::Browser;
use crate::support::TestServer;

#[tokio::test]
async fn what_is_written_offline_survives_a_reload_and_goes_out_once_and_in_order() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.say("before").await;
    ann.installed().await;

    // The network is gone, and with it the connection.
    ann.offline(true).await;
    let address = server.address;
    server.stop().await;
    ann.see("Connection lost.").await;
    for text in ["one", "two", "three"] {
        ann.write(text).await;
    }
    ann.until("document.querySelectorAll('#pending .pending').length === 3")
        .await;

    // A reload shows the page that needs no server; nothing of Ann's is on it.
    ann.reload().await;
    ann.see("No connection").await;
    ann.miss("before").await;

    let server = server
        .restart_with(|config| config.server.listen = address)
        .await;
    ann.offline(false).await;
    ann.reload().await;
    ann.live().await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    assert_eq!(ann.messages().await, ["before", "one", "two", "three"]);
    ann.reload().await;
    ann.live().await;
    let bob = server.user("Bob").await;
    let stored = bob.history(1).await;
    let stored: Vec<_> = stored.iter().map(|one| &one["content"]).collect();
    assert_eq!(stored, ["before", "one", "two", "three"]);
}

#[tokio::test]
async fn what_is_written_offline_hides_nothing_that_was_said_meanwhile() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let address = server.address;

    // While Ann's page looks for the server where it was, it is elsewhere.
    let server = server.restart().await;
    ann.see("Connection lost.").await;
    ann.write("mine").await;
    ann.see("mine").await;
    server.user("Bob").await.say(1, "meanwhile").await;

    // The server takes the one, and the connection is lost again before it tells of the other.
    let deaf = "window.send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (frame) { if (!frame.includes('resume')) send.call(this, frame); };";
    ann.eval(deaf).await;
    let there = |config: &mut Config| config.server.listen = address;
    let server = server.restart_with(there).await;
    ann.until("document.querySelector('#messages .text')").await;
    assert_eq!(ann.messages().await, ["mine"]);
    // The next connection is first told to come later.
    let busy = "WebSocket.prototype.send = function (frame) {
          if (!frame.includes('resume')) return send.call(this, frame);
          WebSocket.prototype.send = send;
          this.onmessage({ data: JSON.stringify({ re: JSON.parse(frame).id, error: { code: 'busy' } }) });
        };";
    ann.eval(busy).await;
    let _server = server.restart_with(there).await;
    ann.until("document.querySelectorAll('#messages .text').length === 2")
        .await;
    assert_eq!(ann.messages().await, ["meanwhile", "mine"]);
}

#[tokio::test]
async fn without_a_connection_there_is_a_page_of_nobodys() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.installed().await;
    let kept = "const done = arguments[0];
        caches.keys().then(async (names) => {
          const kept = [];
          for (const name of names) for (const { url } of await (await caches.open(name)).keys()) kept.push(new URL(url).pathname);
          done(kept.filter((path) => !path.startsWith('/assets/')));
        });";
    let kept = ann.client.execute_async(kept, vec![]).await.unwrap();
    assert_eq!(kept, json!(["/offline"]));
    let manifest = server.anybody().get("/manifest.webmanifest").await;
    assert_eq!(manifest.status, 200);
    assert_eq!(manifest.header("content-type"), "application/manifest+json");
    ann.assert_quiet().await;
}

#[tokio::test]
async fn on_plain_http_the_page_says_what_https_would_add_and_says_it_no_more() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let base = format!("http://chat.lan:{}", server.address.port());
    let ann = browser.window_at(&base).await;
    ann.register("Ann").await;
    ann.see("Over https this page could also notify you").await;
    ann.click(".side-note button").await;
    ann.reload().await;
    ann.live().await;
    ann.miss("Over https").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn what_two_windows_wrote_offline_goes_out_once_and_in_order() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut server = TestServer::start().await;
    let base = format!("http://chat.lan:{}", server.address.port());
    let ann = browser.window_at(&base).await;
    ann.register("Ann").await;
    ann.enter("Lobby").await;
    let first = ann.client.window().await.unwrap();
    let second = ann.client.new_window(true).await.unwrap().handle;
    ann.client.switch_to_window(second.clone()).await.unwrap();
    ann.open("/conversations").await;
    ann.enter("Lobby").await;

    let address = server.address;
    server.stop().await;
    for (text, window) in [("one", &first), ("two", &second), ("three", &first)] {
        ann.client.switch_to_window(window.clone()).await.unwrap();
        ann.see("Connection lost.").await;
        ann.write(text).await;
        ann.until(&format!(
            "document.querySelector('#pending').innerText.includes('{text}')"
        ))
        .await;
    }
    // Each window knows what the other one wrote.
    for window in [&second, &first] {
        ann.client.switch_to_window(window.clone()).await.unwrap();
        ann.until("document.querySelectorAll('#pending .pending').length === 3")
            .await;
    }
    let server = server
        .restart_with(|config| config.server.listen = address)
        .await;
    for window in [&first, &second] {
        ann.client.switch_to_window(window.clone()).await.unwrap();
        ann.live().await;
        ann.until("!document.querySelector('#pending').children.length")
            .await;
        ann.until("document.querySelectorAll('#messages .text').length === 3")
            .await;
        assert_eq!(ann.messages().await, ["one", "two", "three"]);
        assert_eq!(
            ann.eval("return Object.keys(localStorage).filter((key) => key.includes('outbox'))")
                .await,
            json!([])
        );
    }
    let stored = server.user("Bob").await.history(1).await;
    let stored: Vec<_> = stored.iter().map(|one| &one["content"]).collect();
    assert_eq!(stored, ["one", "two", "three"]);
}
