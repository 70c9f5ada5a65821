//! Messages: markup in names, typing, refusals.

use serde_json::json;

use crate::driver::Browser;
use crate::support::{TestServer, id};

#[tokio::test]
async fn markup_in_names_rooms_and_messages_is_shown_as_text() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let markup = "<img src=x onerror=\"document.title='run'\"><b>'&amp;</b>";
    let short = "<i>'\"&lt;";
    let eve = server.user(short).await;
    let rooms = json!({ "name": markup, "description": markup });
    eve.post("rooms", rooms).await.ok(201);
    eve.post("rooms/1/messages", json!({ "content": markup }))
        .await
        .ok(201);

    let ann = browser.person(&server, "Ann <u>").await;
    // Rendered by the server, then by the script.
    ann.enter("Lobby").await;
    ann.see(markup).await;
    let said = json!({ "content": format!("{markup} again") });
    eve.post("rooms/1/messages", said).await.ok(201);
    ann.see(&format!("{markup} again")).await;
    ann.see(short).await;
    ann.see("Ann <u>").await;
    for path in ["/rooms", "/people"] {
        ann.open(path).await;
        ann.see(if path == "/rooms" { markup } else { short }).await;
        ann.live().await;
    }
    ann.open("/people?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    ann.until("document.querySelector('[name=q]').value.includes('<script>')")
        .await;
    ann.until("!document.querySelector('main img, main b, main i, main u')")
        .await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn typing_is_shown_to_others() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = browser.person(&server, "Bob").await;
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    bob.fill("#content", "well").await;
    ann.reads("#typing", "Bob is typing …").await;
    bob.keys("#content", "\u{E007}").await;
    ann.reads("#typing", "").await;
    ann.see("well").await;
}

#[tokio::test]
async fn a_refused_message_shows_the_reason_and_can_be_retried() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let owner = server.user("Olga").await;
    let room = owner
        .post("rooms", json!({ "name": "Garden" }))
        .await
        .ok(201);
    let ann = browser.person(&server, "Ann").await;
    ann.join("Garden").await;

    let member = format!("rooms/{}/members/{}", id(&room), ann.my_id().await);
    let muted = json!({ "muted_until": "2999-01-01T00:00:00Z" });
    owner.patch(&member, muted).await.ok(200);
    ann.write("may I?").await;
    ann.see("Not sent. You are muted here for a while.").await;
    ann.reload().await;
    ann.see("Not sent.").await;
    let lifted = json!({ "muted_until": null });
    owner.patch(&member, lifted).await.ok(200);
    ann.live().await;
    ann.click("[data-do=retry]").await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    assert_eq!(ann.messages().await, ["may I?"]);

    owner
        .patch(&member, json!({ "muted_until": "2999-01-01T00:00:00Z" }))
        .await
        .ok(200);
    ann.write("never mind").await;
    ann.click("[data-do=discard]").await;
    ann.miss("never mind").await;
    ann.assert_quiet().await;
}
