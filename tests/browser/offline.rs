//! Offline use: messages and changes are queued, survive a reload, and are sent once and in order.

use parlor::config::Config;
use serde_json::json;

use crate::driver::{Browser, Window};
use crate::look::LOOKS;
use crate::support::TestServer;

#[tokio::test]
async fn offline_messages_survive_a_reload_and_are_sent_once_in_order() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.say("before").await;
    ann.installed().await;

    // Both the network and the connection are gone.
    ann.offline(true).await;
    let address = server.address;
    server.stop().await;
    ann.see("Connection lost.").await;
    for text in ["one", "two", "three"] {
        ann.write(text).await;
    }
    ann.until("document.querySelectorAll('#pending .pending').length === 3")
        .await;

    // A reload shows the offline page, which contains nothing of Ann's.
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
async fn pending_messages_do_not_hide_missed_messages() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let address = server.address;

    // The server runs at another address than the one Ann's page reconnects to.
    let server = server.restart().await;
    ann.see("Connection lost.").await;
    ann.write("mine").await;
    ann.see("mine").await;
    server.user("Bob").await.say(1, "meanwhile").await;

    // The server accepts the message, but the connection is lost again before it answers the resume.
    let deaf = "window.send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (frame) { if (!frame.includes('resume')) send.call(this, frame); };";
    ann.eval(deaf).await;
    let there = |config: &mut Config| config.server.listen = address;
    let server = server.restart_with(there).await;
    ann.until("document.querySelector('#messages .text')").await;
    assert_eq!(ann.messages().await, ["mine"]);
    // On the next connection, the resume is first refused with `busy`.
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
async fn the_cache_has_only_assets_and_the_offline_page() {
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
async fn the_hint_about_https_can_be_dismissed() {
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
async fn offline_messages_of_two_windows_are_sent_once_in_order() {
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
    // Each window shows the pending messages of the other.
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

/// Focuses a message and sends a key.
async fn press(window: &Window, text: &str, key: &str) {
    let found = format!(
        "[...document.querySelectorAll('#messages .message')].find((one) => one.innerText.includes({text:?}))"
    );
    window.until(&found).await;
    window.eval(&format!("{found}.focus()")).await;
    let focused = window.client.active_element().await.unwrap();
    focused.send_keys(key).await.unwrap();
}

#[tokio::test]
async fn offline_edits_deletions_and_reactions_are_sent_in_order() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut server = TestServer::start().await;
    let base = format!("http://chat.lan:{}", server.address.port());
    let ann = browser.window_at(&base).await;
    ann.register("Ann").await;
    let bob = server.user("Bob").await;
    ann.enter("Lobby").await;
    ann.say("tea at fife").await;
    ann.say("wrong room").await;
    bob.say(1, "good idea").await;
    ann.see("good idea").await;

    let address = server.address;
    server.stop().await;
    ann.see("Connection lost.").await;
    press(&ann, "tea", "e").await;
    ann.fill("#content", "tea at four").await;
    ann.keys("#content", "\u{E007}").await;
    press(&ann, "tea", "e").await;
    ann.fill("#content", "tea at five").await;
    ann.keys("#content", "\u{E007}").await;
    press(&ann, "wrong", "\u{E017}").await;
    ann.click("#delete-dialog [value=yes]").await;
    press(&ann, "good idea", "\u{E007}").await;
    ann.click("#quick [data-emoji='👍']").await;
    ann.write("and one more").await;
    // The changes are shown at once, marked as waiting.
    ann.see("tea at five").await;
    ann.see("This message was deleted.").await;
    ann.miss("wrong room").await;
    ann.until("document.querySelector('.reaction[aria-pressed=true] .reaction-count').textContent === '1'").await;
    ann.until("document.querySelectorAll('#messages .message.waiting').length === 3")
        .await;
    for look in &LOOKS {
        ann.look(look).await;
        ann.shot(&format!("waiting-{}", look.name)).await;
    }

    let server = server
        .restart_with(|config| config.server.listen = address)
        .await;
    ann.live().await;
    ann.until("!document.querySelector('#messages .waiting') && !document.querySelector('#pending').children.length").await;
    ann.until("document.querySelectorAll('#messages .text').length === 4")
        .await;
    let bob = bob.at(server.address);
    let stored = bob.history(1).await;
    assert_eq!(stored[0]["content"], "tea at five");
    assert!(stored[1]["deleted_at"].is_string());
    assert_eq!(stored[2]["reactions"][0]["emoji"], "👍");
    assert_eq!(stored[3]["content"], "and one more");
    let texts = [
        "tea at five",
        "This message was deleted.",
        "good idea",
        "and one more",
    ];
    assert_eq!(ann.messages().await, texts);
    ann.reload().await;
    ann.live().await;
    assert_eq!(ann.messages().await, texts);
}

#[tokio::test]
async fn a_pending_change_survives_a_reload() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.say("tea at fife").await;
    // Everything works except the connection.
    let deaf = json!({ "source": "window.WebSocket = class { close() {} send() {} }" });
    let added = ann
        .devtools("Page.addScriptToEvaluateOnNewDocument", deaf)
        .await;
    ann.reload().await;
    press(&ann, "tea", "e").await;
    ann.fill("#content", "tea at five").await;
    ann.keys("#content", "\u{E007}").await;
    ann.until("document.querySelector('#messages .waiting')")
        .await;
    ann.reload().await;
    ann.until("document.querySelector('#messages .waiting .text')?.innerText === 'tea at five'")
        .await;
    ann.devtools("Page.removeScriptToEvaluateOnNewDocument", added)
        .await;
    ann.reload().await;
    ann.live().await;
    ann.until("!document.querySelector('#messages .waiting')")
        .await;
    let reader = server.log_in("Ann").await;
    let stored = async { while reader.history(1).await[0]["content"] != "tea at five" {} };
    crate::support::within("the change", stored).await;
}

#[tokio::test]
async fn a_refused_change_is_undone_with_a_notice() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let owner = server.user("Olga").await;
    let room = owner.public_room("Garden").await;
    let ann = browser.person(&server, "Ann").await;
    ann.join("Garden").await;
    ann.say("tea at five").await;
    let noted = "window.said = []; new MutationObserver(() => window.said.push(document.querySelector('#toast').textContent))
        .observe(document.querySelector('#toast'), { childList: true })";
    ann.eval(noted).await;
    let member = format!("rooms/{room}/members/{}", ann.my_id().await);
    let muted = json!({ "muted_until": "2999-01-01T00:00:00Z" });
    owner.patch(&member, muted).await.ok(200);
    press(&ann, "tea", "\u{E007}").await;
    ann.click("#quick [data-emoji='👍']").await;
    ann.until("window.said.includes('Undone: You are muted here for a while.')")
        .await;
    ann.until("!document.querySelector('#messages .reaction')")
        .await;
    press(&ann, "tea", "e").await;
    ann.fill("#content", "tea at six").await;
    ann.keys("#content", "\u{E007}").await;
    // The edited text is not lost and can be retried.
    ann.see("Your change was not saved. You are muted here for a while.")
        .await;
    ann.until("document.querySelector('#messages .text').innerText === 'tea at five'")
        .await;
    ann.until("document.querySelector('#pending .text').innerText === 'tea at six'")
        .await;
    ann.shot("edit-refused").await;
    owner
        .patch(&member, json!({ "muted_until": null }))
        .await
        .ok(200);
    ann.click("#pending [data-do=retry]").await;
    ann.until("document.querySelector('#messages .text').innerText === 'tea at six' && !document.querySelector('#messages .waiting')").await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    assert_eq!(owner.history(room).await[0]["content"], "tea at six");
    ann.assert_quiet().await;
}
