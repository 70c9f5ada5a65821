//! Desktop notifications while the page is not visible.

use serde_json::json;

use crate::driver::{Browser, Window};
use crate::support::{TestServer, id};

/// Grants the permission for notifications, and replaces showing them by recording.
async fn record(window: &Window) {
    window.installed().await;
    let origin = window.eval("return location.origin").await;
    let params = json!({ "permissions": ["notifications"], "origin": origin });
    window.devtools("Browser.grantPermissions", params).await;
    window.until("Notification.permission === 'granted'").await;
    let stub = "window.told = [];
        ServiceWorkerRegistration.prototype.showNotification = (title, { body, data }) => {
          window.told.push([title, body, data.path.split('?')[0]]);
          return Promise.resolve();
        };
        window.away = false;
        Object.defineProperty(document, 'hidden', { get: () => window.away });";
    window.eval(stub).await;
}

#[tokio::test]
async fn hidden_pages_show_notifications_of_mentions_and_direct_messages() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let reader = server.log_in("Ann").await;
    let bob = server.user("Bob").await;
    let quiet = bob.public_room("Quiet").await;
    reader
        .post(&format!("rooms/{quiet}/join"), json!({}))
        .await
        .ok(200);
    let none = json!({ "notify": "none" });
    reader
        .patch(&format!("rooms/{quiet}/members/me"), none)
        .await
        .ok(200);
    let direct = json!({ "user_id": reader.id });
    let direct = bob.post("rooms/direct", direct).await.ok(201);
    ann.enter("Lobby").await;
    record(&ann).await;

    // No notification while the page is visible, in rooms with `notify` none, or for messages without a mention.
    bob.say(1, "@Ann are you there?").await;
    bob.say(1, "seen").await;
    ann.see("seen").await;
    ann.eval("window.away = true").await;
    bob.say(quiet, "@Ann psst").await;
    bob.say(1, "nobody in particular").await;
    bob.say(1, "@Ann come here").await;
    ann.until("window.told.length === 1").await;
    bob.say(id(&direct), "just you").await;
    ann.until("window.told.length === 2").await;
    let uuid = ann.path().await;
    let other = format!("/chat/{}", direct["uuid"].as_str().unwrap());
    assert_eq!(
        ann.eval("return window.told").await,
        json!([
            ["Bob · Lobby", "@Ann come here", uuid],
            ["Bob", "just you", other]
        ])
    );
    ann.assert_quiet().await;
}

#[tokio::test]
async fn notifications_of_a_browser_can_be_turned_off() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    ann.enter("Lobby").await;
    record(&ann).await;
    let button = "#browser-notify button";
    ann.open("/settings").await;
    ann.reads(button, "Turn off").await;
    ann.click(button).await;
    ann.reads(button, "Turn on").await;
    ann.see("This browser does not tell you of new messages.")
        .await;
    ann.open("/conversations").await;
    ann.enter("Lobby").await;
    record(&ann).await;
    ann.eval("window.away = true").await;
    bob.say(1, "@Ann one").await;
    bob.say(1, "two").await;
    ann.see("two").await;
    assert_eq!(ann.eval("return window.told").await, json!([]));
    ann.open("/settings").await;
    ann.click(button).await;
    ann.reads(button, "Turn off").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn a_visible_page_without_focus_shows_notifications() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    ann.enter("Lobby").await;
    record(&ann).await;
    bob.say(1, "@Ann one").await;
    ann.see("@Ann one").await;
    ann.eval("document.hasFocus = () => false").await;
    bob.say(1, "@Ann two").await;
    ann.until("window.told.length === 1").await;
    assert_eq!(ann.eval("return window.told[0][1]").await, "@Ann two");
    ann.assert_quiet().await;
}
