//! Message actions: editing, deleting, replying, reacting; by mouse, keyboard and touch.

use crate::driver::{Browser, Window};
use crate::support::TestServer;

const ESCAPE: &str = "\u{E00C}";
const UP: &str = "\u{E013}";
const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

/// Sends keys to the focused element.
async fn press(window: &Window, keys: &str) {
    let focused = window.client.active_element().await.unwrap();
    focused.send_keys(keys).await.unwrap();
}

/// Focuses a message.
async fn focus(window: &Window, text: &str) {
    let found = format!(
        "[...document.querySelectorAll('#messages .message')].find((one) => one.innerText.includes({text:?}))"
    );
    window.until(&found).await;
    window.eval(&format!("{found}.focus()")).await;
}

#[tokio::test]
async fn own_messages_are_edited_and_deleted_live() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = browser.person(&server, "Bob").await;
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    ann.say("tea at *fife*").await;
    bob.see("tea at fife").await;

    // Up in an empty field edits the last message in its source form; Escape cancels.
    ann.keys("#content", UP).await;
    ann.see("Editing your message").await;
    ann.until("document.querySelector('#content').value === 'tea at *fife*'")
        .await;
    ann.keys("#content", ESCAPE).await;
    ann.until("document.querySelector('#context').hidden").await;
    ann.keys("#content", UP).await;
    ann.fill("#content", "tea at five").await;
    ann.keys("#content", ENTER).await;
    bob.see("tea at five").await;
    bob.miss("tea at fife").await;
    bob.until("document.querySelector('.message.edited .mark-edited').checkVisibility()")
        .await;

    // Bob may neither edit nor delete it; Ann deletes it by keyboard.
    focus(&bob, "five").await;
    bob.until("document.querySelector('.actions [data-do=edit]').hidden")
        .await;
    press(&bob, ENTER).await;
    bob.until("document.querySelector('#menu [data-do=delete]').hidden")
        .await;
    press(&bob, ESCAPE).await;
    focus(&ann, "five").await;
    press(&ann, "\u{E017}").await;
    ann.click("#delete-dialog [value=yes]").await;
    bob.see("This message was deleted.").await;
    bob.miss("tea at five").await;
    ann.reload().await;
    ann.see("This message was deleted.").await;
    ann.assert_quiet().await;
    bob.assert_quiet().await;
}

#[tokio::test]
async fn a_reply_quotes_and_links_its_message() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = browser.person(&server, "Bob").await;
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    ann.say("who brings the cake?").await;
    focus(&bob, "cake").await;
    press(&bob, "r").await;
    bob.see("Replying to Ann").await;
    bob.say("I do").await;
    ann.until("document.querySelector('#messages .quote .quote-text').textContent === 'who brings the cake?'")
        .await;

    // A quote changes with the quoted message.
    ann.keys("#content", UP).await;
    ann.fill("#content", "who brings the pie?").await;
    ann.keys("#content", ENTER).await;
    bob.until(
        "document.querySelector('#messages .quote-text').textContent === 'who brings the pie?'",
    )
    .await;
    for window in [&ann, &bob] {
        window.reload().await;
        window.live().await;
        window
            .eval("document.querySelector('#messages .quote').click()")
            .await;
        window
            .until("document.activeElement.innerText.includes('pie')")
            .await;
        window.assert_quiet().await;
    }
}

#[tokio::test]
async fn reactions_by_search_by_quick_menu_and_by_click() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = browser.person(&server, "Bob").await;
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    ann.say("it works").await;
    focus(&bob, "it works").await;
    press(&bob, "+").await;
    bob.keys("#emoji-query", "tada").await;
    bob.keys("#emoji-query", ENTER).await;
    let shown = |emoji: &str, count: u32, pressed: bool| {
        format!(
            "[...document.querySelectorAll('#messages .reaction')].some((one) => one.textContent.replace(/\\s/g, '') \
             === '{emoji}{count}' && one.getAttribute('aria-pressed') === '{pressed}')"
        )
    };
    ann.until(&shown("🎉", 1, false)).await;
    ann.click("#messages .reaction").await;
    bob.until(&shown("🎉", 2, true)).await;
    // A quick reaction from the menu.
    focus(&ann, "it works").await;
    press(&ann, ENTER).await;
    ann.click("#quick [data-emoji='👍']").await;
    bob.until(&shown("👍", 1, false)).await;
    // Removing a reaction.
    bob.click("#messages .reaction").await;
    ann.until(&shown("🎉", 1, true)).await;
    ann.reload().await;
    ann.until(&shown("🎉", 1, true)).await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn a_long_press_opens_the_message_menu() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.say("**copy** me").await;
    ann.eval(
        "document.querySelector('#messages .text').dispatchEvent(new TouchEvent('touchstart', { bubbles: true }))",
    )
    .await;
    ann.until("document.querySelector('#menu').matches(':popover-open')")
        .await;
    // Pages over plain HTTP have no clipboard API: the page selects the text and copies the selection.
    ann.eval("document.addEventListener('copy', () => { window.copied = document.getSelection().toString(); })")
        .await;
    ann.eval("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        .await;
    let listen =
        "new MutationObserver(() => (window.said ||= document.querySelector('#toast').textContent))
        .observe(document.querySelector('#toast'), { childList: true })";
    ann.eval(listen).await;
    ann.click("#menu [data-do=copy]").await;
    ann.until("window.copied === '**copy** me'").await;
    ann.until("window.said === 'Copied.'").await;
    focus(&ann, "copy me").await;
    press(&ann, ENTER).await;
    ann.click("#menu [data-do=link]").await;
    ann.until("/\\/chat\\/[0-9a-f-]{36}\\?at=\\d+$/.test(window.copied)")
        .await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn names_of_a_reaction_show_on_hover_focus_and_long_press() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let message = server.log_in("Ann").await.say(1, "it works").await;
    for name in [
        "Bob", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Joe", "Kim",
    ] {
        let person = server.user(name).await;
        let path = format!("messages/{}/reactions/%F0%9F%8E%89", message["id"]);
        person.call("PUT", &path, None).await.ok(200);
    }
    ann.enter("Lobby").await;
    let said = "document.querySelector('#reactors:popover-open')?.textContent";
    let all = "Bob, Cleo, Dan, Eve, Fay, Gus, Hal, Ida, and 2 more";
    // By keyboard: Tab from the message to its reaction, Escape to close.
    focus(&ann, "it works").await;
    press(&ann, TAB).await;
    ann.until(&format!("{said} === '{all}'")).await;
    ann.until("document.activeElement.getAttribute('aria-describedby') === 'reactors'")
        .await;
    press(&ann, ESCAPE).await;
    ann.until(&format!("!{said}")).await;
    // By mouse.
    let over = "document.querySelector('#messages .reaction').dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }))";
    ann.eval(over).await;
    ann.until(&format!("{said} === '{all}'")).await;
    // A long press shows the names; a tap reacts.
    ann.eval("document.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))")
        .await;
    ann.until(&format!("!{said}")).await;
    ann.eval(
        "document.querySelector('#messages .reaction').dispatchEvent(new TouchEvent('touchstart', { bubbles: true }))",
    )
    .await;
    ann.until(&format!("{said} === '{all}'")).await;
    let lifted = "const end = new TouchEvent('touchend', { bubbles: true, cancelable: true });
        document.querySelector('#messages .reaction').dispatchEvent(end);
        return end.defaultPrevented;";
    assert_eq!(ann.eval(lifted).await, true);
    ann.eval("document.querySelector('#messages .reaction').click()")
        .await;
    ann.until(
        "document.querySelector('#messages .reaction').getAttribute('aria-pressed') === 'true'",
    )
    .await;
    ann.assert_quiet().await;
}
