//! Access to files: only people who may read a message fetch its files, with and without a pass in the URL.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use parlor::chat::{Credential, files};
use parlor::model::MessageId;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::*;

const LOBBY: i64 = 1;

/// Posts a message with one small file; returns the message and the URL of the file.
async fn posted(by: &Persona, room: i64) -> (Value, String) {
    let sent = by.upload(room, "a.txt", "text/plain", "secret").await;
    let message = sent.ok(201);
    let url = url(&only_file(&message)).to_owned();
    (message, url)
}

/// Returns the URL with a pass that other protocols give a person for the message's file.
async fn signed(server: &TestServer, by: &Persona, message: &Value) -> String {
    let caller = server.chat.authenticate(Credential::Token(&by.token));
    let caller = caller.await.unwrap();
    let message = server.chat.message(&caller, MessageId(id(message))).await;
    files::signed_address(&message.unwrap().files[0], caller.id())
}

/// Signs the URL as the server does. `until` counts hours since 1970.
fn signed_until(server: &TestServer, url: &str, until: i64, reader: i64) -> String {
    let id: i64 = url.split('/').nth(2).unwrap().parse().unwrap();
    let file = rusqlite::Connection::open(server.db()).unwrap();
    let key: Vec<u8> = file
        .query_row("SELECT key FROM files WHERE id = ?1", [id], |row| {
            row.get(0)
        })
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(&until.to_be_bytes());
    mac.update(&reader.to_be_bytes());
    let seal = URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..18]);
    format!("{url}?k={until:x}.{reader:x}.{seal}")
}

#[tokio::test]
async fn only_readers_of_a_message_fetch_its_file() {
    let server = TestServer::start().await;
    let admin = server.admin("root").await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let (cid, guest) = (server.user("cid").await, server.guest("gus").await);
    let private = ann.private_room("Kitchen").await;
    ann.add(private, &ben, "member").await;
    let direct = ann.direct_room(&ben).await;
    for room in [private, direct] {
        let (_, url) = posted(&ann, room).await;
        assert_eq!(ann.get(&url).await.body, "secret");
        assert_eq!(ben.get(&url).await.body, "secret");
        for other in [&cid, &guest, &admin] {
            other.get(&url).await.refused(404, "not_found");
        }
        let nobody = server.anybody();
        nobody.get(&url).await.refused(401, "unauthenticated");
        // Without a session, a missing file cannot be told from a forbidden one.
        nobody
            .get("/files/999/x")
            .await
            .refused(401, "unauthenticated");
        cid.get("/files/999/x").await.refused(404, "not_found");
    }
    let (_, url) = posted(&ann, LOBBY).await;
    for other in [&cid, &guest, &admin] {
        assert_eq!(other.get(&url).await.body, "secret");
    }
    for path in [
        "/files/x/y",
        "/files/-1/y",
        "/files/1",
        "/files/1/a/b",
        "/files",
    ] {
        ann.get(path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn former_members_of_a_private_room_cannot_fetch_its_files() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let cid = server.user("cid").await;
    let room = ann.private_room("Kitchen").await;
    ann.add(room, &ben, "member").await;
    ann.add(room, &cid, "member").await;
    let (_, of_ben) = posted(&ben, room).await;
    ben.post(&format!("rooms/{room}/leave"), json!({}))
        .await
        .done();
    ann.delete(&format!("rooms/{room}/members/{}", cid.id))
        .await
        .done();
    for gone in [&ben, &cid] {
        gone.get(&of_ben).await.refused(404, "not_found");
    }
    assert_eq!(ann.get(&of_ben).await.body, "secret");
}

#[tokio::test]
async fn a_pass_is_valid_for_one_file_for_a_day() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.private_room("Kitchen").await;
    let (message, url) = posted(&ann, room).await;
    let (_, other) = posted(&ann, room).await;
    let nobody = server.anybody();
    let address = signed(&server, &ann, &message).await;
    assert_eq!(nobody.get(&address).await.body, "secret");
    let stale = nobody.clone().token("rubbish");
    assert_eq!(stale.get(&address).await.body, "secret");
    let pass = address.split_once('?').unwrap().1;
    let now = chrono::Utc::now().timestamp() / 3600;
    for closed in [
        format!("{other}?{pass}"),
        format!("{url}?k="),
        format!("{url}?{pass}x"),
        signed_until(&server, &url, now, ann.id),
        signed_until(&server, &url, now - 24, ann.id),
        // A pass without expiry is valid for avatars only, one of reader 0 only for what anybody may read.
        signed_until(&server, &url, 0, ann.id),
        signed_until(&server, &url, now + 1, 0),
        signed_until(&server, &url, now + 1, 999),
    ] {
        nobody.get(&closed).await.refused(401, "unauthenticated");
        // A reader with a token needs no pass.
        assert_eq!(ann.get(&closed).await.body, "secret", "{closed}");
    }
    let again = signed_until(&server, &url, now + 1, ann.id);
    assert_eq!(nobody.get(&again).await.body, "secret");
}

#[tokio::test]
async fn a_pass_is_void_while_its_reader_may_not_read() {
    let server = TestServer::start().await;
    let (admin, cid) = (server.admin("root").await, server.user("cid").await);
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let room = ann.private_room("Kitchen").await;
    ann.add(room, &ben, "member").await;
    ann.add(room, &cid, "member").await;
    let (message, url) = posted(&ann, room).await;
    let nobody = server.anybody();
    let of_ann = signed(&server, &ann, &message).await;
    let of_ben = signed(&server, &ben, &message).await;
    let of_cid = signed(&server, &cid, &message).await;
    for pass in [&of_ann, &of_ben, &of_cid] {
        assert_eq!(nobody.get(pass).await.body, "secret");
    }

    ann.delete(&format!("rooms/{room}/members/{}", ben.id))
        .await
        .done();
    admin.delete(&format!("users/{}", cid.id)).await.done();
    for pass in [&of_ben, &of_cid] {
        nobody.get(pass).await.refused(401, "unauthenticated");
    }
    // Nor does the pass help its reader with a token.
    ben.get(&of_ben).await.refused(404, "not_found");
    assert_eq!(nobody.get(&of_ann).await.body, "secret");

    ann.add(room, &ben, "member").await;
    assert_eq!(nobody.get(&of_ben).await.body, "secret");
    ann.delete(&format!("rooms/{room}")).await.done();
    for pass in [&of_ann, &of_ben, &url] {
        nobody.get(pass).await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn deleted_and_cleared_files_are_gone_with_and_without_a_pass() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.private_room("Kitchen").await;
    let other = ann.private_room("Attic").await;
    let nobody = server.anybody();

    let (message, url) = posted(&ann, room).await;
    let pass = signed(&server, &ann, &message).await;
    let path = format!("messages/{}", id(&message));
    let gone = ann.delete(&path).await.ok(200);
    assert_eq!(gone["files"], json!([]));
    ann.get(&url).await.refused(404, "not_found");
    nobody.get(&pass).await.refused(401, "unauthenticated");
    until("its bytes are gone", || server.count("file_contents") == 0).await;

    let (message, url) = posted(&ann, room).await;
    let pass = signed(&server, &ann, &message).await;
    ann.post(&format!("rooms/{room}/clear"), json!({}))
        .await
        .ok(200);
    ann.get(&url).await.refused(404, "not_found");
    nobody.get(&pass).await.refused(401, "unauthenticated");
    until("its bytes are gone", || server.count("file_contents") == 0).await;

    let (message, url) = posted(&ann, other).await;
    let pass = signed(&server, &ann, &message).await;
    ann.delete(&format!("rooms/{other}")).await.done();
    ann.get(&url).await.refused(404, "not_found");
    nobody.get(&pass).await.refused(401, "unauthenticated");
    until("everything is gone", || server.count("files") == 0).await;
    assert_eq!(server.count("file_contents"), 0);
}

#[tokio::test]
async fn guests_muted_members_and_non_members_cannot_upload() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let guest = server.guest("gus").await;
    let room = ann.private_room("Kitchen").await;
    let open = ann.public_room("Garden").await;
    let face = Form::new().file("a.png", "image/png", "");
    guest
        .upload(LOBBY, "a", "", "a")
        .await
        .refused(403, "forbidden");
    guest
        .form("PUT", "me/avatar", &face)
        .await
        .refused(403, "forbidden");
    ben.upload(room, "a", "", "a")
        .await
        .refused(404, "not_found");
    ben.upload(open, "a", "", "a")
        .await
        .refused(403, "forbidden");
    let picture = format!("rooms/{open}/picture");
    ben.form("PUT", &picture, &face)
        .await
        .refused(403, "forbidden");
    ben.delete(&picture).await.refused(403, "forbidden");
    ann.add(room, &ben, "member").await;
    let path = format!("rooms/{room}/members/{}", ben.id);
    let mute = json!({ "muted_until": "2999-01-01T00:00:00Z" });
    ann.patch(&path, mute).await.ok(200);
    ben.upload(room, "a", "", "a").await.refused(403, "muted");
    let nobody = server.anybody();
    nobody
        .upload(LOBBY, "a", "", "a")
        .await
        .refused(401, "unauthenticated");
    assert_eq!(server.count("files"), 0);
}
