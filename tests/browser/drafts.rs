//! Drafts: kept across pages, rooms and windows, removed at log-out, and not lost when sending is refused.

use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::files::give;
use crate::look::LOOKS;
use crate::support::{PASSWORD, TestServer};

/// Waits until the file tray has exactly these names.
pub async fn tray(window: &Window, names: &[&str]) {
    let shown = "JSON.stringify([...document.querySelectorAll('#tray .file-name')].map((one) => one.textContent))";
    window
        .until(&format!("{shown} === {}", json!(json!(names).to_string())))
        .await;
}

pub fn holds(text: &str) -> String {
    format!(
        "document.querySelector('#content').value === {}",
        json!(text)
    )
}

/// Throttles uploads to 20 kB/s, or removes the limit.
pub async fn narrow(window: &Window, narrow: bool) {
    let throughput = if narrow { 20_000 } else { -1 };
    let line = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": throughput });
    window.devtools("Network.enable", json!({})).await;
    window
        .devtools("Network.emulateNetworkConditions", line)
        .await;
}

/// Returns everything in the browser's storage as one text.
pub async fn kept(window: &Window) -> String {
    let script = "const done = arguments[0];
        const found = Object.entries({ ...localStorage }).concat(Object.entries({ ...sessionStorage })).map(String);
        indexedDB.databases().then(async (databases) => {
          for (const { name } of databases) {
            const base = await new Promise((resolve) => { indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result); });
            for (const store of base.objectStoreNames) {
              const all = base.transaction(store).objectStore(store).getAll();
              await new Promise((resolve) => { all.onsuccess = resolve; });
              for (const one of all.result) {
                const files = one.files ?? one;
                found.push(JSON.stringify(one), ...[...files].map(({ name }) => name));
              }
            }
            base.close();
          }
          done(found.join());
        });";
    let kept = window.client.execute_async(script, vec![]).await.unwrap();
    kept.as_str().unwrap().to_owned()
}

/// Writes a reply to the newest lobby message, attaches two files, removes one again, and does not send.
async fn write_reply_with_files(window: &Window) {
    window.enter("Lobby").await;
    window
        .eval("[...document.querySelectorAll('#messages .message')].at(-1).focus()")
        .await;
    let focused = window.client.active_element().await.unwrap();
    focused.send_keys("r").await.unwrap();
    window.keys("#content", "I do, see").await;
    give(
        window,
        "drop",
        "cake.png",
        "image/png",
        &crate::files::png(30, 20),
    )
    .await;
    give(window, "drop", "recipe.txt", "text/plain", b"flour").await;
    tray(window, &["cake.png", "recipe.txt"]).await;
    window.click("#tray [aria-label='Remove cake.png']").await;
}

#[tokio::test]
async fn drafts_keep_text_files_and_reply_per_room() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let base = format!("http://chat.lan:{}", server.address.port());
    for at_name in [false, true] {
        let name = if at_name { "Ben" } else { "Ann" };
        let window = match at_name {
            true => browser.window_at(&base).await,
            false => browser.window(&server).await,
        };
        window.register(name).await;
        let me = server.log_in(name).await;
        let garden = me.public_room(&format!("Garden of {name}")).await;
        let asked = server.user(&format!("Bob{name}")).await;
        asked.say(1, "who brings the cake?").await;
        write_reply_with_files(&window).await;
        window.enter(&format!("Garden of {name}")).await;
        tray(&window, &[]).await;
        window.until(&holds("")).await;
        window
            .until("document.querySelector('#context').hidden")
            .await;
        window.enter("Lobby").await;
        tray(&window, &["recipe.txt"]).await;
        window.until(&holds("I do, see")).await;
        window.reload().await;
        window.live().await;
        tray(&window, &["recipe.txt"]).await;
        window.see(&format!("Replying to Bob{name}")).await;
        window.see("who brings the cake?").await;
        window.shot(&format!("draft-{name}")).await;
        window.keys("#content", "\u{E007}").await;
        window
            .until("document.querySelector('#messages .file-name')?.textContent === 'recipe.txt'")
            .await;
        window
            .until("!document.querySelector('#pending').children.length")
            .await;
        let sent = me.history(1).await;
        let sent = sent.last().unwrap();
        assert_eq!(sent["content"], "I do, see");
        assert_eq!(sent["reply"]["content"], "who brings the cake?");
        assert_eq!(sent["files"][0]["size"], 5);
        // A sent message is no longer a draft.
        window.reload().await;
        window.live().await;
        window.until(&holds("")).await;
        tray(&window, &[]).await;
        assert!(!kept(&window).await.contains("recipe.txt"));
        assert!(me.history(garden).await.is_empty());
        window.assert_quiet().await;
    }
}

#[tokio::test]
async fn logging_out_removes_drafts_in_all_windows() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.keys("#content", "a secret").await;
    give(&ann, "drop", "secret.txt", "text/plain", b"secret").await;
    tray(&ann, &["secret.txt"]).await;
    let first = ann.client.window().await.unwrap();
    let second = ann.client.new_window(true).await.unwrap().handle;
    ann.client.switch_to_window(second.clone()).await.unwrap();
    ann.open("/conversations").await;
    ann.enter("Lobby").await;
    tray(&ann, &["secret.txt"]).await;
    ann.until(&holds("a secret")).await;
    ann.click(".side-foot form button").await;
    ann.see("You are logged out.").await;
    ann.client.switch_to_window(first).await.unwrap();
    ann.see("Your session has ended.").await;
    let kept = kept(&ann).await;
    assert!(!kept.contains("secret"), "{kept}");
    // Logging in again shows no draft either.
    ann.open("/").await;
    ann.fill("#username", "ann").await;
    ann.fill("#password", PASSWORD).await;
    ann.click("button.main").await;
    ann.enter("Lobby").await;
    ann.until(&holds("")).await;
    tray(&ann, &[]).await;
}

#[tokio::test]
async fn drafts_are_not_shown_to_another_account() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    server.user("Bob").await;
    ann.enter("Lobby").await;
    ann.keys("#content", "a secret").await;
    give(&ann, "drop", "secret.txt", "text/plain", b"secret").await;
    tray(&ann, &["secret.txt"]).await;
    server
        .log_in("Ann")
        .await
        .delete("auth/sessions")
        .await
        .done();
    ann.see("Your session has ended.").await;
    ann.fill("#username", "Bob").await;
    ann.fill("#password", PASSWORD).await;
    ann.click("button.main").await;
    ann.enter("Lobby").await;
    ann.until(&holds("")).await;
    tray(&ann, &[]).await;
    // The draft is not kept invisibly either.
    ann.until("document.documentElement.dataset.wire === 'online'")
        .await;
    let gone = async { while kept(&ann).await.contains("secret") {} };
    crate::support::within("the end of a foreign draft", gone).await;
}

#[tokio::test]
async fn a_page_left_open_by_one_account_sends_nothing_as_another() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    server.user("Bob").await;
    ann.enter("Lobby").await;
    // The connection does not notice that the session has ended, as in a suspended window.
    let asleep = "window.Awake = WebSocket; window.sleeping = [];
        window.WebSocket = class { constructor() { window.sleeping.push(this); } close() {} send() {} };
        dispatchEvent(new PageTransitionEvent('pagehide'))";
    ann.eval(asleep).await;
    ann.until("window.sleeping.length").await;
    let first = ann.client.window().await.unwrap();
    ann.write("as Ann").await;
    ann.client.delete_all_cookies().await.unwrap();
    let second = ann.client.new_window(true).await.unwrap().handle;
    ann.client.switch_to_window(second).await.unwrap();
    ann.open("/auth/login").await;
    ann.fill("#username", "Bob").await;
    ann.fill("#password", PASSWORD).await;
    ann.click("button.main").await;
    ann.live().await;
    ann.client.switch_to_window(first).await.unwrap();
    let awake = "window.WebSocket = window.Awake; window.sleeping.forEach((one) => one.onclose({ code: 1006 }))";
    ann.eval(awake).await;
    ann.until("document.querySelector('.my-name').textContent.trim() === 'Bob'")
        .await;
    ann.live().await;
    assert!(server.log_in("Bob").await.history(1).await.is_empty());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_kept_and_the_excess_is_counted() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let paste = "const field = document.querySelector('#content'); field.focus();
        document.execCommand('insertText', false, arguments[0])";
    let text = format!("{}{}", "word ".repeat(799), "words😀😀😀 end");
    let pasted = ann.client.execute(paste, vec![Value::from(text.clone())]);
    pasted.await.unwrap();
    ann.until(&format!(
        "document.querySelector('#content').value === {}",
        json!(text)
    ))
    .await;
    ann.see("4,007 of 4,000").await;
    for look in [&LOOKS[1], &LOOKS[2], &LOOKS[3], &LOOKS[0]] {
        ann.look(look).await;
        ann.shot(&format!("too-long-{}", look.name)).await;
    }
    ann.keys("#content", "\u{E007}").await;
    ann.see("7 characters too many").await;
    ann.until(&holds(&text)).await;
    assert!(server.log_in("Ann").await.history(1).await.is_empty());
    // Surrounding white space is not counted; a text of the maximum length is accepted.
    ann.keys(
        "#content",
        "\u{E003}\u{E003}\u{E003}\u{E003}\u{E003}\u{E003}\u{E003}   ",
    )
    .await;
    ann.see("4,000 of 4,000").await;
    ann.keys("#content", "\u{E007}").await;
    ann.until("document.querySelector('#messages .message') && !document.querySelector('#pending').children.length").await;
    ann.miss("of 4,000").await;
    assert_eq!(server.log_in("Ann").await.history(1).await.len(), 1);
    ann.assert_quiet().await;
}

#[tokio::test]
async fn enter_during_an_ime_composition_does_not_send() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    server.user("Bob").await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.keys("#content", "@bo").await;
    ann.until("!document.querySelector('#suggestions').hidden")
        .await;
    // The Enter that ends a composition in Safari, and the one inside a composition in other browsers.
    let enter = "for (const options of [{ keyCode: 229 }, { isComposing: true, keyCode: 13 }])
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...options }));
        return document.querySelector('#content').value";
    assert_eq!(ann.eval(enter).await, "@bo");
    ann.keys("#content", "\u{E00C}").await;
    ann.until("document.querySelector('#suggestions').hidden")
        .await;
    assert_eq!(ann.eval(enter).await, "@bo");
    // It does not select a room in the switcher either.
    ann.eval("document.querySelector('.switch').click()").await;
    let path = ann.path().await;
    ann.until("document.activeElement.matches('.switcher input')")
        .await;
    ann.eval(enter).await;
    ann.until("document.querySelector('.switcher').open").await;
    assert_eq!(ann.path().await, path);
    assert!(server.log_in("Bob").await.history(1).await.is_empty());
}

#[tokio::test]
async fn logging_out_warns_about_unsent_messages() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let owner = server.user("Olga").await;
    let room = owner.public_room("Garden").await;
    let ann = browser.person(&server, "Ann").await;
    ann.join("Garden").await;
    let member = format!("rooms/{room}/members/{}", ann.my_id().await);
    let muted = json!({ "muted_until": "2999-01-01T00:00:00Z" });
    owner.patch(&member, muted).await.ok(200);
    ann.write("never sent").await;
    ann.see("Not sent. You are muted here for a while.").await;
    ann.click(".side-foot form button").await;
    let asked = ann.client.get_alert_text().await.unwrap();
    assert_eq!(asked, "1 message was not sent yet. Log out and lose it?");
    ann.client.dismiss_alert().await.unwrap();
    ann.see("never sent").await;
    ann.click(".side-foot form button").await;
    ann.client.accept_alert().await.unwrap();
    ann.see("You are logged out.").await;
    assert!(!kept(&ann).await.contains("never sent"));
}
