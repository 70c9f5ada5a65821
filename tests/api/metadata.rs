//! Removal of metadata: stored files contain none, whatever the format and the protocol.

use image::ImageFormat;

use crate::support::*;

#[allow(dead_code)]
#[path = "../../src/chat/files/strip_metadata/containers/mod.rs"]
mod containers;

use containers::{Container, MEDIA, SECRET, containers, has, png_chunk};

const LOBBY: i64 = 1;
/// Extensions of the formats that consist of boxes.
const BOXES: [&str; 6] = ["heic", "avif", "mp4", "mov", "jxl", "jp2"];

#[tokio::test]
async fn metadata_is_removed_from_every_format() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for Container {
        name,
        bytes,
        in_place,
    } in containers()
    {
        let sent = ann.upload(LOBBY, name, "video/mp4", &bytes).await.ok(201);
        let file = only_file(&sent);
        let got = ann.get(url(&file)).await;
        assert_eq!(got.status, 200, "{name}");
        assert!(!has(&got.body, SECRET), "{name}");
        assert_eq!(file["size"], got.body.len(), "{name}");
        assert_eq!(file["cleaned"], true, "{name}");
        assert_eq!(has(&got.body, MEDIA), in_place, "{name}");
        assert!(!in_place || got.body.len() == bytes.len(), "{name}");
    }
}

/// Files of this size are not held in memory.
#[tokio::test]
async fn files_of_many_chunks_are_cleaned() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for Container {
        name,
        bytes,
        in_place,
    } in containers()
    {
        if !in_place || !BOXES.iter().any(|end| name.ends_with(end)) {
            continue;
        }
        // Appends two large boxes.
        let first = usize::from(bytes[3]);
        let padding = [&2_000_000_u32.to_be_bytes()[..], b"mdat", &[7; 1_999_992]].concat();
        let bytes = [&bytes[..first], &bytes[first..], &padding, &padding].concat();
        let sent = ann.upload(LOBBY, name, "", &bytes).await.ok(201);
        let got = ann.get(url(&only_file(&sent))).await;
        assert!(!has(&got.body, SECRET) && has(&got.body, MEDIA), "{name}");
        assert_eq!(got.body.len(), bytes.len(), "{name}");
        assert!(got.body.ends_with(&padding), "{name}");
    }
    // The originals are removed.
    until("only the cleaned ones are kept", || {
        server.count("files") == 6
    })
    .await;
}

#[tokio::test]
async fn images_with_too_many_pixels_are_cleaned() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut large = picture(20, 20, ImageFormat::Png);
    large[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    large.splice(33..33, png_chunk(b"tEXt", SECRET));
    let sent = ann.upload(LOBBY, "large.png", "image/png", &large).await;
    let file = only_file(&sent.ok(201));
    assert!(file["width"].is_null() && file["thumbnail_url"].is_null());
    let got = ann.get(url(&file)).await;
    assert!(!has(&got.body, SECRET));
    assert_eq!(got.header("content-type"), "application/octet-stream");
}

#[tokio::test]
async fn uploads_of_other_protocols_are_cleaned() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let photo = containers().remove(0).bytes;
    let form = Form::new().file("photo.jpg", "image/jpeg", &photo);
    let up = ann.form("POST", "/api/files/upload", &form).await.ok(201);
    let base = format!("http://{}", server.address);
    let path = up["file_url"]
        .as_str()
        .unwrap()
        .strip_prefix(&base)
        .unwrap();
    assert!(!has(&ann.get(path).await.body, SECRET));
    let form = Form::new().file_in("files", "photo.jpg", "image/jpeg", &photo);
    ann.form("POST", "/v1/upload-files/", &form).await.ok(200);
    let message = &ann.history(LOBBY).await[0];
    assert!(!has(&ann.get(url(&only_file(message))).await.body, SECRET));
}

#[tokio::test]
async fn damaged_images_are_refused_with_a_helpful_text() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for Container { name, bytes, .. } in containers() {
        // Truncated files of the other formats can be shown or played up to their end, so they are accepted.
        let is_strict = |end: &&str| name.ends_with(*end);
        if !BOXES.iter().chain(&["webp", "tiff"]).any(is_strict) {
            continue;
        }
        let half = &bytes[..bytes.len() / 3];
        let sent = ann.upload(LOBBY, name, "", half).await;
        sent.invalid("file");
        let told = String::from_utf8_lossy(&sent.body).into_owned();
        assert!(told.contains("archive"), "{told}");
    }
    let head = b"\xff\xd8\xff\xe0 no picture";
    let form = Form::new().file("a.jpg", "image/jpeg", head);
    let sent = ann.form("POST", "/api/files/upload", &form).await;
    assert_eq!(sent.status, 400, "{sent}");
    let form = Form::new().file_in("files", "a.jpg", "image/jpeg", head);
    let sent = ann.form("POST", "/v1/upload-files/", &form).await;
    assert!(sent.status.is_client_error(), "{sent}");
    until("nothing is kept", || server.count("files") == 0).await;
}
