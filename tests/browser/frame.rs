//! Page layout and navigation: scrolling areas, the Back button, offline banners.

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::look::LOOKS;
use crate::support::{TestServer, id};

/// Returns an expression for whether an element is within the window vertically.
fn inside(css: &str) -> String {
    format!(
        "(({{ top, bottom }}) => top >= 0 && bottom <= innerHeight)(document.querySelector({css:?}).getBoundingClientRect())"
    )
}

/// Creates `count` rooms in Ann's account.
async fn with_rooms(server: &TestServer, count: usize) {
    let ann = server.log_in("Ann").await;
    for n in 1..=count {
        ann.public_room(&format!("Room {n}")).await;
    }
}

#[tokio::test]
async fn the_room_list_scrolls_between_fixed_header_and_footer() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let mut rooms = 1;
    for count in [12, 300] {
        with_rooms(&server, count - rooms).await;
        rooms = count;
        for look in [&LOOKS[0], &LOOKS[2]] {
            ann.look(look).await;
            ann.open("/conversations").await;
            ann.live().await;
            let what = format!("{count} rooms, {}", look.name);
            for css in [".side-head", ".side-foot"] {
                assert_eq!(
                    ann.eval(&format!("return {}", inside(css))).await,
                    true,
                    "{what}: {css}"
                );
            }
            let scrolls = "const list = document.querySelector('.room-list');
                list.scrollTop = list.scrollHeight;
                const last = document.querySelector('#rooms').lastElementChild.getBoundingClientRect();
                return last.bottom <= document.querySelector('.side-foot').getBoundingClientRect().top
                  && document.scrollingElement.scrollHeight <= innerHeight";
            assert_eq!(
                ann.eval(scrolls).await,
                true,
                "{what}: the last room is reached by scrolling"
            );
            ann.shot(&format!("rooms-{count}-{}", look.name)).await;
        }
    }
}

#[tokio::test]
async fn a_permalink_does_not_scroll_header_and_composer_away() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    with_rooms(&server, 40).await;
    let bob = server.user("Bob").await;
    let mut ids = Vec::new();
    for n in 1..=60 {
        ids.push(id(&bob.say(1, &format!("number {n}.")).await));
    }
    let lobby = bob.overview(1).await.unwrap();
    let (path, at) = (
        format!("/chat/{}", lobby["uuid"].as_str().unwrap()),
        ids[29],
    );
    for look in [&LOOKS[0], &LOOKS[2]] {
        ann.look(look).await;
        ann.open(&format!("{path}?at={at}#m{at}")).await;
        ann.live().await;
        ann.until("document.activeElement.innerText.includes('number 30.')")
            .await;
        for css in [".bar", "#composer"] {
            assert_eq!(
                ann.eval(&format!("return {}", inside(css))).await,
                true,
                "{}: {css}",
                look.name
            );
        }
        ann.shot(&format!("permalink-{}", look.name)).await;
    }
}

#[tokio::test]
async fn the_room_list_keeps_its_scroll_position() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    with_rooms(&server, 40).await;
    ann.open("/conversations").await;
    ann.live().await;
    ann.eval("document.querySelector('.room-list').scrollTop = 900")
        .await;
    // The first visible room.
    let name = "return [...document.querySelectorAll('#rooms .room')].find((one) => one.getBoundingClientRect().top > 200)
        .querySelector('.room-name').textContent";
    let name: String = serde_json::from_value(ann.eval(name).await).unwrap();
    ann.enter(&name).await;
    ann.until("document.querySelector('.room-list').scrollTop === 900")
        .await;
    ann.until(&inside("#rooms [aria-current]")).await;
}

async fn back(window: &Window) {
    window.client.back().await.unwrap();
}

#[tokio::test]
async fn back_closes_the_lightbox_first_then_leaves_the_room() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let picture = crate::support::picture(60, 40, image::ImageFormat::Png);
    let form = crate::support::Form::new().file("lake.png", "image/png", picture);
    server
        .log_in("Ann")
        .await
        .form("POST", "rooms/1/files", &form)
        .await
        .ok(201);
    ann.enter("Lobby").await;
    let path = ann.path().await;
    for _ in 0..2 {
        ann.click("#messages .picture").await;
        ann.until("document.querySelector('.lightbox').open").await;
        back(&ann).await;
        ann.until(
            "document.querySelector('.lightbox') && !document.querySelector('.lightbox').open",
        )
        .await;
        assert_eq!(ann.path().await, path);
    }
    // Closing it by its button leaves no history entry.
    ann.click("#messages .picture").await;
    ann.click(".lightbox button").await;
    ann.until("!document.querySelector('.lightbox').open && !history.state?.photo")
        .await;
    back(&ann).await;
    ann.until("location.pathname === '/conversations'").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn back_restores_the_scroll_position_of_the_history() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    server.log_in("Ann").await.public_room("Garden").await;
    for n in 1..=300 {
        bob.say(1, &format!("number {n}.")).await;
    }
    ann.enter("Lobby").await;
    ann.click("#jump").await;
    ann.until("!document.title.startsWith('(')").await;
    // Beyond the messages that the server renders into the page.
    let middle = "(() => { const log = document.querySelector('#log');
        if (!document.querySelector('#messages').innerText.includes('number 120.')) { log.scrollTop -= 1500; return false; }
        return true; })()";
    ann.until(middle).await;
    let place = "(() => { const edge = document.querySelector('#log').getBoundingClientRect().top;
        const first = [...document.querySelectorAll('#messages .message')].find((one) => one.getBoundingClientRect().bottom > edge);
        return [first.dataset.id, Math.round(first.getBoundingClientRect().top)].join(); })()";
    let before: Value = ann.eval(&format!("return {place}")).await;
    ann.enter("Garden").await;
    back(&ann).await;
    ann.until("document.querySelector('#log')?.dataset.live && document.querySelectorAll('#messages .message').length > 1").await;
    ann.until(&format!("{place} === {before}")).await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn going_offline_shows_the_banner_at_once() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    // The connection is dead, and nobody has noticed yet.
    let script = "window.send = WebSocket.prototype.send;
        WebSocket.prototype.send = () => {};
        dispatchEvent(new Event('offline'));
        return document.querySelector('#banner').checkVisibility()";
    assert_eq!(ann.eval(script).await, true);
    // The network is back before the connection was closed: the server answers.
    let script = "WebSocket.prototype.send = window.send; dispatchEvent(new Event('online'))";
    ann.eval(script).await;
    ann.until("!document.querySelector('#banner').checkVisibility()")
        .await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn opening_a_page_offline_stays_in_the_room_with_a_notice() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut server = TestServer::start().await;
    let base = format!("http://chat.lan:{}", server.address.port());
    let ann = browser.window_at(&base).await;
    ann.register("Ann").await;
    server.log_in("Ann").await.public_room("Garden").await;
    ann.enter("Lobby").await;
    ann.say("before").await;
    let address = server.address;
    server.stop().await;
    ann.see("Connection lost.").await;
    ann.keys("#content", "half a sen").await;
    ann.shot("offline-banner").await;
    let link = Locator::XPath("//ul[@id='rooms']//li[.//*[text()='Garden']]//a");
    ann.client.find(link).await.unwrap().click().await.unwrap();
    ann.see("That page cannot be opened without a connection.")
        .await;
    ann.shot("offline-link").await;
    ann.see("before").await;
    ann.until("document.querySelector('#content').value === 'half a sen'")
        .await;
    let _server = server
        .restart_with(|config| config.server.listen = address)
        .await;
    ann.live().await;
    ann.miss("without a connection").await;
    ann.enter("Garden").await;
}

#[tokio::test]
async fn a_link_to_a_missing_message_shows_a_notice() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    let first = bob.say(1, "first").await;
    let answer = json!({ "content": "an answer", "reply_to": id(&first) });
    bob.post("rooms/1/messages", answer).await.ok(201);
    ann.enter("Lobby").await;
    let path = ann.path().await;
    ann.open(&format!("{path}?at=999999999")).await;
    ann.live().await;
    ann.see("The message of this link is not here").await;
    ann.shot("unknown-message").await;
    // The same for a quote whose message has been cleared.
    ann.open(&path).await;
    ann.live().await;
    ann.miss("The message of this link is not here").await;
    ann.eval("document.querySelector('.quote').dataset.to = 999999999")
        .await;
    ann.click(".quote").await;
    ann.see("The message of this link is not here").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn an_account_with_300_rooms_opens_with_few_frames() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    with_rooms(&server, 299).await;
    let count = "window.sent = []; window.heard = 0; const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (frame) {
          if (!window.sent.length) this.addEventListener('message', () => window.heard++);
          window.sent.push(JSON.parse(frame).op); send.call(this, frame); };";
    let source = json!({ "source": count });
    ann.devtools("Page.addScriptToEvaluateOnNewDocument", source)
        .await;
    ann.enter("Lobby").await;
    // The last room is live: a message to it is shown.
    let bob = server.user("Bob").await;
    let rooms = server.log_in("Ann").await.get("rooms").await.items();
    let last = rooms.iter().map(id).max().unwrap();
    bob.post(&format!("rooms/{last}/join"), json!({}))
        .await
        .ok(200);
    bob.say(last, "anybody here?").await;
    ann.see("Bob: anybody here?").await;
    let sent = ann.eval("return [window.sent.length, window.heard]").await;
    eprintln!("frames sent and heard to open a room of 300: {sent}");
    assert!(sent[0].as_u64().unwrap() < 10, "{sent}");
    ann.assert_quiet().await;
}
