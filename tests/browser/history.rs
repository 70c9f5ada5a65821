//! Long histories: pages are loaded and removed while scrolling, and visible messages keep their position.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::support::{Persona, TestServer, id, within};

/// Maximum number of messages in the page.
const KEPT: i64 = 400;

/// Posts `count` messages to the lobby concurrently, in any order.
async fn fill(bob: &Persona, count: usize) {
    stream::iter(1..=count)
        .for_each_concurrent(32, |n| async move {
            bob.say(1, &format!("number {n}.")).await;
        })
        .await;
}

async fn shown(window: &Window) -> i64 {
    let count = "return document.querySelectorAll('#messages .message').length";
    window.eval(count).await.as_i64().unwrap()
}

/// Scrolls up to the beginning; returns the largest shift of visible messages, in pixels.
async fn scroll_to_the_top(window: &Window) -> f64 {
    let script = "const done = arguments[0];
        const log = document.querySelector('#log');
        const top = (node) => node.getBoundingClientRect().top;
        const first = () => document.querySelector('#messages .message').id;
        const fromTop = () => log.scrollHeight - log.clientHeight + log.scrollTop;
        const end = Date.now() + 10_000;
        let worst = 0;
        const step = () => {
          if (document.querySelector('#log-top').textContent !== '…' && fromTop() < 2) return done([worst, true]);
          if (Date.now() > end) return done([worst, false]);
          if (fromTop() > 2) log.scrollTop -= 2500;
          const { left, top: edge } = log.getBoundingClientRect();
          const seen = document.elementFromPoint(left + 80, edge + 200)?.closest('.message');
          look(seen, seen && top(seen), first(), 30);
        };
        // A piece comes: what is in sight stays where it is.
        const look = (seen, before, was, frames) => requestAnimationFrame(() => {
          const came = first() !== was;
          if (came && seen?.isConnected) worst = Math.max(worst, Math.abs(top(seen) - before));
          if (came || frames === 0 || fromTop() > 2500) return step();
          look(seen, before, was, frames - 1);
        });
        step();";
    let mut worst = 0.0;
    loop {
        let answer = window.client.execute_async(script, vec![]).await.unwrap();
        worst = f64::max(worst, answer[0].as_f64().unwrap());
        if answer[1] == true {
            return worst;
        }
    }
}

#[tokio::test]
async fn scrolling_loads_history_without_moving_visible_messages() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let bob = server.user("Bob").await;
    for n in 1..=180 {
        bob.say(1, &format!("number {n}.")).await;
    }
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    assert!(shown(&ann).await < 180);
    assert!(scroll_to_the_top(&ann).await < 1.0, "what was read moved");
    let expected: Vec<_> = (1..=180).map(|n| format!("number {n}.")).collect();
    assert_eq!(ann.messages().await, expected);

    // A new message does not scroll the view; the button counts it.
    let top = "document.querySelector('.message').getBoundingClientRect().top";
    ann.eval(&format!("window.before = {top}")).await;
    bob.say(1, "news").await;
    ann.reads("#jump", "↓ 1 new message").await;
    let moved = format!("return Math.abs(window.before - {top}) < 1");
    assert_eq!(ann.eval(&moved).await, true, "what was read moved");
    ann.click("#jump").await;
    ann.until("document.querySelector('#jump').hidden").await;
    ann.see("news").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn a_history_of_10000_messages_keeps_at_most_400_in_the_page() {
    const COUNT: usize = 10_000;
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let bob = server.user("Bob").await;
    let all = tokio::time::timeout(Duration::from_secs(600), fill(&bob, COUNT));
    all.await.expect("ten thousand messages");
    let ann = browser.person(&server, "Ann").await;

    ann.devtools("Performance.enable", json!({})).await;
    ann.enter("Lobby").await;
    let spent = script_time(&ann).await;
    eprintln!(
        "opening 10,000 messages: {:.0} ms of script",
        spent * 1000.0
    );
    assert!(
        ann.eval("return document.querySelector('#log').scrollTop > -1")
            .await
            == true
    );

    let worst = scroll_to_the_top(&ann).await;
    eprintln!("scrolling to the top moved what was read by {worst} px at the most");
    assert!(worst < 1.0, "what was read moved by {worst}");
    let first = ann
        .eval("return document.querySelector('#messages .text').innerText")
        .await;
    assert!(first.as_str().unwrap().starts_with("number "));
    assert!(shown(&ann).await <= KEPT);
    let nodes = "return document.querySelectorAll('*').length";
    eprintln!("elements on the page: {}", ann.eval(nodes).await);

    // A new message is only counted; the button leads to it.
    bob.say(1, "at last").await;
    ann.reads("#jump", "↓ 1 new message").await;
    ann.click("#jump").await;
    ann.see("at last").await;
    assert!(shown(&ann).await <= KEPT);
    ann.assert_quiet().await;
}

/// Returns the seconds of script execution since the page started to load.
async fn script_time(window: &Window) -> f64 {
    let metrics = window.devtools("Performance.getMetrics", json!({})).await;
    let metrics: Vec<Value> = metrics["metrics"].as_array().unwrap().clone();
    let found = metrics.iter().find(|one| one["name"] == "ScriptDuration");
    found.unwrap()["value"].as_f64().unwrap()
}

#[tokio::test]
async fn a_permalink_opens_old_history_and_loads_up_to_the_end() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    let mut ids = Vec::new();
    for n in 1..=600 {
        ids.push(id(&bob.say(1, &format!("number {n}.")).await));
    }
    let lobby = server.user("Cleo").await.overview(1).await.unwrap();
    let path = format!("/chat/{}", lobby["uuid"].as_str().unwrap());
    ann.open(&format!("{path}?at={}", ids[99])).await;
    ann.live().await;
    ann.until("document.activeElement.innerText.includes('number 100.')")
        .await;
    assert!(!ann.messages().await.contains(&"number 600.".to_owned()));
    // A new message is not inserted behind the gap.
    bob.say(1, "number 601.").await;
    ann.reads("#jump", "↓ 1 new message").await;
    assert!(!ann.messages().await.contains(&"number 601.".to_owned()));
    // Loads page after page to the end, without gaps.
    let end = "(document.querySelector('#log').scrollTop = 0, !document.querySelector('#log').hasAttribute('data-newer'))";
    ann.until(end).await;
    ann.until("document.querySelector('#messages').innerText.includes('number 601.')")
        .await;
    let texts = ann.messages().await;
    let first = 602 - texts.len();
    let expected: Vec<_> = (first..=601).map(|n| format!("number {n}.")).collect();
    assert_eq!(texts, expected);
    assert!(shown(&ann).await <= KEPT);
    // An unknown message id opens the end.
    ann.open(&format!("{path}?at=999999999")).await;
    ann.live().await;
    ann.see("number 601.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn a_room_opens_at_the_read_cursor_and_marks_visible_messages_read() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    let reader = server.log_in("Ann").await;
    let mut ids = Vec::new();
    for n in 1..=300 {
        ids.push(id(&bob.say(1, &format!("number {n}.")).await));
    }
    let read = async || reader.overview(1).await.unwrap()["last_read_id"].as_i64();
    let read_to =
        async |id: i64| within("reading", async { while read().await < Some(id) {} }).await;
    ann.enter("Lobby").await;
    let first = "[...document.querySelectorAll('#new-line ~ .message')][0]";
    let in_sight = "(({ top, bottom }) => top > 0 && bottom < innerHeight)";
    ann.until(&format!("{first}.innerText.includes('number 1.')"))
        .await;
    ann.until(&format!("{in_sight}({first}.getBoundingClientRect())"))
        .await;
    ann.until("!document.querySelector('#jump').hidden").await;
    // Visible messages are marked as read, those further down are not.
    ann.until("document.title.startsWith('(1)')").await;
    read_to(ids[0]).await;
    assert!(read().await < Some(ids[150]));

    // A reload continues there; scrolling to the end marks everything as read.
    ann.reload().await;
    ann.live().await;
    ann.until("document.querySelector('#new-line')").await;
    assert!(!ann.messages().await.contains(&"number 300.".to_owned()));
    let down = "(document.querySelector('#log').scrollTop = 0, document.querySelector('#messages').innerText.includes('number 300.'))";
    ann.until(down).await;
    ann.until("!document.title.startsWith('(')").await;
    read_to(ids[299]).await;
    ann.reload().await;
    ann.live().await;
    ann.until("!document.querySelector('#new-line') && document.querySelector('#jump').hidden")
        .await;
    ann.see("number 300.").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn the_jump_button_scrolls_to_the_end_and_marks_all_read() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    fill(&bob, 150).await;
    ann.enter("Lobby").await;
    ann.until("document.querySelector('#new-line')").await;
    ann.click("#jump").await;
    ann.until("!document.title.startsWith('(')").await;
    ann.until("document.querySelector('#jump').hidden").await;
    // Messages that arrive while the page is hidden are below a new-messages line.
    ann.eval("Object.defineProperty(document, 'hidden', { get: () => window.away !== false })")
        .await;
    bob.say(1, "while you were away").await;
    let first = "document.querySelector('#new-line + .message')";
    ann.until(&format!(
        "{first}.innerText.includes('while you were away')"
    ))
    .await;
    ann.until("document.title.startsWith('(1)')").await;
    ann.eval("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        .await;
    ann.until("!document.title.startsWith('(')").await;
    ann.eval("window.away = true").await;
    bob.say(1, "and again").await;
    ann.until(&format!("{first}.innerText.includes('and again')"))
        .await;
    ann.assert_quiet().await;
}
