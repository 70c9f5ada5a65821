//! XSS: hostile text in every field that people can write. No script runs, and the CSP is never violated.

use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::support::{Persona, TestServer, picture};

const VECTORS: &str = include_str!("hostile.txt");

/// Runs before every page: records calls that a vector would make, and violations of the CSP.
const CANARY: &str = "
    const note = (what) => localStorage.setItem('canary', (localStorage.getItem('canary') ?? '') + what + '\\n');
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      note(`policy: ${violatedDirective} ${blockedURI} ${sample}`));
    for (const name of ['alert', 'prompt', 'confirm', 'print', 'pwn']) window[name] = () => note(`ran: ${name}`);
";

fn vectors() -> Vec<&'static str> {
    VECTORS.lines().filter(|line| !line.is_empty()).collect()
}

/// Opens a page, dispatches mouse and focus events, and asserts that no active elements or attributes exist.
async fn look(window: &Window, path: &str) {
    window.open(path).await;
    window.live().await;
    window
        .eval(
            "for (const one of document.querySelectorAll('main *')) for (const type of ['mouseover', 'focusin', 'pointerover'])
               one.dispatchEvent(new Event(type, { bubbles: true }))",
        )
        .await;
    let made = "return [...document.querySelectorAll('main :is(script, iframe, object, embed, base, style, link, video, audio, math, marquee, form:not([method]))')].map((one) => one.outerHTML)";
    assert_eq!(window.eval(made).await, json!([]), "{path}");
    let named = "return [...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames().filter((name) => /^(on|style$|srcdoc)/.test(name)))";
    assert_eq!(window.eval(named).await, json!([]), "{path}");
    let links = "return [...document.querySelectorAll('[href]')].map((one) => one.href.baseVal ?? one.href).filter((href) => !/^(https?|mailto):/i.test(href))";
    assert_eq!(window.eval(links).await, json!([]), "{path}");
}

/// Uploads a file of that name; returns whether the name was accepted.
async fn upload(eve: &Persona, name: &str) -> bool {
    let name = name.replace('"', "\\\"");
    let picture = picture(9, 9, image::ImageFormat::Png);
    eve.upload(1, &name, "image/png", picture).await.status == 201
}

/// Puts the vector into every field that people can write; returns the account with that name, if it was accepted.
async fn plant(server: &TestServer, eve: &Persona, vector: &str) -> Option<Persona> {
    eve.say(1, &format!("so: {vector}")).await;
    eve.say(1, vector).await;
    // Names have a lower limit and stricter rules; refused names cannot be shown.
    let name: String = vector.chars().take(60).collect();
    let room = json!({ "name": name, "description": vector });
    eve.post("rooms", room).await;
    let account = json!({
        "username": name.replace('@', ""),
        "password": crate::support::PASSWORD,
        "display_name": vector,
    });
    let known = server.anybody().post("auth/register", account).await;
    let known = (known.status == 201).then(|| Persona::new(server.address, &known.ok(201)))?;
    known.say(1, vector).await;
    Some(known)
}

/// Opens every page that shows text of people.
async fn look_everywhere(window: &Window, lobby: &str, history: &[Value], vectors: &[&str]) {
    look(window, lobby).await;
    for at in history.iter().step_by(40) {
        look(window, &format!("{lobby}?at={}", at["id"])).await;
    }
    let details = lobby.replace("/chat/", "/conversations/");
    for path in ["/conversations", "/rooms", "/people", &details] {
        look(window, path).await;
    }
    for vector in vectors.iter().step_by(20) {
        let query: String = form_urlencoded::byte_serialize(vector.as_bytes()).collect();
        look(window, &format!("/people?q={query}")).await;
        look(window, &format!("/conversations?note={query}")).await;
    }
}

/// Opens the suggestions and the switcher, which also show names.
async fn look_for_names(window: &Window, lobby: &str) {
    window.open(lobby).await;
    window.live().await;
    for letter in ["<", "\""] {
        window.fill("#content", &format!("@{letter}")).await;
        window
            .eval("dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true }))")
            .await;
        window.fill(".switcher input", letter).await;
        window.keys(".switcher input", "\u{E00C}").await;
    }
}

#[tokio::test]
async fn text_of_people_never_runs_as_script() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let vectors = vectors();
    assert!(vectors.len() >= 100, "{}", vectors.len());
    let server = TestServer::start().await;
    let eve = server.user("Eve").await;
    let ann = browser.window(&server).await;
    let canary = json!({ "source": CANARY });
    ann.devtools("Page.addScriptToEvaluateOnNewDocument", canary)
        .await;
    ann.register("Ann").await;

    // Live events, rendered by the script.
    ann.enter("Lobby").await;
    let lobby = ann.path().await;
    let (mut people, mut files) = (Vec::new(), 0);
    for vector in &vectors {
        people.extend(plant(&server, &eve, vector).await);
        files += i32::from(upload(&eve, vector).await);
    }
    assert!(people.len() > 50, "only {} names were taken", people.len());
    assert!(files > 80, "only {files} names of files were taken");
    let me = ann.my_id().await;
    for known in people.iter().take(30) {
        let room = known.post("rooms/direct", json!({ "user_id": me })).await;
        let room = crate::support::id(&room.ok(201));
        known.say(room, &known.name).await;
    }
    eve.say(1, "the end of it").await;
    ann.see("the end of it").await;

    // Pages rendered by the server.
    let history = eve.history(1).await;
    look_everywhere(&ann, &lobby, &history, &vectors).await;
    look_for_names(&ann, &lobby).await;
    let found = ann.eval("return localStorage.getItem('canary')").await;
    assert_eq!(found, Value::Null);
}
