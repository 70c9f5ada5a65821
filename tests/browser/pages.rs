//! Pages other than the chat: registration, invites, settings, room details, administration, search.

use crate::driver::{Browser, Window};
use crate::support::{PASSWORD, TestServer};

async fn log_in(window: &Window, name: &str) {
    window.fill("#username", name).await;
    window.fill("#password", PASSWORD).await;
    window.click("button.main").await;
}

#[tokio::test]
async fn people_register_log_out_and_log_in_again() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.live().await;
    ann.click(".side-foot form button").await;
    ann.see("You are logged out.").await;
    ann.open("/people").await;
    log_in(&ann, "Ann").await;
    ann.until("location.pathname === '/people'").await;
    ann.reload().await;
    ann.miss("You are logged out.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn an_invited_person_joins_a_room_on_a_phone_with_one_form() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let (ann, bob, gus) = (
        browser.person(&server, "Ann").await,
        browser.window(&server).await,
        browser.window(&server).await,
    );
    ann.open("/rooms/new").await;
    ann.fill("#name", "Cellar").await;
    ann.click("#private").await;
    ann.click("button.main").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    let page = ann.path().await.replace("/chat/", "/conversations/");
    ann.open(&page).await;
    ann.click("form[action$='/invite'] button").await;
    ann.until("document.querySelector('.qr')?.naturalWidth > 0")
        .await;
    let link = ann
        .eval("return document.querySelector('#invite-link').value")
        .await;
    let link = link
        .as_str()
        .unwrap()
        .split_once("/invite")
        .unwrap()
        .1
        .to_owned();

    bob.client.set_window_size(390, 844).await.unwrap();
    bob.open(&format!("/invite{link}")).await;
    bob.see("Ann invites you to the room “Cellar”.").await;
    bob.fill("#username", "Bob").await;
    bob.fill("#password", PASSWORD).await;
    bob.click("button.main").await;
    bob.until("location.pathname.startsWith('/chat/')").await;
    bob.live().await;
    bob.say("here I am").await;

    gus.open(&format!("/invite{link}")).await;
    gus.click("a[href^='/auth/guest']").await;
    gus.fill("#username", "Gus").await;
    gus.click("button.main").await;
    gus.see("here I am").await;
    for window in [&ann, &bob, &gus] {
        window.assert_quiet().await;
    }
}

#[tokio::test]
async fn settings_take_effect_at_once() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.open("/settings").await;
    ann.fill("#profile-display_name", "Anna Berg").await;
    ann.click("form[action='/settings/profile'] button").await;
    ann.see("Saved.").await;
    ann.reads(".my-name", "Anna Berg").await;
    ann.click("#theme option[value='dark']").await;
    ann.click("#lang option[value='de']").await;
    ann.click("form[action='/settings/look'] button").await;
    ann.see("Gespeichert.").await;
    ann.until("getComputedStyle(document.documentElement).colorScheme === 'dark'")
        .await;
    ann.until("document.documentElement.lang === 'de'").await;
    ann.fill("#password-current_password", "wrong").await;
    ann.fill("#password-new_password", "long enough").await;
    ann.click("form[action='/settings/password'] button").await;
    ann.reads(
        "#password-current_password-error",
        "Bisheriges Passwort ist falsch.",
    )
    .await;
    ann.console().await;
    ann.fill("#password-current_password", PASSWORD).await;
    ann.fill("#password-new_password", "long enough").await;
    ann.click("form[action='/settings/password'] button").await;
    ann.see("Dein Passwort ist geändert.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn an_owner_manages_a_room() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let (ann, bob) = (
        browser.person(&server, "Ann").await,
        browser.person(&server, "Bob").await,
    );
    ann.open("/rooms/new").await;
    ann.fill("#name", "Garden").await;
    ann.click("button.main").await;
    ann.until("location.pathname.startsWith('/chat/')").await;
    let chat = ann.path().await;
    ann.open(&chat.replace("/chat/", "/conversations/")).await;
    ann.fill("#add-username", "bob").await;
    ann.click("form[action$='/add'] button").await;
    ann.see("Bob").await;
    bob.reads(
        ".room:nth-child(1) .room-name, .room:nth-child(2) .room-name",
        "Garden",
    )
    .await;
    ann.click(".member details summary").await;
    ann.click("button[name=role][value=moderator]").await;
    ann.see("moderator").await;
    ann.fill("#edit-name", "Orchard").await;
    ann.click("form[action$='/edit'] button").await;
    ann.reads(".bar h1", "Orchard").await;
    bob.open(&chat).await;
    bob.live().await;
    ann.click(".member details summary").await;
    ann.click("form[action$='/kick'] button").await;
    ann.see("That person was removed.").await;
    bob.see("removed you from this room").await;
    ann.click("#delete summary").await;
    ann.click("form[action$='/delete'] button").await;
    ann.see("The room is deleted.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn an_admin_manages_the_server() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    server.admin("root").await;
    let ann = server.user("ann").await;
    ann.say(1, "hello").await;
    let (root, bob) = (browser.window(&server).await, browser.window(&server).await);
    root.open("/admin").await;
    log_in(&root, "root").await;
    root.until("document.querySelectorAll('.chart rect').length === 14")
        .await;
    root.open("/groups/create").await;
    root.fill("#conv_name", "Team").await;
    root.click("input[name=initial_members]").await;
    root.click(".pane-body button.main").await;
    root.see("The room is made.").await;
    root.open("/users").await;
    root.click("a[aria-label='Manage: ann']").await;
    root.click("form[action^='/users/password/'] button").await;
    root.until("document.querySelector('#password-link')").await;
    let link = root
        .eval("return document.querySelector('#password-link').value")
        .await;
    let link = link
        .as_str()
        .unwrap()
        .split_once("/password")
        .unwrap()
        .1
        .to_owned();
    bob.open(&format!("/password{link}")).await;
    bob.fill("#password", PASSWORD).await;
    bob.click("button.main").await;
    bob.see("Your password is changed.").await;
    log_in(&bob, "ann").await;
    bob.until("location.pathname === '/conversations'").await;
    bob.live().await;
    root.click("#delete summary").await;
    root.click("form[action^='/users/delete/'] button").await;
    root.see("The account is deleted.").await;
    bob.until("location.pathname === '/auth/login'").await;
    root.assert_quiet().await;
}

#[tokio::test]
async fn search_finds_and_opens_a_message() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ben = server.user("ben").await;
    ben.say(1, "the gnome is in the garden").await;
    let ann = browser.person(&server, "Ann").await;
    ann.click("a[href='/search']").await;
    ann.fill("#q", "gnome\u{E007}").await;
    ann.reads("mark", "gnome").await;
    ann.click(".hit").await;
    ann.until("document.querySelector('.message:target')").await;
    ann.see("the gnome is in the garden").await;
    ann.assert_quiet().await;
}
