//! Files: upload, download, and headers that keep browsers from rendering untrusted content.

use image::ImageFormat;
use parlor::config::{ByteSize, FileTypes};
use serde_json::{Value, json};

use crate::support::*;

const LOBBY: i64 = 1;

#[tokio::test]
async fn a_file_is_sent_as_a_message_and_downloaded_as_attachment() {
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
async fn downloads_support_ranges_and_etags() {
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
async fn images_are_detected_by_content_and_get_a_thumbnail() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (format, media_type) in [
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let bytes = picture(500, 25, format);
        // The media type comes from the content, not from the name or the declared type.
        let sent = ann.upload(LOBBY, "x.html", "text/html", &bytes).await;
        let file = only_file(&sent.ok(201));
        assert_eq!(file["media_type"], media_type);
        assert_eq!((&file["width"], &file["height"]), (&json!(500), &json!(25)));
        let got = ann.get(url(&file)).await;
        assert_eq!(got.header("content-type"), media_type);
        assert!(got.header("content-disposition").starts_with("inline;"));
        let shown = image::load_from_memory(&got.body).unwrap();
        assert_eq!(shown, image::load_from_memory(&bytes).unwrap());
        let small = ann.get(file["thumbnail_url"].as_str().unwrap()).await;
        let small = image::load_from_memory(&small.body).unwrap();
        assert_eq!((small.width(), small.height()), (400, 20));
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

#[tokio::test]
async fn one_form_sends_several_files_in_one_message() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let first = ann.say(LOBBY, "first").await;
    let uuid = "0193f5a0-0000-7000-8000-000000000001";
    let form = Form::new()
        .file("b.txt", "text/plain; charset=utf-8", "b")
        .text("reply_to", &first["id"].to_string())
        .text("uuid", uuid)
        .file("a.txt", "text/plain", "a")
        .text("unknown", "ignored");
    let sent = ann.form("POST", "rooms/1/files", &form).await.ok(201);
    assert_eq!(sent["reply_to"], first["id"]);
    assert_eq!(sent["uuid"], uuid);
    assert_eq!(sent["content"], "");
    let files = sent["files"].as_array().unwrap();
    assert_eq!(each(files, "name"), ["b.txt", "a.txt"]);
    assert_eq!(each(files, "media_type"), ["text/plain", "text/plain"]);
    // Resending the same uuid creates no second message and keeps no second copy of the files.
    let again = ann.form("POST", "rooms/1/files", &form).await.ok(200);
    assert_eq!(again, sent);
    until("the copies are gone", || server.count("files") == 2).await;
    for (file, text) in files.iter().zip(["b", "a"]) {
        assert_eq!(ann.get(url(file)).await.body, text);
    }
}

#[tokio::test]
async fn only_messages_with_files_may_have_empty_text() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let form = Form::new().text("content", "look").file("a", "", "a");
    let sent = ann.form("POST", "rooms/1/files", &form).await.ok(201);
    let path = format!("messages/{}", sent["id"]);
    let bare = ann.patch(&path, json!({ "content": "" })).await.ok(200);
    assert_eq!(
        (&bare["content"], &bare["files"]),
        (&json!(""), &sent["files"])
    );
    let path = format!("messages/{}", ann.say(LOBBY, "words").await["id"]);
    let refused = ann.patch(&path, json!({ "content": "" })).await;
    refused.invalid("content");
}

#[tokio::test]
async fn files_over_the_size_type_or_quota_limits_are_refused() {
    let server = TestServer::start_with(|config| {
        config.files.max_size = ByteSize(1_000_000);
        config.files.quota_per_user = Some(ByteSize(1_500_000));
        config.files.types = FileTypes::Only(vec!["image/*".into(), "text/plain".into()]);
    })
    .await;
    let ann = server.user("ann").await;
    let big = vec![b'x'; 1_000_001];
    let sent = ann.upload(LOBBY, "big.txt", "text/plain", &big).await;
    sent.refused(413, "too_large");
    let sent = ann
        .upload(LOBBY, "huge.txt", "text/plain", vec![b'x'; 12_000_000])
        .await;
    sent.refused(413, "too_large");
    for (name, media_type) in [
        ("a.pdf", "application/pdf"),
        ("a.png", "image/png"),
        ("a", ""),
    ] {
        let sent = ann.upload(LOBBY, name, media_type, &big[..500_000]).await;
        sent.invalid("file");
    }
    let small = picture(10, 10, ImageFormat::Png);
    ann.upload(LOBBY, "a.pdf", "application/pdf", &small)
        .await
        .ok(201);
    let sent = ann
        .upload(LOBBY, "a.txt", "text/plain", &big[..1_000_000])
        .await;
    let kept = sent.ok(201);
    let sent = ann
        .upload(LOBBY, "b.txt", "text/plain", &big[..500_000])
        .await;
    sent.refused(403, "quota");
    until("only two files are kept", || server.count("files") == 2).await;
    let ben = server.user("ben").await;
    ben.upload(LOBBY, "b.txt", "text/plain", &big[..500_000])
        .await
        .ok(201);
    // Deleting a file frees quota.
    ann.delete(&format!("messages/{}", kept["id"]))
        .await
        .ok(200);
    ann.upload(LOBBY, "b.txt", "text/plain", &big[..500_000])
        .await
        .ok(201);
    let many = (0..11).fold(Form::new(), |form, _| form.file("a", "text/plain", "a"));
    ann.form("POST", "rooms/1/files", &many)
        .await
        .invalid("file");
}

#[tokio::test]
async fn malformed_forms_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let path = "rooms/1/files";
    ann.post(path, json!({})).await.refused(415, "media_type");
    let boundless = Some("multipart/form-data");
    let sent = ann.send("POST", path, boundless, "x").await;
    sent.refused(415, "media_type");
    let kind = Form::content_type();
    let headers = "--parlor-test-boundary\r\nx: y";
    for body in ["", "x", headers, "--parlor-test-boundary--\r\n"] {
        let sent = ann.send("POST", path, Some(&kind), body).await;
        assert!(matches!(sent.status.as_u16(), 400 | 422), "{sent}");
    }
    // Part headers without an end are not buffered without limit.
    let endless = format!("--parlor-test-boundary\r\nx: {}", "y".repeat(3_000_000));
    ann.send("POST", path, Some(&kind), endless)
        .await
        .refused(400, "bad_json");
    for (field, value) in [
        ("uuid", "no"),
        ("reply_to", "x"),
        ("content", &"x".repeat(4001)),
    ] {
        let form = Form::new().file("a", "", "a").text(field, value);
        let sent = ann.form("POST", path, &form).await;
        assert!(matches!(sent.status.as_u16(), 400 | 422), "{sent}");
    }
    until("nothing is kept", || server.count("files") == 0).await;
}

#[tokio::test]
async fn avatars_and_room_pictures_are_files() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let room = ann.private_room("Kitchen").await;
    let mut socket = ben.watch(LOBBY).await;
    let form = Form::new().file("me.png", "image/png", picture(60, 40, ImageFormat::Png));
    let me = ann.form("PUT", "me/avatar", &form).await.ok(200);
    assert_keys(&me, ME);
    let changed = socket.event("member_changed").await;
    assert_eq!(changed["member"]["person"]["avatar_url"], me["avatar_url"]);
    // The URL of an avatar carries a pass for everybody, so that every client can show it.
    let face = server
        .anybody()
        .get(me["avatar_url"].as_str().unwrap())
        .await;
    let face = image::load_from_memory(&face.body).unwrap();
    assert_eq!((face.width(), face.height()), (40, 40));
    let path = me["avatar_url"]
        .as_str()
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    assert_eq!(ben.get(path).await.status, 200);
    server
        .anybody()
        .get(path)
        .await
        .refused(401, "unauthenticated");

    let path = format!("rooms/{room}/picture");
    let shown = ann.form("PUT", &path, &form).await.ok(200);
    assert_keys(&shown, ROOM);
    let picture = shown["picture_url"].as_str().unwrap();
    assert_eq!(ann.get(picture).await.status, 200);
    ben.get(picture).await.refused(404, "not_found");
    ben.form("PUT", &path, &form)
        .await
        .refused(404, "not_found");
    assert_eq!(ann.overview(room).await.unwrap()["picture_url"], picture);
    let bare = ann.delete(&path).await.ok(200);
    assert_eq!(bare["picture_url"], Value::Null);
    ann.get(picture).await.refused(404, "not_found");

    let none = Form::new().file("me.png", "image/png", "no picture");
    ann.form("PUT", "me/avatar", &none).await.invalid("file");
    let me = ann.delete("me/avatar").await.ok(200);
    assert_eq!(me["avatar_url"], Value::Null);
    // Old files that nothing shows any more are removed at startup.
    server.edit_file("UPDATE files SET touched_at = 0");
    let server = server.restart().await;
    until("nothing is left", || server.count("files") == 0).await;
}

#[tokio::test]
async fn files_keep_their_names() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (sent, name) in [
        ("my %22best%22 photo.txt", "my \"best\" photo.txt"),
        ("an \\\"old\\\" form.txt", "an \"old\" form.txt"),
        ("100 %25 sure.txt", "100 %25 sure.txt"),
        ("می\u{200c}خواهم.txt", "می\u{200c}خواهم.txt"),
        ("👩\u{200d}🚀.txt", "👩\u{200d}🚀.txt"),
        ("ශ්\u{200d}රී.txt", "ශ්\u{200d}රී.txt"),
        ("a%0D%0Ab.txt", "ab.txt"),
    ] {
        let form = Form::new().file(sent, "text/plain", "text");
        let said = ann.form("POST", "rooms/1/files", &form).await.ok(201);
        let file = only_file(&said);
        assert_eq!(file["name"], name);
        let fetched = ann.get(url(&file)).await;
        let header = fetched.headers["content-disposition"]
            .to_str()
            .unwrap()
            .to_owned();
        let exact = header.split("UTF-8''").nth(1).unwrap();
        let exact = percent_encoding::percent_decode_str(exact).decode_utf8();
        assert_eq!(exact.unwrap(), name);
        let found = ann.get("search?q=has:file").await.ok(200);
        assert_eq!(only_file(&found["items"][0]["message"])["name"], name);
    }
}
