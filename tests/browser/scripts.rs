//! Messages in many scripts: shown unchanged live and after a reload, in the right direction, and found by search.

use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::support::TestServer;

/// Returns the texts of `scripts.json` without markup, which would be displayed differently.
fn texts() -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../scripts.json")).unwrap();
    let text = |row: &Value| row["text"].as_str().unwrap().to_owned();
    let is_shown_so = |text: &String| {
        text.chars().count() < 200 && !text.contains(['*', '_', '`', '\n', '\t', '"'])
    };
    rows.iter().map(text).filter(is_shown_so).collect()
}

async fn shown(window: &Window) -> Vec<String> {
    let script =
        "return [...document.querySelectorAll('#messages .text')].map((text) => text.textContent)";
    serde_json::from_value(window.eval(script).await).unwrap()
}

#[tokio::test]
async fn texts_in_every_script_are_shown_and_found_unchanged() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let texts = texts();
    assert!(texts.len() > 150);
    // The page keeps 300 messages.
    let (some, _) = texts.split_at(150);
    for text in some {
        bob.say(1, text).await;
    }
    let all_there = format!(
        "document.querySelectorAll('#messages .message').length === {}",
        some.len()
    );
    ann.until(&all_there).await;
    assert_eq!(shown(&ann).await, some);
    ann.reload().await;
    ann.live().await;
    let after = shown(&ann).await;
    assert!(after.len() > 20 && some.ends_with(&after), "{after:?}");
    for text in some.iter().step_by(6) {
        if !text.chars().any(char::is_alphanumeric) {
            continue;
        }
        let query = format!("\"{text}\"");
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        ann.open(&format!("/search?q={query}")).await;
        let hit = format!(
            "[...document.querySelectorAll('.snippet')].some((one) => one.textContent === {})",
            json!(text)
        );
        ann.until(&hit).await;
    }
    ann.assert_quiet().await;
}

#[tokio::test]
async fn right_to_left_text_has_its_direction_everywhere() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    bob.patch("me", json!({ "display_name": "أحمد." }))
        .await
        .ok(200);
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let first = bob.say(1, "مرحبا بالعالم.").await;
    let answer = json!({ "content": "hello.\nשלום.", "reply_to": first["id"] });
    bob.post("rooms/1/messages", answer).await.ok(201);
    ann.until("document.querySelectorAll('#messages .message').length === 2")
        .await;
    let directions = "return ['#messages .text p', '.message:last-child .text p', '.message .name',
         '.quote-text', '#rooms .preview bdi', '#rooms .preview bdi:last-child']
         .map((css) => document.querySelector(css)).map((one) => getComputedStyle(one).direction)";
    let expected = json!(["rtl", "ltr", "rtl", "rtl", "rtl", "ltr"]);
    assert_eq!(ann.eval(directions).await, expected);
    // Each line has its own direction: the full stop of the second is to the left of its word.
    let last_line = "return (() => {
        const lines = document.querySelector('.message:last-child .text p');
        lines.normalize();
        const text = lines.firstChild;
        const at = (place) => { const range = document.createRange(); range.setStart(text, place); range.setEnd(text, place + 1); return range.getBoundingClientRect().left; };
        const end = text.data.length - 1;
        return [at(5) > at(0), at(end) < at(end - 1)];
    })()";
    assert_eq!(ann.eval(last_line).await, json!([true, true]));
    ann.fill("#content", "שלום").await;
    let field = "return document.querySelector('#content').matches(':dir(rtl)')";
    assert_eq!(ann.eval(field).await, json!(true));
    ann.reload().await;
    ann.live().await;
    assert_eq!(ann.eval(directions).await, expected);
    ann.assert_quiet().await;
}

#[tokio::test]
async fn quotes_and_previews_cut_between_graphemes_and_indentation_is_kept() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
    let said = bob
        .say(1, &format!("{}{family} more", "x".repeat(136)))
        .await;
    let message = format!("#m{}", said["id"]);
    ann.shows(&message).await;
    ann.eval(&format!("document.querySelector('{message}').focus()"))
        .await;
    ann.keys(&message, "r").await;
    ann.reads("#context-quote", &"x".repeat(136)).await;
    ann.fill("#content", "yes").await;
    ann.keys("#content", "\u{E007}").await;
    ann.reads("#messages .quote-text", &"x".repeat(136)).await;
    bob.say(1, &format!("{}{family} more", "y".repeat(96)))
        .await;
    ann.reads("#rooms .preview", &format!("bob: {}", "y".repeat(96)))
        .await;
    ann.eval("const field = document.querySelector('#content'); field.value = '\\n\\tif a:\\n\\t\\tb\\n'; field.form.requestSubmit()")
        .await;
    ann.until("document.querySelectorAll('#messages .message').length === 4 && !document.querySelector('#pending').children.length")
        .await;
    assert_eq!(shown(&ann).await[3], "\tif a:\n\t\tb");
    let both = bob.say(1, "hearts").await;
    bob.call(
        "PUT",
        &format!("messages/{}/reactions/%E2%9D%A4", both["id"]),
        None,
    )
    .await
    .ok(200);
    let reaction = format!("#m{} .reaction", both["id"]);
    ann.click(&reaction).await;
    let two = format!(
        "document.querySelectorAll('{reaction}').length === 1 && document.querySelector('{reaction} .reaction-count').textContent === '2'"
    );
    ann.until(&two).await;
    ann.assert_quiet().await;
}
