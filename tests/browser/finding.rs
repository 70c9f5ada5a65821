//! The quick switcher, and room details that change while they are open.

use serde_json::json;

use crate::driver::{Browser, Window};
use crate::support::{TestServer, id};

/// Opens the switcher with Ctrl-K and types a query.
async fn ask(window: &Window, text: &str) {
    window
        .eval("dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, cancelable: true }))")
        .await;
    window
        .until("document.querySelector('.switcher').open")
        .await;
    window.keys(".switcher input", text).await;
}

#[tokio::test]
async fn the_switcher_finds_rooms_and_people() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let bob = server.user("Bob Miller").await;
    bob.public_room("Garden").await;
    let ann = browser.person(&server, "Ann").await;
    ann.live().await;
    ask(&ann, "lob").await;
    ann.until(
        "document.querySelector('.switcher [aria-selected=true]').textContent.includes('Lobby')",
    )
    .await;
    ann.keys(".switcher input", "\u{E007}").await;
    ann.until("document.querySelector('h1').textContent === 'Lobby'")
        .await;
    ann.live().await;
    ask(&ann, "gard").await;
    ann.until(
        "document.querySelector('.switcher [aria-selected=true]').textContent.includes('Garden')",
    )
    .await;
    ann.keys(".switcher input", "\u{E00C}").await;
    ann.until("!document.querySelector('.switcher').open").await;
    ask(&ann, "mill").await;
    ann.until("document.querySelector('.switcher [aria-selected=true]').textContent.includes('Bob Miller')")
        .await;
    ann.keys(".switcher input", "\u{E007}").await;
    ann.until("document.querySelector('h1').textContent === 'Bob Miller'")
        .await;
    ann.live().await;
    ask(&ann, "nobody of that name").await;
    ann.see("Nothing by that name.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn room_details_are_updated_live() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let owner = server.user("Olga").await;
    let cleo = server.user("Cleo").await;
    let room = owner
        .post("rooms", json!({ "name": "Garden" }))
        .await
        .ok(201);
    let ann = browser.person(&server, "Ann").await;
    ann.join("Garden").await;
    ann.open(&format!(
        "/conversations/{}",
        room["uuid"].as_str().unwrap()
    ))
    .await;
    ann.live().await;
    ann.miss("Cleo").await;
    owner.add(id(&room), &cleo, "moderator").await;
    ann.see("Cleo").await;
    ann.see("moderator").await;
    let dot = "[...document.querySelectorAll('#members li')].find((one) => one.innerText.includes('Cleo')).querySelector('.dot')";
    ann.until(&format!("{dot}.hidden")).await;
    let socket = cleo.watch(id(&room)).await;
    ann.until(&format!("!{dot}.hidden")).await;
    drop(socket);
    let path = format!("rooms/{}/members/{}", id(&room), cleo.id);
    owner.delete(&path).await.done();
    ann.miss("Cleo").await;
    // The removed person sees it, too.
    let me = ann.my_id().await;
    let path = format!("rooms/{}/members/{me}", id(&room));
    owner.delete(&path).await.done();
    ann.until("[...document.querySelectorAll('button')].some((one) => one.textContent === 'Join')")
        .await;
    ann.assert_quiet().await;
}
