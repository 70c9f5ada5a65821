//! Uploads continue in other rooms and after a reload; refused ones show the reason and keep their files.

use parlor::config::ByteSize;
use serde_json::json;

use crate::drafts::{holds, kept, narrow, tray};
use crate::driver::Browser;
use crate::files::give;
use crate::front::Front;
use crate::support::TestServer;

#[tokio::test]
async fn an_upload_continues_in_other_rooms_and_after_a_reload() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let base = format!("http://chat.lan:{}", server.address.port());
    let ann = browser.window_at(&base).await;
    ann.register("Ann").await;
    let me = server.log_in("Ann").await;
    me.public_room("Garden").await;
    ann.enter("Lobby").await;
    narrow(&ann, true).await;
    give(
        &ann,
        "drop",
        "large.bin",
        "application/octet-stream",
        &vec![7; 400_000],
    )
    .await;
    ann.write("the large one").await;
    ann.until("document.querySelector('#pending progress').value > 0")
        .await;
    // Neither another room nor a page without a room asks for confirmation or loses the upload.
    ann.enter("Garden").await;
    ann.open("/settings").await;
    ann.live().await;
    narrow(&ann, false).await;
    ann.open("/people").await;
    let arrived = async { while me.history(1).await.is_empty() {} };
    crate::support::within("the upload", arrived).await;
    let sent = me.history(1).await;
    assert_eq!(sent[0]["content"], "the large one");
    assert_eq!(sent[0]["files"][0]["size"], 400_000);
    // It was sent once, and nothing of it is kept.
    ann.open("/conversations").await;
    ann.enter("Lobby").await;
    ann.until("!document.querySelector('#pending').children.length")
        .await;
    assert_eq!(ann.messages().await, ["the large one"]);
    assert_eq!(me.history(1).await.len(), 1);
    ann.until("document.querySelector('#pending')").await;
    assert!(!kept(&ann).await.contains("large.bin"));
    ann.assert_quiet().await;
}

#[tokio::test]
async fn an_upload_refused_by_a_proxy_shows_the_reason_and_keeps_the_file() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    for (status, said) in [
        (
            "413 Request Entity Too Large",
            "takes files of up to 25 MiB, but something in front of it, such as a proxy, takes less.",
        ),
        (
            "403 Forbidden",
            "Not sent. It was refused on the way to the server (status 403).",
        ),
        (
            "501 Not Implemented",
            "Not sent. It was refused on the way to the server (status 501).",
        ),
    ] {
        let name = format!("Ann{}", &status[..3]);
        let front = Front::to(server.address, status).await;
        let ann = browser
            .window_at(&format!("http://{}", front.address))
            .await;
        ann.register(&name).await;
        ann.enter("Lobby").await;
        give(
            &ann,
            "drop",
            "photo.bin",
            "application/octet-stream",
            &vec![7; 2_000_000],
        )
        .await;
        ann.write("look").await;
        ann.see(said).await;
        ann.shot(&format!("refused-{}", &status[..3])).await;
        // The failure is also shown in the room list on other pages.
        ann.open("/people").await;
        ann.reads("#rooms .preview", "⚠ Not sent").await;
        ann.client.back().await.unwrap();
        ann.see(said).await;
        // It survives a reload and can be moved back into the composer.
        ann.reload().await;
        ann.live().await;
        ann.see(said).await;
        ann.click("#pending [data-do=edit]").await;
        tray(&ann, &["photo.bin"]).await;
        ann.until(&holds("look")).await;
        ann.until("!document.querySelector('#pending').children.length")
            .await;
    }
}

#[tokio::test]
async fn an_upload_refused_by_the_server_shows_the_limit() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server =
        TestServer::start_with(|config| config.files.max_size = ByteSize(1024 * 1024)).await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    give(
        &ann,
        "drop",
        "a.bin",
        "application/octet-stream",
        &vec![7; 1024 * 1024 + 1],
    )
    .await;
    ann.see("a.bin: larger than 1 MiB").await;
    // The page does not know the size, so the server refuses.
    let send = "const add = DataTransfer.prototype; Object.defineProperty(File.prototype, 'size', { get: () => 1 });";
    ann.eval(send).await;
    give(
        &ann,
        "drop",
        "b.bin",
        "application/octet-stream",
        &vec![7; 2 * 1024 * 1024],
    )
    .await;
    ann.write("look").await;
    ann.see("Not sent. The file is too large: this server takes up to 1 MiB.")
        .await;
}

#[tokio::test]
async fn without_indexeddb_files_are_kept_in_memory_with_a_notice() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let source = json!({ "source": "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }" });
    ann.devtools("Page.addScriptToEvaluateOnNewDocument", source)
        .await;
    ann.enter("Lobby").await;
    give(&ann, "drop", "a.txt", "text/plain", b"text").await;
    ann.see("This browser keeps no files: send them before you leave this page.")
        .await;
    tray(&ann, &["a.txt"]).await;
    ann.write("still works").await;
    ann.until("document.querySelector('#messages .file-name')?.textContent === 'a.txt'")
        .await;
    ann.until("document.querySelector('#refusal').hidden").await;
    ann.assert_quiet().await;
}
