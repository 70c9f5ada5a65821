//! Files: choosing, dropping, pasting, upload progress, refusals, display.

use parlor::config::FileTypes;
use serde_json::json;

use crate::driver::{Browser, Window};
use crate::support::{TestServer, picture};

/// Drops or pastes a file into the page.
pub async fn give(window: &Window, how: &str, name: &str, kind: &str, bytes: &[u8]) {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
    let script = format!(
        "const bytes = Uint8Array.from(atob({bytes:?}), (one) => one.charCodeAt(0));
         const data = new DataTransfer();
         data.items.add(new File([bytes], {name:?}, {{ type: {kind:?} }}));
         if ({how:?} === 'paste') document.querySelector('#content').dispatchEvent(
           new ClipboardEvent('paste', {{ clipboardData: data, bubbles: true, cancelable: true }}));
         else for (const type of ['dragover', 'drop']) document.querySelector('.talk').dispatchEvent(
           new DragEvent(type, {{ dataTransfer: data, bubbles: true, cancelable: true }}));"
    );
    window.eval(&script).await;
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    picture(width, height, image::ImageFormat::Png)
}

#[tokio::test]
async fn images_and_files_are_sent_and_reserve_their_space() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = browser.person(&server, "Bob").await;
    ann.enter("Lobby").await;
    bob.enter("Lobby").await;
    give(&ann, "drop", "lake.png", "image/png", &png(900, 600)).await;
    give(&ann, "paste", "notes <1>.txt", "text/plain", b"some notes").await;
    ann.until("document.querySelectorAll('#tray li').length === 2")
        .await;
    ann.until("document.querySelectorAll('#tray .thumb').length === 1")
        .await;
    ann.write("look at **that**").await;
    for window in [&ann, &bob] {
        window.see("notes <1>.txt").await;
        window.see("look at that").await;
        let picture = "(({ width, height }) => width > 0 && Math.abs(width / height - 1.5) < 0.02)\
                       (document.querySelector('#messages .picture img'))";
        window.until(picture).await;
        window
            .until("document.querySelector('#messages .picture img').naturalWidth === 400")
            .await;
    }
    ann.until("!document.querySelector('#pending').children.length && document.querySelector('#tray').hidden")
        .await;
    // The server renders the same markup.
    let body = "return document.querySelector('#messages .files').innerHTML.replace(/ (alt|src|width|height|loading|decoding|href|target|rel)=\"[^\"]*\"/g, '')";
    let live = bob.eval(body).await;
    bob.reload().await;
    bob.live().await;
    assert_eq!(bob.eval(body).await, live);
    // Opening and closing the lightbox.
    bob.click("#messages .picture").await;
    bob.until("document.querySelector('.lightbox').open && document.querySelector('.lightbox img').naturalWidth === 900")
        .await;
    bob.shot("lightbox").await;
    bob.client
        .active_element()
        .await
        .unwrap()
        .send_keys("\u{E00C}")
        .await
        .unwrap();
    bob.until("!document.querySelector('.lightbox').open").await;
    ann.assert_quiet().await;
    bob.assert_quiet().await;
}

#[tokio::test]
async fn files_that_the_server_would_refuse_are_not_uploaded() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start_with(|config| {
        config.files.types = FileTypes::Only(vec!["image/*".to_owned()]);
    })
    .await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    give(&ann, "drop", "a.txt", "text/plain", b"text").await;
    ann.see("a.txt: this server takes no files of that type")
        .await;
    for n in 0..11 {
        give(&ann, "drop", &format!("{n}.png"), "image/png", &png(9, 9)).await;
    }
    ann.see("10.png: at most 10 files at once").await;
    ann.click("#tray [aria-label='Remove 3.png']").await;
    ann.until("document.querySelectorAll('#tray li').length === 9 && document.querySelector('#refusal').hidden")
        .await;
    let guest = browser.window(&server).await;
    guest.open("/auth/guest").await;
    guest.fill("#username", "Visitor").await;
    guest.click("button.main").await;
    guest.enter("Lobby").await;
    guest.until("!document.querySelector('#attach')").await;
}

#[tokio::test]
async fn an_upload_shows_progress_and_can_be_cancelled_and_retried() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    // A slow connection, on which the progress is visible.
    let thin = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000 });
    ann.devtools("Network.enable", json!({})).await;
    ann.devtools("Network.emulateNetworkConditions", thin).await;
    let large = vec![7; 400_000];
    give(
        &ann,
        "drop",
        "large.bin",
        "application/octet-stream",
        &large,
    )
    .await;
    ann.write("first").await;
    ann.until("document.querySelector('#pending progress').value > 0")
        .await;
    ann.click("#pending [data-do=discard]").await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    let thick =
        json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    ann.devtools("Network.emulateNetworkConditions", thick)
        .await;

    // The server refuses the upload, then accepts it.
    let owner = server.user("Olga").await;
    let room = owner.public_room("Garden").await;
    ann.join("Garden").await;
    let member = format!("rooms/{room}/members/{}", ann.my_id().await);
    let muted = json!({ "muted_until": "2999-01-01T00:00:00Z" });
    owner.patch(&member, muted).await.ok(200);
    give(
        &ann,
        "drop",
        "second.bin",
        "application/octet-stream",
        &large,
    )
    .await;
    ann.write("second").await;
    ann.see("Not sent. You are muted here for a while.").await;
    let lifted = json!({ "muted_until": null });
    owner.patch(&member, lifted).await.ok(200);
    ann.click("#pending [data-do=retry]").await;
    ann.until("document.querySelector('#messages .file-name')")
        .await;
    assert_eq!(ann.messages().await, ["second"]);
    assert_eq!(owner.history(room).await.len(), 1);
    assert!(owner.history(1).await.is_empty());
}
