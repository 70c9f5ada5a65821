//! Uploads to the lobby: storing, plain-text announcements, refusals.

use parlor::config::ByteSize;
use parlor::config::OpenDialects;
use serde_json::json;

use super::super::support::*;

const PATH: &str = "/v1/upload-files/";

/// Builds a form with files of `size` bytes each in the field `files`.
fn files(names: &[&str], size: usize) -> Form {
    names.iter().fold(Form::new(), |form, name| {
        form.file_in("files", name, "text/plain", "x".repeat(size))
    })
}

async fn open(person: &Persona, path: &str) -> RawSocket {
    let path = format!("{path}?token={}", person.token);
    RawSocket::open(person.address, &path).await
}

#[tokio::test]
async fn uploads_are_announced_by_original_name_and_stored_without_blanks() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut lobby = open(&bob, "/ws/messages").await;
    lobby.next().await;
    let mut notes = open(&bob, "/ws/notifications").await;
    // The echo of Bob's own notification shows that the subscription is active.
    notes.send(json!({"content": {}, "type": "here"})).await;
    notes.next().await;
    let mut own = open(&ann, "/messages").await;
    own.next().await;
    lobby.next().await;

    let form = files(&["my first photo.txt", "../../etc/pass\twd"], 3);
    let form = form
        .file("left out.txt", "text/plain", "x")
        .text("note", "y");
    let answer = ann.form("POST", PATH, &form).await.ok(200);
    assert_eq!(
        answer,
        json!({"uploaded_files": ["my-first-photo.txt", "passwd"]})
    );
    for socket in [&mut lobby, &mut notes, &mut own] {
        assert_eq!(socket.text().await, "File attached: my first photo.txt ");
        assert_eq!(socket.text().await, "File attached: passwd ");
    }

    let message = &bob.history(1).await[0];
    assert_eq!(message["content"], "");
    let stored = message["files"].as_array().unwrap();
    assert_eq!(each(stored, "name"), ["my-first-photo.txt", "passwd"]);
    let shown = ann.get("/v1/messages").await.ok(200);
    let lines = "File attached: my-first-photo.txt \nFile attached: passwd ";
    assert_eq!(shown[0]["content"], lines);
    assert_eq!(shown[0]["isMine"], true);
}

#[tokio::test]
async fn files_from_other_protocols_are_announced_after_their_text() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut lobby = open(&ann, "/messages").await;
    lobby.next().await;
    let form = Form::new()
        .text("content", "look")
        .file("a b.txt", "text/plain", "x");
    ann.form("POST", "rooms/1/files", &form).await.ok(201);
    assert_eq!(lobby.next().await["content"], "look");
    assert_eq!(lobby.text().await, "File attached: a b.txt ");
    let shown = ann.get("/v1/messages").await.ok(200);
    assert_eq!(shown[0]["content"], "look\nFile attached: a b.txt ");
}

#[tokio::test]
async fn invalid_uploads_are_refused_as_a_whole() {
    let server = TestServer::start_with(|config| {
        config.files.max_size = ByteSize(1000);
        config.files.quota_per_user = Some(ByteSize(1500));
    })
    .await;
    let (ann, guest) = (server.user("ann").await, server.guest("visitor").await);
    let fine = files(&["a.txt"], 10);
    let refused = [
        (server.anybody(), fine.clone(), 401, "Unauthorised"),
        ((*guest).clone(), fine.clone(), 403, "Forbidden"),
        ((*ann).clone(), Form::new(), 422, "files is missing"),
        (
            (*ann).clone(),
            Form::new().file("a.txt", "text/plain", "x"),
            422,
            "files is missing",
        ),
        (
            (*ann).clone(),
            files(&["a.txt", "b.txt"], 1001),
            413,
            "the file has more than 1000 bytes",
        ),
        (
            (*ann).clone(),
            files(&["a.txt", "b.txt"], 800),
            403,
            "your files take all the room you may have here: delete some first",
        ),
        (
            (*ann).clone(),
            files(&["a.txt"; 11], 1),
            400,
            "file is one too many: a message has at most 10 files",
        ),
    ];
    for (client, form, status, text) in refused {
        assert_eq!(client.form("POST", PATH, &form).await.ok(status), text);
    }
    let json = ann.post(PATH, json!({"files": []})).await;
    assert_eq!(json.ok(415), "the body must be multipart/form-data");
    assert!(ann.history(1).await.is_empty());
    ann.form("POST", PATH, &fine).await.ok(200);
}

#[tokio::test]
async fn uploads_need_a_token_even_when_the_dialect_is_open() {
    let server = TestServer::start_with(|config| {
        config.compat.open = OpenDialects::Only(["back_chat".to_owned()].into());
    })
    .await;
    let (ann, form) = (server.user("ann").await, files(&["a.txt"], 1));
    let nobody = server.anybody().form("POST", PATH, &form).await;
    assert_eq!(nobody.ok(401), "Unauthorised");
    ann.form("POST", PATH, &form).await.ok(200);
}

#[tokio::test]
async fn file_types_that_are_not_allowed_are_refused() {
    let server = TestServer::start_with(|config| {
        config.files.types = parlor::config::FileTypes::Only(vec!["image/*".to_owned()]);
    })
    .await;
    let ann = server.user("ann").await;
    let refused = ann.form("POST", PATH, &files(&["a.txt"], 1)).await;
    assert_eq!(refused.ok(400), "file is of a type that is not taken here");
}
