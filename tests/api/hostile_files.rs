//! Files with active content: stored or refused, never rendered, and never fatal to the server.

use image::ImageFormat;
use serde_json::Value;

use crate::support::*;

const LOBBY: i64 = 1;

/// Uploads and downloads a file; returns its metadata and the download.
async fn there_and_back(by: &Persona, name: &str, kind: &str, bytes: &[u8]) -> (Value, Reply) {
    let sent = by.upload(LOBBY, name, kind, bytes).await.ok(201);
    let file = only_file(&sent);
    let got = by.get(url(&file)).await;
    assert_eq!(got.status, 200, "{name}");
    (file, got)
}

/// Asserts that no browser executes this response, whatever its content.
fn assert_inert(got: &Reply) {
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    let policy = got.header("content-security-policy");
    assert_eq!(policy, "sandbox; default-src 'none'");
    let kind = got.header("content-type");
    let is_picture = ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(&kind);
    let shown = got.header("content-disposition").starts_with("inline");
    assert_eq!(shown, is_picture, "{kind}");
    for active in ["html", "svg", "xml", "script"] {
        assert!(!kind.contains(active), "{kind}");
    }
}

#[tokio::test]
async fn active_content_is_stored_and_served_as_attachment() {
    const PAGE: &[u8] = b"<!doctype html><script>alert(1)</script>";
    const DRAWING: &[u8] =
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>";
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (name, kind, bytes) in [
        ("a.html", "text/html", PAGE),
        ("a.png", "image/png", PAGE),
        ("a.jpg", "text/html", PAGE),
        ("a.svg", "image/svg+xml", DRAWING),
        ("a.gif", "image/svg+xml", DRAWING),
        ("a.xhtml", "application/xhtml+xml", PAGE),
        ("a.xml", "text/xml", DRAWING),
        ("a.js", "text/javascript", b"alert(1)"),
        ("a.mhtml", "multipart/related", PAGE),
        ("a", "text/html; charset=utf-7", PAGE),
        ("a.pdf", "application/pdf", b"%PDF-1.7 <script>"),
    ] {
        let (file, got) = there_and_back(&ann, name, kind, bytes).await;
        assert_eq!(got.body, bytes, "{name}");
        assert_eq!(file["width"], Value::Null, "{name}");
        assert_eq!(file["thumbnail_url"], Value::Null, "{name}");
        assert_inert(&got);
        assert!(
            got.header("content-disposition").starts_with("attachment"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn data_hidden_in_images_is_removed_or_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let page = b"<script>alert(document.domain)</script>";
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ] {
        // Behind the end of the image, where archives and pages are hidden.
        let behind = [picture(30, 20, format).as_slice(), page].concat();
        let (file, got) = there_and_back(&ann, "a.html", "text/html", &behind).await;
        assert_eq!(file["media_type"], format.to_mime_type());
        assert_inert(&got);
        assert!(!got.body.windows(page.len()).any(|part| part == page));
    }
    // A page that begins with the signature of an image is refused.
    for head in [
        b"GIF89a".as_slice(),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
    ] {
        let bytes = [head, b"=1;", page].concat();
        let sent = ann.upload(LOBBY, "a.gif", "image/gif", &bytes).await;
        sent.invalid("file");
    }
}

#[tokio::test]
async fn images_with_too_many_pixels_are_stored_as_plain_files() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (format, place, size) in [
        (ImageFormat::Png, 16, [0, 1, 0, 0, 0, 1, 0, 0].as_slice()),
        (ImageFormat::Gif, 6, &[0xff; 4]),
    ] {
        let mut bomb = picture(20, 20, format);
        bomb[place..place + size.len()].copy_from_slice(size);
        let (file, got) = there_and_back(&ann, "bomb.png", "image/png", &bomb).await;
        assert_eq!(file["width"], Value::Null);
        assert_eq!(got.body, bomb);
        assert_inert(&got);
    }
    // A valid image of 64,000,000 pixels.
    let (file, got) = there_and_back(&ann, "white.png", "image/png", &white_png(8_000)).await;
    assert_eq!(file["width"], Value::Null);
    assert_inert(&got);
    // The server still works.
    ann.say(LOBBY, "still here").await;
}

/// Builds a square PNG in one color, with one bit per pixel.
fn white_png(side: u32) -> Vec<u8> {
    let rows = vec![0_u8; (side as usize).div_ceil(8) + 1].repeat(side as usize);
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([1, 0, 0, 0, 0]);
    let packed = deflate_stored(&rows);
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &packed),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [name.as_slice(), data].concat();
    let sum = body.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    });
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &body, &(!sum).to_be_bytes()].concat()
}

/// Builds a zlib stream of stored blocks, without compression.
fn deflate_stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = data.chunks(0xffff);
    let last = blocks.len() - 1;
    for (n, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(n == last));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

#[tokio::test]
async fn file_names_cannot_escape_their_path_or_header() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (name, expected) in [
        ("../../../etc/passwd", "passwd"),
        ("..\\\\..\\\\boot.ini", "boot.ini"),
        ("/etc/shadow", "shadow"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("x; filename=evil.html", "x; filename=evil.html"),
        ("gpj\u{202e}exe.txt", "gpjexe.txt"),
        ("quo\\\"te.txt", "quo\"te.txt"),
        ("100%2e%2e.txt", "100%2e%2e.txt"),
        ("日本語 ü.txt", "日本語 ü.txt"),
    ] {
        let (file, got) = there_and_back(&ann, name, "text/plain", b"x").await;
        assert_eq!(file["name"], expected, "{name}");
        assert!(
            url(&file).is_ascii() && !url(&file).contains(".."),
            "{file}"
        );
        let told = got.header("content-disposition");
        assert_eq!(told.matches('"').count(), 2, "{told}");
        assert!(
            told.starts_with("attachment; filename=\"") && told.is_ascii(),
            "{told}"
        );
    }
    let control = ann.upload(LOBBY, "a\u{1}b.txt", "text/plain", b"x").await;
    control.refused(400, "bad_json");
    let long = format!("{}.txt", "x".repeat(5000));
    let (file, _) = there_and_back(&ann, &long, "text/plain", b"x").await;
    assert!(file["name"].as_str().unwrap().len() <= 240);
}
