//! Two people from the setup link to a direct chat.

use serde_json::Value;

use crate::driver::{Browser, Window};
use crate::support::TestServer;

#[tokio::test]
async fn two_people_chat_in_rooms_of_every_kind() {
    meet("127.0.0.1").await;
}

#[tokio::test]
async fn two_people_chat_over_plain_http_on_a_host_name() {
    meet("chat.lan").await;
}

async fn meet(host: &str) {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let base = format!("http://{host}:{}", server.address.port());
    let (ann, bob) = (
        browser.window_at(&base).await,
        browser.window_at(&base).await,
    );

    let token = server.chat.setup_token().unwrap();
    ann.open(&format!("/setup?token={token}")).await;
    ann.fill_account("Ann").await;
    bob.register("Bob").await;
    assert_eq!(
        ann.eval("return window.isSecureContext").await,
        Value::Bool(host == "127.0.0.1")
    );

    in_the_lobby(&ann, &bob).await;
    in_a_public_room(&ann, &bob).await;
    in_a_private_room(&ann, &bob).await;
    directly(&ann, &bob).await;
    for window in [&ann, &bob] {
        window.assert_quiet().await;
    }
}

async fn in_the_lobby(ann: &Window, bob: &Window) {
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    ann.reads("#online-count", "2 online").await;
    ann.say("hello Bob").await;
    bob.see("hello Bob").await;
    bob.say("hello Ann").await;
    ann.see("hello Ann").await;
    for window in [ann, bob] {
        window.reload().await;
        window.live().await;
        assert_eq!(window.messages().await, ["hello Bob", "hello Ann"]);
    }
    ann.shot("lobby").await;
}

async fn in_a_public_room(ann: &Window, bob: &Window) {
    ann.open("/rooms/new").await;
    ann.fill("#name", "Garden").await;
    ann.fill("#description", "What grows").await;
    ann.click("button.main").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    ann.live().await;
    ann.say("the beans are up").await;

    bob.join("Garden").await;
    bob.see("the beans are up").await;
    bob.say("and the peas?").await;
    ann.see("and the peas?").await;
}

async fn in_a_private_room(ann: &Window, bob: &Window) {
    ann.open("/rooms/new").await;
    ann.fill("#name", "Cellar").await;
    ann.click("#private").await;
    ann.fill("#access_key", "open sesame").await;
    ann.click("button.main").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    ann.live().await;
    ann.say("just us").await;
    let path = ann.path().await;

    bob.open(&path).await;
    bob.see("Nothing here").await;
    bob.open("/rooms").await;
    bob.miss("Cellar").await;
    bob.fill("#access_key", "open, please").await;
    bob.keys("#access_key", "\u{E007}").await;
    bob.see("No room has this key.").await;
    bob.fill("#access_key", "open sesame").await;
    bob.keys("#access_key", "\u{E007}").await;
    bob.until("location.pathname.startsWith('/chat/')").await;
    bob.live().await;
    bob.see("just us").await;
    bob.say("good wine").await;
    ann.see("good wine").await;
    // Discards the console entries of refused requests.
    bob.console().await;
}

async fn directly(ann: &Window, bob: &Window) {
    bob.open("/conversations").await;
    bob.live().await;
    ann.open("/people").await;
    ann.click("[aria-label='Write: Bob']").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    ann.live().await;
    ann.reads("#other-state", "online").await;
    ann.say("only for you").await;

    // The room appears in Bob's list, unread and counted in his title.
    bob.reads(".has-unread .room-name", "Ann").await;
    bob.reads(".has-unread .preview", "only for you").await;
    bob.until("document.title.startsWith('(1)')").await;
    bob.enter("Ann").await;
    bob.see("only for you").await;
    bob.until("!document.querySelector('.has-unread')").await;
    // Ann sees that it has been read.
    ann.until("document.querySelector('#messages .own.read')")
        .await;
}
