//! Audio, video and animations: detected by content, cleaned of metadata, served to players in ranges.

use parlor::config::FileTypes;
use serde_json::{Value, json};

use crate::support::*;

const LOBBY: i64 = 1;
/// Value that ffmpeg wrote wherever these formats keep metadata.
const SECRET: &[u8] = b"50.1109";

macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../fixtures/media/", $name)).as_slice())),*]
    };
}

fn sample(name: &str) -> &'static [u8] {
    let all = samples![
        "clip.webm",
        "clip.mp4",
        "clip.mov",
        "clip.mkv",
        "sound.mp3",
        "sound.ogg",
        "sound.opus",
        "sound.m4a",
        "sound.flac",
        "sound.wav",
        "sound.aac",
        "moving.gif",
        "moving.webp",
        "moving.png",
        "still.avif",
    ];
    all.iter().find(|(known, _)| *known == name).unwrap().1
}

fn has(data: &[u8], needle: &[u8]) -> bool {
    data.windows(needle.len()).any(|part| part == needle)
}

#[tokio::test]
async fn recordings_are_detected_by_content_and_lose_their_metadata() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (name, kind, media_type, playable) in [
        ("clip.webm", "video", "video/webm", true),
        ("clip.mp4", "video", "video/mp4", true),
        ("clip.mov", "video", "video/quicktime", true),
        ("clip.mkv", "video", "video/x-matroska", false),
        ("sound.mp3", "audio", "audio/mpeg", true),
        ("sound.ogg", "audio", "audio/ogg", true),
        ("sound.opus", "audio", "audio/ogg", true),
        ("sound.m4a", "audio", "audio/mp4", true),
        ("sound.flac", "audio", "audio/flac", true),
        ("sound.wav", "audio", "audio/wav", true),
        ("sound.aac", "audio", "audio/aac", true),
    ] {
        let bytes = sample(name);
        assert!(has(bytes, SECRET), "{name}");
        // Neither the name nor the declared type tells the format.
        let sent = ann.upload(LOBBY, "x.html", "text/html", bytes).await;
        let file = only_file(&sent.ok(201));
        assert_eq!(
            (&file["kind"], &file["media_type"]),
            (&json!(kind), &json!(media_type))
        );
        assert_eq!(
            (&file["cleaned"], &file["playable"]),
            (&json!(true), &json!(playable))
        );
        let duration = file["duration"].as_u64().unwrap();
        assert!((1_100..1_400).contains(&duration), "{name} {duration}");
        let size = (kind == "video").then_some((64, 48));
        assert_eq!(file["width"], json!(size.map(|size| size.0)), "{name}");
        assert_eq!(file["height"], json!(size.map(|size| size.1)), "{name}");
        let got = ann.get(url(&file)).await;
        assert!(!has(&got.body, SECRET), "{name}");
        assert_eq!(got.header("content-type"), media_type);
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert!(got.header("content-disposition").starts_with("attachment;"));
        assert_eq!(got.header("accept-ranges"), "bytes");
        let part = (*ann)
            .clone()
            .with("range", "bytes=0-")
            .get(url(&file))
            .await;
        assert_eq!(
            (part.status.as_u16(), &part.body),
            (206, &got.body),
            "{name}"
        );
    }
}

#[tokio::test]
async fn animations_have_a_still_thumbnail_and_are_marked_animated() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for name in ["moving.gif", "moving.webp", "moving.png"] {
        let sent = ann.upload(LOBBY, name, "", sample(name)).await.ok(201);
        let file = only_file(&sent);
        assert_eq!(file["kind"], "picture");
        assert_eq!(
            (&file["animated"], &file["playable"]),
            (&json!(true), &json!(true)),
            "{name}"
        );
        let small = ann.get(file["thumbnail_url"].as_str().unwrap()).await;
        assert!(matches!(
            small.header("content-type"),
            "image/jpeg" | "image/png"
        ));
        let got = ann.get(url(&file)).await;
        assert!(got.header("content-disposition").starts_with("inline;"));
    }
    let still = picture(30, 20, image::ImageFormat::Gif);
    let file = only_file(&ann.upload(LOBBY, "a.gif", "", &still).await.ok(201));
    assert_eq!(
        (&file["animated"], &file["playable"]),
        (&json!(false), &json!(false))
    );
    // An animation that would keep a browser busy is not playable.
    let frames = sample("moving.gif");
    let (head, rest) = frames.split_at(
        frames
            .windows(2)
            .position(|two| two == b"\x21\xf9")
            .unwrap(),
    );
    let many = [head, &rest[..rest.len() - 1].repeat(4_000), b";"].concat();
    let file = only_file(&ann.upload(LOBBY, "b.gif", "", &many).await.ok(201));
    assert_eq!(
        (&file["animated"], &file["playable"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn avif_images_are_detected_and_cleaned() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let sent = ann.upload(LOBBY, "a.avif", "", sample("still.avif")).await;
    let file = only_file(&sent.ok(201));
    assert_eq!(
        (&file["kind"], &file["media_type"]),
        (&json!("picture"), &json!("image/avif"))
    );
    assert_eq!(
        (&file["width"], &file["cleaned"]),
        (&json!(64), &json!(true))
    );
    let got = ann.get(url(&file)).await;
    assert_eq!(got.header("content-type"), "image/avif");
    assert!(got.header("content-disposition").starts_with("inline;"));
}

#[tokio::test]
async fn files_that_are_not_cleaned_are_marked() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (name, declared, media_type) in [
        ("a.pdf", "text/plain", "application/pdf"),
        ("a.bin", "application/zip", "application/zip"),
        ("a.txt", "text/plain", "text/plain"),
    ] {
        let bytes = if name == "a.pdf" { "%PDF-1.7 x" } else { "x" };
        let file = only_file(&ann.upload(LOBBY, name, declared, bytes).await.ok(201));
        assert_eq!(
            (&file["cleaned"], &file["media_type"]),
            (&json!(false), &json!(media_type))
        );
        assert_eq!(
            (&file["kind"], &file["duration"]),
            (&json!("other"), &Value::Null)
        );
    }
    let page = ann.get("files").await.ok(200);
    assert_eq!(page["items"][0]["cleaned"], false);
}

#[tokio::test]
async fn allowed_file_types_are_checked_by_content() {
    let server = TestServer::start_with(|config| {
        config.files.types = FileTypes::Only(vec!["audio/*".to_owned()]);
    })
    .await;
    let ann = server.user("ann").await;
    let sound = sample("sound.mp3");
    ann.upload(LOBBY, "a", "image/png", sound).await.ok(201);
    let film = sample("clip.mp4");
    ann.upload(LOBBY, "a.mp3", "audio/mpeg", film)
        .await
        .invalid("file");
    until("nothing else is kept", || server.count("files") == 1).await;
}

/// Players ask for ranges; people who may not read the message get none.
#[tokio::test]
async fn media_ranges_are_served_to_readers_only() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let room = ann.private_room("Attic").await;
    let sent = ann.upload(room, "a.webm", "", sample("clip.webm")).await;
    let file = only_file(&sent.ok(201));
    let range = |who: &Persona, range: &str| (**who).clone().with("range", range);
    let size = file["size"].as_u64().unwrap();
    for (asked, told) in [
        ("bytes=0-1", format!("bytes 0-1/{size}")),
        (
            "bytes=-2",
            format!("bytes {}-{}/{size}", size - 2, size - 1),
        ),
        ("bytes=10-", format!("bytes 10-{}/{size}", size - 1)),
    ] {
        let got = range(&ann, asked).get(url(&file)).await;
        assert_eq!(
            (got.status.as_u16(), got.header("content-range")),
            (206, &*told)
        );
        assert_eq!(got.header("content-type"), "video/webm");
        let head = range(&ann, asked).call("HEAD", url(&file), None).await;
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), got.body.len().to_string());
        range(&ben, asked)
            .get(url(&file))
            .await
            .refused(404, "not_found");
    }
    let tag = ann.get(url(&file)).await.header("etag").to_owned();
    let same = range(&ann, "bytes=0-1").with("if-range", &tag);
    assert_eq!(same.get(url(&file)).await.status, 206);
    let beyond = range(&ann, &format!("bytes={size}-")).get(url(&file)).await;
    beyond.refused(416, "bad_range");
}
