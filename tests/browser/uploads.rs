//! Uploads: they go on in other rooms and after a reload; refused ones say why and keep their files.

use parlor::config::ByteSize;
use serde_json::json;

use crate::drafts::{holds, kept, narrow, tray};
use crate::driver::Browser;
use crate::files::give;
use crate::front::Front;
use crate::support::TestServer;

#[tokio::test]
async fn an_upload_goes_on_in_other_rooms_and_after_a_reload() {
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
    // No question, no loss: neither by another room nor by a page without any.
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
    // Once, and nothing of it is left.
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
async fn an_upload_that_a_proxy_refuses_says_what_happened_and_keeps_the_file() {
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
        // One sees it from everywhere.
        ann.open("/people").await;
        ann.reads("#rooms .preview", "⚠ Not sent").await;
        ann.client.back().await.unwrap();
        ann.see(said).await;
        // It is still there after a reload; it goes back to where it was written.
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
async fn an_upload_that_the_server_refuses_names_its_limit() {
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
    // The page did not know.
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
async fn where_nothing_can_be_kept_the_page_says_so_and_holds_it() {
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
