//! What happens to messages.

use serde_json::json;

use crate::driver::Browser;
use crate::support::{TestServer, id};

#[tokio::test]
async fn own_messages_are_edited_and_deleted_before_everybodys_eyes() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = browser.person(&server, "Bob").await;
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    ann.say("tea at fife").await;
    bob.see("tea at fife").await;

    // Up in an empty line takes the last message back.
    ann.keys("#content", "\u{E013}").await;
    ann.see("Editing your message").await;
    ann.fill("#content", "tea at five").await;
    ann.keys("#content", "\u{E007}").await;
    bob.see("tea at five").await;
    bob.miss("tea at fife").await;
    bob.until("document.querySelector('.message.edited .mark-edited').checkVisibility()")
        .await;

    // Bob may do nothing to it; Ann deletes it with the keyboard alone.
    bob.eval("document.querySelector('.message').focus()").await;
    bob.until("!document.querySelector('.actions')").await;
    ann.eval("document.querySelector('.message').focus()").await;
    ann.click(".actions [data-do=delete]").await;
    ann.click("#delete-dialog [value=yes]").await;
    bob.see("This message was deleted.").await;
    bob.miss("tea at five").await;
    ann.reload().await;
    ann.see("This message was deleted.").await;
    ann.assert_quiet().await;
    bob.assert_quiet().await;
}

#[tokio::test]
async fn history_comes_as_one_scrolls_up_and_what_one_reads_stays_in_place() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let (ann, bob) = (
        browser.person(&server, "Ann").await,
        server.user("Bob").await,
    );
    for n in 1..=180 {
        let path = "rooms/1/messages";
        bob.post(path, json!({ "content": format!("number {n}.") }))
            .await
            .ok(201);
    }
    ann.enter("Lobby").await;
    assert!(ann.messages().await.len() < 180);
    ann.eval("document.querySelector('#log').scrollTop = -1e6")
        .await;
    let all = "document.querySelectorAll('#messages .message').length === 180";
    ann.until(&format!(
        "(document.querySelector('#log').scrollTop = -1e6, {all})"
    ))
    .await;
    let expected: Vec<_> = (1..=180).map(|n| format!("number {n}.")).collect();
    assert_eq!(ann.messages().await, expected);

    // A new message moves nothing, and says that it is there.
    let top = "document.querySelector('.message').getBoundingClientRect().top";
    ann.eval(&format!("window.before = {top}")).await;
    bob.post("rooms/1/messages", json!({ "content": "news" }))
        .await
        .ok(201);
    ann.reads("#jump", "↓ 1 new message").await;
    let moved = format!("return Math.abs(window.before - {top}) < 1");
    assert_eq!(ann.eval(&moved).await, true, "what was read moved");
    ann.click("#jump").await;
    ann.until("document.querySelector('#jump').hidden").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn names_rooms_and_messages_with_markup_show_as_text() {
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
    // From the server, then from the script.
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
async fn who_types_is_seen_typing() {
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
async fn what_is_refused_says_why_and_goes_out_when_tried_again() {
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
    ann.open("/rooms").await;
    ann.click("[aria-label='Join: Garden']").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    ann.live().await;

    let me = "return JSON.parse(document.querySelector('[name=page]').content).me.id";
    let member = format!("rooms/{}/members/{}", id(&room), ann.eval(me).await);
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
