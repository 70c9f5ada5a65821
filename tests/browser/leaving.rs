//! Lost and restored connections, and sessions and memberships that end.

use serde_json::json;

use crate::driver::Browser;
use crate::support::{TestServer, id};

#[tokio::test]
async fn messages_written_offline_are_sent_once_and_in_order() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.say("before").await;

    let address = server.address;
    server.stop().await;
    ann.see("Connection lost.").await;
    for text in ["one", "two", "three"] {
        ann.write(text).await;
    }
    ann.until("document.querySelectorAll('#pending .pending').length === 3")
        .await;

    let server = server
        .restart_with(|config| config.server.listen = address)
        .await;
    ann.miss("Connection lost.").await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    assert_eq!(ann.messages().await, ["before", "one", "two", "three"]);
    let bob = server.user("Bob").await;
    let stored = bob.get("rooms/1/messages").await.ok(200);
    let stored: Vec<_> = stored["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["content"])
        .collect();
    assert_eq!(stored, ["before", "one", "two", "three"]);
}

#[tokio::test]
async fn removing_a_member_closes_the_room_page() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let owner = server.user("Olga").await;
    let ann = browser.person(&server, "Ann").await;
    let room = json!({ "name": "Cellar", "kind": "private", "access_key": "k" });
    let room = owner.post("rooms", room).await.ok(201);
    ann.open("/rooms").await;
    ann.fill("#access_key", "k").await;
    ann.keys("#access_key", "\u{E007}").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    ann.live().await;

    let me = ann.my_id().await;
    let members = format!("rooms/{}/members", id(&room));
    owner.delete(&format!("{members}/{me}")).await.done();
    ann.see("Olga removed you from this room.").await;
    ann.until("!document.querySelector('#content')").await;
    ann.until("![...document.querySelectorAll('.room-name')].some((name) => name.textContent === 'Cellar')").await;
    let path = format!("rooms/{}/messages", id(&room));
    owner
        .post(&path, json!({ "content": "she is gone" }))
        .await
        .ok(201);
    ann.reload().await;
    ann.see("Nothing here").await;
    ann.miss("she is gone").await;
}

#[tokio::test]
async fn leaving_a_room_from_its_details_page() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let owner = server.user("Olga").await;
    owner
        .post("rooms", json!({ "name": "Garden" }))
        .await
        .ok(201);
    let ann = browser.person(&server, "Ann").await;
    ann.join("Garden").await;
    ann.click(".bar a[href^='/conversations/']").await;
    ann.see("Olga").await;
    ann.click("form[action$='/leave'] button").await;
    ann.see("You left the room.").await;
    ann.miss("Garden").await;
    // The flash message is shown once.
    ann.reload().await;
    ann.miss("You left the room.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn a_session_ended_elsewhere_redirects_to_the_login_and_back() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let elsewhere = server.log_in("Ann").await;
    elsewhere.delete("auth/sessions").await.done();
    ann.see("Your session has ended.").await;

    ann.open("/rooms/new").await;
    ann.fill("#username", "ann").await;
    ann.fill("#password", "wrong").await;
    ann.click("button.main").await;
    ann.see("Wrong name or password.").await;
    ann.fill("#password", crate::support::PASSWORD).await;
    ann.click("button.main").await;
    ann.until("location.pathname === '/rooms/new'").await;
    ann.click(".side-foot button").await;
    ann.see("You are logged out.").await;
}

#[tokio::test]
async fn guests_log_in_without_a_password_and_cannot_create_rooms() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let guest = browser.window(&server).await;
    guest.open("/").await;
    guest.click("a[href^='/auth/guest']").await;
    guest.fill("#username", "Visitor").await;
    guest.click("button.main").await;
    guest.enter("Lobby").await;
    guest.say("just looking").await;
    guest.open("/rooms").await;
    guest
        .until("!document.querySelector('a[href=\"/rooms/new\"]')")
        .await;
    guest.assert_quiet().await;
}
