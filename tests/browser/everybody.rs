//! Accessibility: keyboard only, zoom up to 400 %, reduced motion, another language, touch, no scripts.

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::household::Household;
use crate::look::LOOKS;
use crate::scenes::{log_in, of_admins, of_chats, of_members};
use crate::support::{PASSWORD, TestServer};

/// Expression for the visible enabled controls, without the skip link, which is visible only when focused.
const CONTROLS: &str = "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.matches('.skip'))";

/// Zooms a desktop of 1280 × 800 to `per_cent`.
async fn zoom(window: &Window, per_cent: u32) {
    let size = json!({
        "width": 128_000 / per_cent,
        "height": 80_000 / per_cent,
        "deviceScaleFactor": f64::from(per_cent) / 100.0,
        "mobile": false,
    });
    window
        .devtools("Emulation.setDeviceMetricsOverride", size)
        .await;
}

#[tokio::test]
async fn at_200_and_400_per_cent_nothing_is_cut_off_or_scrolls_sideways() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let home = Household::new().await;
    let ann = browser.window(&home.server).await;
    log_in(&ann, "ann").await;
    // Elements that scroll sideways, reach out of the window, or are cut off.
    let lost = format!(
        "const cut = (one) => getComputedStyle(one).overflowX !== 'visible' && getComputedStyle(one).textOverflow !== 'ellipsis'
           && !one.closest('.unseen, textarea, .brand') && getComputedStyle(one).clipPath === 'none' && one.scrollWidth > one.clientWidth + 1;
         const outside = (one) => {{ const {{ left, right }} = one.getBoundingClientRect(); return left < -1 || right > innerWidth + 1; }};
         const page = document.scrollingElement;
         return [...(page.scrollWidth > page.clientWidth ? [page] : []), ...{CONTROLS}.filter(outside),
           ...[...document.querySelectorAll('main *, .side *')].filter((one) => one.checkVisibility() && cut(one))]
           .map((one) => one.outerHTML.slice(0, 200))"
    );
    for per_cent in [200, 400] {
        zoom(&ann, per_cent).await;
        for scene in [of_members(&home), of_chats(&home), of_admins(&home)].concat() {
            scene.enter(&ann).await;
            let lost = ann.eval(&lost).await;
            assert_eq!(lost, json!([]), "{} at {per_cent} %", scene.name);
            ann.shot(&format!("zoom-{per_cent}-{}", scene.name)).await;
        }
    }
}

/// Presses a key on the focused element.
async fn press(window: &Window, key: &str, code: u32) {
    for kind in ["rawKeyDown", "char", "keyUp"] {
        let text = if code == 13 && kind == "char" {
            "\r"
        } else {
            ""
        };
        let params = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        window.devtools("Input.dispatchKeyEvent", params).await;
    }
}

/// Tabs through a page; returns the controls that were not reached or had no visible focus.
async fn tab_through(window: &Window) -> Value {
    let count = window.eval(&format!("return {CONTROLS}.length")).await;
    window.eval("window.faint = []").await;
    // There are more tab stops than controls: the message list and other scrollable elements.
    for _ in 0..count.as_u64().unwrap() + 20 {
        press(window, "Tab", 9).await;
        window
            .eval(
                "const at = document.activeElement;
                 at.dataset.reached = 'yes';
                 const { outlineStyle, outlineWidth } = getComputedStyle(at);
                 const { top, bottom, left, right } = at.getBoundingClientRect();
                 const inSight = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
                 if (at !== document.body && (outlineStyle === 'none' || parseFloat(outlineWidth) < 2 || !inSight))
                   window.faint.push('faint: ' + at.outerHTML.slice(0, 200));",
            )
            .await;
    }
    let missed = format!(
        "return [...window.faint, ...{CONTROLS}.filter((one) => !one.dataset.reached && !(one.type === 'radio' && !one.checked))
           .map((one) => 'missed: ' + one.outerHTML.slice(0, 200))]"
    );
    window.eval(&missed).await
}

#[tokio::test]
async fn all_controls_are_reachable_by_keyboard_with_visible_focus() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let home = Household::new().await;
    let ann = browser.window(&home.server).await;
    log_in(&ann, "ann").await;
    let pages = [
        "/conversations".to_owned(),
        format!("/chat/{}", home.kitchen),
        format!("/conversations/{}", home.garden),
        "/rooms/new".to_owned(),
        "/settings".to_owned(),
    ];
    for page in pages {
        ann.open(&page).await;
        ann.live().await;
        assert_eq!(tab_through(&ann).await, json!([]), "{page}");
    }
    // The skip link leads from the top of the page to the main content.
    ann.open("/rooms").await;
    ann.live().await;
    press(&ann, "Tab", 9).await;
    press(&ann, "Enter", 13).await;
    ann.until("document.activeElement.id === 'main'").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn reduced_motion_disables_animations() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let home = Household::new().await;
    let ann = browser.window(&home.server).await;
    log_in(&ann, "ann").await;
    for (wish, moves) in [("no-preference", true), ("reduce", false)] {
        let media = json!({ "features": [{ "name": "prefers-reduced-motion", "value": wish }] });
        ann.devtools("Emulation.setEmulatedMedia", media).await;
        ann.open(&format!("/chat/{}", home.kitchen)).await;
        ann.live().await;
        ann.eval("document.querySelector('#messages .quote').click()")
            .await;
        ann.until("document.querySelector('.message.lit')").await;
        let animated = ann
            .eval("return getComputedStyle(document.querySelector('.message.lit .bubble')).animationName !== 'none'")
            .await;
        assert_eq!(animated, moves, "{wish}");
    }
}

#[tokio::test]
async fn a_chat_page_is_fully_translated_to_german() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let home = Household::new().await;
    let ann = browser.window(&home.server).await;
    let german = json!({ "headers": { "Accept-Language": "de" } });
    ann.devtools("Network.enable", json!({})).await;
    ann.devtools("Network.setExtraHTTPHeaders", german).await;
    log_in(&ann, "ann").await;
    ann.open(&format!("/chat/{}", home.kitchen)).await;
    ann.live().await;
    ann.until("document.documentElement.lang === 'de'").await;
    ann.see("Neue Nachrichten").await;
    ann.say("Danke!").await;
    // Texts written by the script: day, time, name in the reply.
    ann.until("[...document.querySelectorAll('#messages > .day')].at(-1).textContent === 'Heute'")
        .await;
    ann.until("/^\\d\\d:\\d\\d$/.test([...document.querySelectorAll('#messages time')].at(-1).textContent)")
        .await;
    ann.eval("document.querySelector('#messages .message:last-child').focus()")
        .await;
    let focused = ann.client.active_element().await.unwrap();
    focused.send_keys("r").await.unwrap();
    ann.see("Antwort an Ann Berg").await;
    ann.shot("chat-german").await;
    // No English words are left, except in what people wrote.
    let english = "const names = /\\b(message|write|send|members?|reply|edit|delete|copy|search|people|rooms|settings|log out|today|yesterday|attach|latest|here now)\\b/i;
        const mine = '.text, .quote, .preview, .room-name, .person-name, .my-name, .name, .file, .bar h1, .bar-line, img, #context-quote, script, style, [data-emoji]';
        const said = [];
        for (const one of document.querySelectorAll('body *')) {
          if (one.closest(mine)) continue;
          const texts = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data);
          for (const text of [...texts, one.title, one.placeholder, one.ariaLabel, one.alt])
            if (text && names.test(text)) said.push(text);
        }
        return said;";
    assert_eq!(ann.eval(english).await, json!([]));
    ann.assert_quiet().await;
}

/// Dispatches a touch event.
async fn touch(window: &Window, kind: &str, points: Value) {
    let params = json!({ "type": kind, "touchPoints": points });
    window.devtools("Input.dispatchTouchEvent", params).await;
}

#[tokio::test]
async fn the_message_menu_stays_open_after_a_long_press() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.window(&server).await;
    ann.look(&LOOKS[2]).await;
    ann.register("Ann").await;
    ann.enter("Lobby").await;
    ann.fill("#content", "hold me").await;
    ann.click(".send").await;
    ann.until("document.querySelector('#messages .message')")
        .await;
    let point = "const { left, top, width, height } = document.querySelector('#messages .text').getBoundingClientRect();
        return { x: left + width / 2, y: top + height / 2 }";
    let point = ann.eval(point).await;
    touch(&ann, "touchStart", json!([point])).await;
    ann.until("document.querySelector('#menu').matches(':popover-open')")
        .await;
    touch(&ann, "touchEnd", json!([])).await;
    let open = "return document.querySelector('#menu').matches(':popover-open') && getSelection().isCollapsed";
    assert_eq!(ann.eval(open).await, true);
    ann.shot("long-press").await;
    let button = "const { left, top, width, height } = document.querySelector('#menu [data-do=reply]').getBoundingClientRect();
        return { x: left + width / 2, y: top + height / 2 }";
    let button = ann.eval(button).await;
    touch(&ann, "touchStart", json!([button])).await;
    touch(&ann, "touchEnd", json!([])).await;
    ann.see("Replying to Ann").await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn pages_work_without_scripts() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ben = server.user("ben").await;
    let ann = browser.window(&server).await;
    let off = json!({ "value": true });
    ann.devtools("Emulation.setScriptExecutionDisabled", off)
        .await;
    ann.open("/auth/register").await;
    ann.fill("#username", "Ann").await;
    ann.fill("#password", PASSWORD).await;
    ann.click("button.main").await;
    ann.click("#rooms a[href^='/chat/']").await;
    ann.fill("#content", "without *scripts*").await;
    ann.click(".send").await;
    ann.shows("#messages .text em").await;
    assert_eq!(ann.messages().await, ["without scripts"]);
    assert_eq!(ben.history(1).await[0]["content"], "without *scripts*");

    // The form uploads files, and no control is shown that needs scripts. Times have their zone.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recipe.txt");
    std::fs::write(&file, "flour").unwrap();
    ann.keys(
        "noscript input[type=file], input[name=file]",
        file.to_str().unwrap(),
    )
    .await;
    ann.fill("#content", "with a file").await;
    ann.shot("without-script").await;
    ann.click(".send").await;
    ann.shows("#messages .file-name").await;
    let sent = ben.history(1).await;
    assert_eq!(sent[1]["content"], "with a file");
    assert_eq!(sent[1]["files"][0]["name"], "recipe.txt");
    let attach = ann.client.find(Locator::Css("#attach")).await.unwrap();
    assert!(!attach.is_displayed().await.unwrap());
    // The driver does not look into <noscript>.
    let time = "return document.querySelector('#messages time').innerText";
    let time = ann.eval(time).await;
    assert!(time.as_str().unwrap().ends_with(" UTC"), "{time}");

    ann.open("/rooms/new").await;
    ann.fill("#name", "Cellar").await;
    ann.click("#private").await;
    ann.fill("#access_key", "hush").await;
    ann.click("button.main").await;
    ann.shows("#content").await;
    // The room has no other member; the link leads to the members.
    ann.click("#log a[href$='#members']").await;
    ann.fill("#add-username", "ben").await;
    ann.click("form[action$='/add'] button").await;
    ann.shows(".member:nth-child(2)").await;
    ann.open("/search").await;
    ann.fill("#q", "scripts").await;
    ann.click("form[role=search] button").await;
    ann.shows(".hit mark").await;
    ann.open("/settings").await;
    ann.fill("#profile-display_name", "Anna").await;
    ann.click("form[action='/settings/profile'] button").await;
    ann.shows(".notice").await;
    ann.click(".side-foot form button").await;
    ann.shows("#username").await;
}
