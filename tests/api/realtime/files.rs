//! Files of messages: links to other services and own uploads.

use image::ImageFormat;

use super::*;

const URL: &str = "https://files.example.com/a.pdf";

fn pdf() -> Value {
    json!({"filename": "a.pdf", "file_url": URL, "file_size": 1000})
}

fn with(body: &Value, key: &str, value: impl Into<Value>) -> Value {
    let mut body = body.clone();
    body[key] = value.into();
    body
}

async fn create(who: &Guy, body: Value) -> Reply {
    who.http.post("/api/files/", body).await
}

#[tokio::test]
async fn files_are_added_to_public_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let message = id(&ann.say("look").await);
    let file = create(&ann, with(&pdf(), "public_message_id", message))
        .await
        .ok(201);
    keys(&file, FILE);
    assert_eq!(file["uploader"], json!({"id": ann.id, "username": "ann"}));
    let flat = json!([
        file["filename"],
        file["file_url"],
        file["file_size"],
        file["file_type"],
        file["uploader_id"]
    ]);
    assert_eq!(flat, json!(["a.pdf", URL, 1000, "application/pdf", ann.id]));
    let place = json!([
        file["public_message_id"],
        file["private_message_id"],
        file["private_chat_id"]
    ]);
    assert_eq!(place, json!([message, null, null]));

    let newer = with(
        &with(&pdf(), "public_message_id", message),
        "filename",
        "B.WEBP",
    );
    let newer = create(&ann, newer).await.ok(201);
    assert_eq!(newer["file_type"], "image/webp");
    assert_eq!(
        ann.http.get("/api/files/").await.ok(200),
        json!([newer, file])
    );
    assert_eq!(bob.http.get("/api/files").await.ok(200), json!([]));
    let of_message = bob
        .http
        .get(&format!("/api/files/public/{message}"))
        .await
        .ok(200);
    assert_eq!(of_message, json!({"files": [newer, file]}));
    refused(
        &bob.http.get("/api/files/public/999999").await,
        404,
        "Message not found",
    );
    let shown = bob.http.get("/api/messages").await.ok(200)["messages"][0].clone();
    keys(&shown, &format!("{PUBLIC} file"));
    assert_eq!(
        (&shown["files"], &shown["file"]),
        (&json!([file, newer]), &file)
    );

    let path = format!("/api/files/{}", file["id"]);
    assert_eq!(ann.http.get(&path).await.ok(200), json!({"file": file}));
    refused(&bob.http.get(&path).await, 403, "Access denied");
    refused(&bob.http.delete(&path).await, 403, "Access denied");
    refused(&ann.http.get("/api/files/999").await, 404, "File not found");
    refused(
        &ann.http.delete("/api/files/999").await,
        404,
        "File not found",
    );
    assert_eq!(
        ann.http.delete(&path).await.ok(200),
        json!({"message": "File deleted"})
    );
    refused(&ann.http.delete(&path).await, 404, "File not found");
    let left = bob.http.get("/api/messages").await.ok(200)["messages"][0]["files"].clone();
    assert_eq!(left, json!([newer]));
}

#[tokio::test]
async fn files_of_a_private_chat_are_visible_to_its_two_people() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        guy(&server, "ann").await,
        guy(&server, "bob").await,
        guy(&server, "eve").await,
    );
    let chat = ann.write(&bob, "psst").await["chat_id"].as_i64().unwrap();
    let file = create(&ann, with(&pdf(), "private_chat_id", chat))
        .await
        .ok(201);
    keys(&file, FILE);
    assert_eq!(
        (&file["public_message_id"], &file["private_chat_id"]),
        (&Value::Null, &json!(chat))
    );
    let path = format!("/api/files/private/{chat}");
    for one in [&ann, &bob] {
        assert_eq!(one.http.get(&path).await.ok(200), json!({"files": [file]}));
    }
    refused(&eve.http.get(&path).await, 404, "Chat not found");
    refused(
        &eve.http.get("/api/files/private/1").await,
        404,
        "Chat not found",
    );
    refused(
        &create(&eve, with(&pdf(), "private_chat_id", chat)).await,
        400,
        "Invalid private chat",
    );
    let one = format!("/api/files/{}", file["id"]);
    refused(&eve.http.get(&one).await, 404, "File not found");
    refused(&bob.http.get(&one).await, 403, "Access denied");
    let list = bob
        .http
        .get(&format!("/api/messages/private/{}", ann.id))
        .await
        .ok(200);
    let last = &list["messages"][1];
    keys(last, &format!("{PRIVATE} file"));
    assert_eq!((&last["content"], &last["file"]), (&json!(""), &file));
    // The message consisted of this file only and is deleted with it.
    ann.http.delete(&one).await.ok(200);
    let list = bob
        .http
        .get(&format!("/api/messages/private/{}", ann.id))
        .await
        .ok(200);
    assert_eq!(list["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn files_are_validated_like_in_the_original_api() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let message = id(&ann.say("look").await);
    let good = with(&pdf(), "public_message_id", message);
    let rows = [
        (
            "filename",
            json!("a.exe"),
            "Invalid file type. Allowed: PDF, DOC, DOCX, JPG, JPEG, PNG, GIF, BMP, TIFF, WEBP",
        ),
        (
            "filename",
            json!("pdf"),
            "Invalid file type. Allowed: PDF, DOC, DOCX, JPG, JPEG, PNG, GIF, BMP, TIFF, WEBP",
        ),
        (
            "filename",
            Value::Null,
            "Missing required fields: filename, file_url, file_size",
        ),
        (
            "file_url",
            json!(""),
            "Missing required fields: filename, file_url, file_size",
        ),
        (
            "file_size",
            Value::Null,
            "Missing required fields: filename, file_url, file_size",
        ),
        (
            "file_size",
            json!(5 * 1024 * 1024 + 1),
            "File size exceeds 5MB limit",
        ),
        ("file_size", json!(-1), "Invalid file size"),
        ("file_url", json!("javascript:alert(1)"), "Invalid file URL"),
        ("file_url", json!("/etc/a.pdf"), "Invalid file URL"),
        ("file_url", json!("/files/999/a.pdf"), "Invalid file URL"),
        (
            "private_chat_id",
            json!(1),
            "Exactly one association required: public_message_id or private_chat_id",
        ),
        (
            "public_message_id",
            Value::Null,
            "Exactly one association required: public_message_id or private_chat_id",
        ),
        (
            "public_message_id",
            json!(999_999),
            "Invalid public message",
        ),
    ];
    for (key, value, text) in rows {
        refused(&create(&ann, with(&good, key, value)).await, 400, text);
    }
    refused(
        &create(&bob, good.clone()).await,
        400,
        "Invalid public message",
    );
    let private = id(&ann.write(&bob, "psst").await);
    refused(
        &create(&ann, with(&good, "public_message_id", private)).await,
        400,
        "Invalid public message",
    );
    create(&ann, with(&good, "file_size", 5 * 1024 * 1024))
        .await
        .ok(201);
    for (ending, media_type) in [
        ("pdf", "application/pdf"),
        ("doc", "application/msword"),
        (
            "docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("JPG", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("Gif", "image/gif"),
        ("bmp", "image/bmp"),
        ("tiff", "image/tiff"),
        ("webp", "image/webp"),
    ] {
        let message = id(&ann.say("look").await);
        let body = with(&good, "filename", format!("a.{ending}"));
        let file = create(&ann, with(&body, "public_message_id", message)).await;
        assert_eq!(file.ok(201)["file_type"], media_type, "{ending}");
    }
    let gus = server.guest("gus").await;
    let hers = id(&gus.say(1, "hi").await);
    let reply = gus
        .post("/api/files/", with(&good, "public_message_id", hers))
        .await;
    refused(&reply, 403, "you may not do that");
}

#[tokio::test]
async fn an_upload_is_attached_to_a_message_by_its_url() {
    let server = TestServer::start().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let bytes = picture(20, 10, ImageFormat::Png);
    let form = Form::new().file("cat.png", "image/png", &bytes);
    let up = ann
        .http
        .form("POST", "/api/files/upload", &form)
        .await
        .ok(201);
    keys(&up, "message file_url filename file_size file_type");
    assert_eq!(
        json!([up["message"], up["filename"], up["file_type"]]),
        json!(["File uploaded", "cat.png", "image/png"])
    );
    let url = up["file_url"].as_str().unwrap();
    let base = format!("http://{}", server.address);
    let path = url.strip_prefix(&base).unwrap();
    assert!(
        path.starts_with("/files/") && path.contains("?k="),
        "{path}"
    );

    let message = id(&ann.say("look").await);
    let body = json!({"filename": "cat.png", "file_url": url, "file_size": up["file_size"], "public_message_id": message});
    // An upload of another person is refused.
    let hers = with(&body, "public_message_id", id(&bob.say("mine").await));
    refused(&create(&bob, hers).await, 400, "Invalid file URL");
    let file = create(&ann, body.clone()).await.ok(201);
    assert_eq!(file["file_size"], up["file_size"]);
    let shown = file["file_url"]
        .as_str()
        .unwrap()
        .strip_prefix(&base)
        .unwrap()
        .to_owned();
    let fetched = server.anybody().get(&shown).await;
    assert_eq!(
        (fetched.status.as_u16(), fetched.header("content-type")),
        (200, "image/png")
    );
    assert!(!fetched.body.is_empty());
    assert_eq!(ann.http.get("/api/files").await.ok(200), json!([file]));
    // The native API shows the same file.
    let cem = server.user("cem").await;
    let native = cem.get(&format!("messages/{message}")).await.ok(200);
    assert_eq!(only_file(&native)["id"], file["id"]);

    ann.http
        .delete(&format!("/api/files/{}", file["id"]))
        .await
        .ok(200);
    assert_eq!(server.anybody().get(&shown).await.status, 401);
}

#[tokio::test]
async fn uploads_are_validated_like_files() {
    let server = TestServer::start().await;
    let (ann, gus) = (guy(&server, "ann").await, server.guest("gus").await);
    let path = "/api/files/upload";
    let form = Form::new().file("a.exe", "application/pdf", "x");
    let reply = ann.http.form("POST", path, &form).await;
    assert!(
        reply.ok(400)["message"]
            .as_str()
            .unwrap()
            .starts_with("Invalid file type"),
        "{reply}"
    );
    let form = Form::new().text("file", "x");
    refused(
        &ann.http.form("POST", path, &form).await,
        400,
        "Missing required field: file",
    );
    let form = Form::new().file("a.pdf", "application/pdf", vec![7; 5 * 1024 * 1024 + 1]);
    ann.http.form("POST", path, &form).await.ok(413);
    let form = Form::new().file("a.pdf", "application/pdf", "x");
    refused(
        &gus.form("POST", path, &form).await,
        403,
        "you may not do that",
    );
    ann.http.post(path, json!({})).await.ok(415);
    let whole = Form::new().file("a.pdf", "application/pdf", vec![7; 5 * 1024 * 1024]);
    assert_eq!(
        ann.http.form("POST", path, &whole).await.ok(201)["file_size"],
        5 * 1024 * 1024
    );
}

#[tokio::test]
async fn a_message_has_at_most_ten_files() {
    let server = TestServer::start().await;
    let ann = guy(&server, "ann").await;
    let message = ann.say("look").await["id"].clone();
    let file = with(&pdf(), "public_message_id", message.clone());
    for _ in 0..10 {
        create(&ann, file.clone()).await.ok(201);
    }
    refused(
        &create(&ann, file).await,
        400,
        "file is one too many: a message has at most 10 files",
    );
    let path = format!("/api/files/public/{message}");
    let shown = ann.http.get(&path).await.ok(200);
    assert_eq!(shown["files"].as_array().unwrap().len(), 10);
}
