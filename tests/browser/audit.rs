//! Checks every page with axe-core, at desktop and phone size, in light and dark mode. `.ci/run` installs axe-core;
//! without it these tests are skipped, or fail if `CI` is set.

use std::path::Path;

use serde_json::{Value, json};

use crate::driver::{Browser, Window};
use crate::household::Household;
use crate::look::LOOKS;
use crate::scenes::{Scene, log_in, of_admins, of_chats, of_members, of_visitors};
use crate::support::TestServer;

/// Runs the rules of WCAG 2.2 up to AA and axe's best practices.
const RUN: &str = "const done = arguments[0];
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'], preload: false }).then(
      ({ violations }) => done(violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target, html, any, all }) =>
          [id, help, target.flat().join(' '), html.slice(0, 160), [...any, ...all].map((one) => one.message).join('; ')]))),
      (error) => done([[String(error)]]));";

/// Reads the source of axe-core; `None` if it is missing and `CI` is not set.
fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients/node_modules/axe-core/axe.min.js");
    let found = std::fs::read_to_string(&file).ok();
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "axe-core is missing; .ci/run installs it"
        );
        eprintln!("skipped, there is no {}", file.display());
    }
    found
}

/// Opens a window that loads axe-core into every page.
async fn window(browser: &Browser, server: &TestServer, axe: String) -> Window {
    let window = browser.window(server).await;
    let source = json!({ "source": axe });
    window
        .devtools("Page.addScriptToEvaluateOnNewDocument", source)
        .await;
    window
}

/// Returns all violations on these pages.
async fn faults(window: &Window, scenes: &[Scene]) -> Vec<Value> {
    let mut faults = Vec::new();
    for scene in scenes {
        window.look(&LOOKS[0]).await;
        scene.enter(window).await;
        for look in &LOOKS {
            window.look(look).await;
            let found = window.client.execute_async(RUN, vec![]).await.unwrap();
            let place = format!("{} {}", scene.name, look.name);
            let found = found.as_array().unwrap().iter();
            faults.extend(found.map(|fault| json!({ "at": place, "fault": fault })));
        }
    }
    faults
}

#[tokio::test]
async fn public_pages_have_no_axe_violations() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start().await) else {
        return;
    };
    let empty = TestServer::start().await;
    let token = empty.chat.setup_token().unwrap();
    let set_up = Scene::plain("set-up", format!("/setup?token={token}"));
    let first = window(&browser, &empty, axe.clone()).await;
    let found = faults(&first, &[set_up]).await;
    assert!(found.is_empty(), "{found:#?}");
    let home = Household::new().await;
    let visitor = window(&browser, &home.server, axe).await;
    let found = faults(&visitor, &of_visitors(&home)).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn member_pages_have_no_axe_violations() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start().await) else {
        return;
    };
    let home = Household::new().await;
    let ann = window(&browser, &home.server, axe).await;
    log_in(&ann, "ann").await;
    let scenes = [of_members(&home), of_admins(&home)].concat();
    let found = faults(&ann, &scenes).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn chat_pages_have_no_axe_violations() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start().await) else {
        return;
    };
    let home = Household::new().await;
    let ann = window(&browser, &home.server, axe).await;
    log_in(&ann, "ann").await;
    let found = faults(&ann, &of_chats(&home)).await;
    assert!(found.is_empty(), "{found:#?}");
}
