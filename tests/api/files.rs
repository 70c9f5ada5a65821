//! Files: sending, fetching, and everything that must not be rendered.

use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::*;

const LOBBY: i64 = 1;

/// The one file of a message.
fn only_file(message: &Value) -> Value {
    let files = message["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{message}");
    files[0].clone()
}

fn url(file: &Value) -> &str {
    file["url"].as_str().unwrap()
}

#[tokio::test]
async fn a_file_is_a_message_that_everybody_hears_of_and_fetches() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let mut socket = ben.watch(LOBBY).await;
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| ((n * 31) >> 3) as u8).collect();
    let form =
        Form::new()
            .text("content", "see this")
            .file("notes.bin", "application/x-notes", &bytes);
    let message = ann.form("POST", "rooms/1/files", &form).await.ok(201);
    assert_keys(&message, MESSAGE);
    assert_eq!(message["content"], "see this");
    let file = only_file(&message);
    assert_eq!(file["name"], "notes.bin");
    assert_eq!(file["media_type"], "application/x-notes");
    assert_eq!(file["size"], bytes.len());
    assert_eq!(file["width"], Value::Null);
    assert_eq!(socket.event("message").await["message"], message);
    assert_eq!(ben.history(LOBBY).await[0], message);

    let got = ben.get(url(&file)).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.body, bytes);
    assert_eq!(got.header("content-type"), "application/octet-stream");
    assert_eq!(got.header("content-length"), bytes.len().to_string());
    assert!(got.header("content-disposition").starts_with("attachment;"));
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    let policy = got.header("content-security-policy");
    assert_eq!(policy, "sandbox; default-src 'none'");
}

#[tokio::test]
async fn a_file_is_fetched_in_ranges_and_not_twice() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let bytes: Vec<u8> = (0..600_000_u32).map(|n| ((n * 7) >> 2) as u8).collect();
    let sent = ann.upload(LOBBY, "a.bin", "", &bytes).await.ok(201);
    let file = only_file(&sent);
    let whole = ann.get(url(&file)).await;
    let tag = whole.header("etag").to_owned();
    for (range, part) in [
        ("bytes=0-9", 0..10),
        ("bytes=262140-262150", 262_140..262_151),
        ("bytes=599990-", 599_990..600_000),
        ("bytes=-5", 599_995..600_000),
        ("bytes=100-600001", 100..600_000),
    ] {
        let got = (*ann).clone().with("range", range).get(url(&file)).await;
        assert_eq!(got.status, 206, "{range}");
        assert_eq!(got.body, bytes[part.clone()], "{range}");
        let told = format!("bytes {}-{}/600000", part.start, part.end - 1);
        assert_eq!(got.header("content-range"), told);
    }
    let outside = (*ann).clone().with("range", "bytes=600000-");
    let refused = outside.get(url(&file)).await;
    refused.refused(416, "bad_range");
    assert_eq!(refused.header("content-range"), "bytes */600000");
    let known = (*ann).clone().with("if-none-match", &tag);
    let got = known.get(url(&file)).await;
    assert_eq!(got.status, 304);
    assert!(got.body.is_empty());
    let other = (*ann).clone().with("range", "bytes=0-9");
    let got = other.with("if-range", "\"other\"").get(url(&file)).await;
    assert_eq!((got.status.as_u16(), got.body.len()), (200, bytes.len()));
    let head = ann.call("HEAD", url(&file), None).await;
    assert_eq!(head.header("content-length"), "600000");
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn a_picture_has_its_size_a_thumbnail_and_no_secrets() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (format, media_type) in [
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let bytes = picture(640, 480, format);
        // Neither name nor type say what it is: its bytes do.
        let sent = ann.upload(LOBBY, "x.html", "text/html", &bytes).await;
        let file = only_file(&sent.ok(201));
        assert_eq!(file["media_type"], media_type);
        assert_eq!(file["width"], 640);
        assert_eq!(file["height"], 480);
        let got = ann.get(url(&file)).await;
        assert_eq!(got.header("content-type"), media_type);
        assert!(got.header("content-disposition").starts_with("inline;"));
        let shown = image::load_from_memory(&got.body).unwrap();
        assert_eq!(shown, image::load_from_memory(&bytes).unwrap());
        let small = ann.get(file["thumbnail_url"].as_str().unwrap()).await;
        let small = image::load_from_memory(&small.body).unwrap();
        assert_eq!((small.width(), small.height()), (400, 300));
    }
}

#[tokio::test]
async fn a_message_needs_a_text_or_a_file() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let empty = json!({ "content": " " });
    ann.post("rooms/1/messages", empty).await.invalid("content");
    let form = Form::new().text("content", "no file");
    let sent = ann.form("POST", "rooms/1/files", &form).await;
    sent.invalid("file");
    let sent = ann.upload(LOBBY, "a", "", "").await.ok(201);
    assert_eq!(only_file(&sent)["size"], 0);
    let got = ann.get(url(&only_file(&sent))).await;
    assert_eq!((got.status.as_u16(), got.body.len()), (200, 0));
}
