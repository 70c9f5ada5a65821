//! Takes screenshots of every page for `docs/screenshots`, only on request:
//! `PARLOR_SHOTS=docs/screenshots cargo test --test browser shots`.

use crate::driver::{Browser, Window};
use crate::household::Household;
use crate::look::LOOKS;
use crate::scenes::{Scene, log_in, of_admins, of_chats, of_members, of_visitors};
use crate::support::TestServer;

async fn take(window: &Window, scenes: &[Scene]) {
    for scene in scenes {
        window.look(&LOOKS[0]).await;
        scene.enter(window).await;
        for look in &LOOKS {
            window.look(look).await;
            window
                .until("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
                .await;
            window.shot(&format!("{}-{}", scene.name, look.name)).await;
        }
    }
}

#[tokio::test]
async fn screenshots_of_every_page_are_taken_on_request() {
    if std::env::var_os("PARLOR_SHOTS").is_none() {
        eprintln!("skipped, PARLOR_SHOTS names no folder");
        return;
    }
    let browser = Browser::start().await.expect("a browser");
    let empty = TestServer::start().await;
    let token = empty.chat.setup_token().unwrap();
    let set_up = Scene::plain("set-up", format!("/setup?token={token}"));
    take(&browser.window(&empty).await, &[set_up]).await;
    let home = Household::new().await;
    take(&browser.window(&home.server).await, &of_visitors(&home)).await;
    let ann = browser.window(&home.server).await;
    log_in(&ann, "ann").await;
    for scenes in [of_members(&home), of_chats(&home), of_admins(&home)] {
        take(&ann, &scenes).await;
    }
}
