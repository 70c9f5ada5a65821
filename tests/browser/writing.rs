//! The composer: markup, links, completion of names and emoji.

use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::support::TestServer;

/// Returns the page's script up to the markup module, none of which has side effects.
async fn up_to_markup(server: &TestServer, window: &Window) -> String {
    let path = "return new URL(document.querySelector('script[src]').src).pathname";
    let path = window.eval(path).await;
    let reply = server.anybody().get(path.as_str().unwrap()).await;
    let script = std::str::from_utf8(&reply.body).unwrap();
    let start = script.find("const m_markup = ").unwrap();
    let end = start + script[start..].find("\n})();\n").unwrap();
    format!("{}\n}})();", &script[..end])
}

#[tokio::test]
async fn the_script_renders_markup_like_the_server() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let script = "const [cases, done] = arguments;
        const wrong = cases.filter(({ text, names = [], html }) => {
          const made = document.createElement('div');
          made.append(m_markup.render(text, new Map(names.map((name) => [name, name === 'me']))));
          const wanted = document.createElement('div');
          wanted.innerHTML = html;
          made.normalize();
          return !made.isEqualNode(wanted) && (console.info(made.innerHTML), true);
        });
        done(wrong.map(({ text }) => text));";
    let script = format!("{}\n{script}", up_to_markup(&server, &ann).await);
    let cases: Value = serde_json::from_str(include_str!("../markup.json")).unwrap();
    let wrong = ann.client.execute_async(&script, vec![cases]).await;
    let wrong = wrong.unwrap();
    assert_eq!(wrong, json!([]));
    ann.assert_quiet().await;
}

#[tokio::test]
async fn markup_links_and_mentions_look_the_same_after_a_reload() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob Miller").await;
    ann.enter("Lobby").await;
    let text = "**look** at https://example.org/a_b, @Ann and @bob miller:\n- `one`\n- two\n> quoted\n```\ncode\n```";
    bob.say(1, text).await;
    ann.see("quoted").await;
    let body = "document.querySelector('#messages .text').innerHTML";
    ann.until("document.querySelectorAll('#messages .mention').length === 2")
        .await;
    let live = ann.eval(&format!("return {body}")).await;
    assert!(live.as_str().unwrap().contains("<strong>look</strong>"));
    ann.until("document.querySelector('#messages .message.calls .mention.me')")
        .await;
    ann.reload().await;
    ann.live().await;
    assert_eq!(ann.eval(&format!("return {body}")).await, live);
    let link = "return (({ href, target, rel }) => [href, target, rel])(document.querySelector('#messages .text a'))";
    let expected = json!(["https://example.org/a_b", "_blank", "noopener"]);
    assert_eq!(ann.eval(link).await, expected);
    ann.assert_quiet().await;
}

#[tokio::test]
async fn names_and_emoji_are_completed() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    for name in ["Bob Miller", "Boris", "Cleo"] {
        server.user(name).await;
    }
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let holds = |text: &str| {
        format!(
            "document.querySelector('#content').value === {}",
            json!(text)
        )
    };
    ann.keys("#content", "hi @bo").await;
    ann.until("document.querySelectorAll('#suggestions [role=option]').length === 2")
        .await;
    // The list marks the selected option, and the arrow keys move the selection.
    let chosen = "document.getElementById(document.querySelector('#content').getAttribute('aria-activedescendant')).textContent";
    ann.until(&format!("{chosen}.includes('Bob Miller')")).await;
    ann.keys("#content", "\u{E015}").await;
    ann.until(&format!("{chosen}.includes('Boris')")).await;
    ann.keys("#content", "\u{E004}").await;
    ann.until(&holds("hi @Boris ")).await;
    ann.keys("#content", ":tad").await;
    ann.until("!document.querySelector('#suggestions').hidden")
        .await;
    ann.keys("#content", "\u{E007}").await;
    ann.until(&holds("hi @Boris 🎉 ")).await;
    // A complete emoji name is replaced without the list; Escape closes the list.
    ann.keys("#content", ":fire:").await;
    ann.until(&holds("hi @Boris 🎉 🔥")).await;
    ann.keys("#content", " @cl").await;
    ann.until("!document.querySelector('#suggestions').hidden")
        .await;
    ann.keys("#content", "\u{E00C}").await;
    ann.until("document.querySelector('#suggestions').hidden")
        .await;
    ann.keys("#content", "\u{E007}").await;
    ann.see("hi @Boris 🎉 🔥 @cl").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn a_draft_stays_in_its_room() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let garden = server.log_in("Ann").await;
    garden.public_room("Garden").await;
    let holds = |text: &str| format!("document.querySelector('#content').value === '{text}'");
    ann.enter("Lobby").await;
    ann.keys("#content", "to be continued").await;
    ann.enter("Garden").await;
    ann.until(&holds("")).await;
    ann.reload().await;
    ann.enter("Lobby").await;
    ann.until(&holds("to be continued")).await;
    ann.keys("#content", "\u{E007}").await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    ann.see("to be continued").await;
    // Editing a message replaces the draft only until it ends.
    ann.keys("#content", "next").await;
    ann.eval("document.querySelector('#messages .message').focus()")
        .await;
    let focused = ann.client.active_element().await.unwrap();
    focused.send_keys("e").await.unwrap();
    ann.until(&holds("to be continued")).await;
    ann.keys("#content", "\u{E00C}").await;
    ann.until(&holds("next")).await;
    ann.assert_quiet().await;
}
