//! Own files: listed with their share of the quota, and deleted.

use parlor::config::ByteSize;
use serde_json::{Value, json};

use crate::support::*;

const LOBBY: i64 = 1;

async fn listed(who: &Persona, rest: &str) -> Value {
    let page = who.get(&format!("files{rest}")).await.ok(200);
    assert_keys(&page, "items more used quota");
    page
}

#[tokio::test]
async fn own_files_are_listed_newest_first_with_used_quota() {
    let server = TestServer::start_with(|config| {
        config.files.quota_per_user = Some(ByteSize(2 * 1024 * 1024));
    })
    .await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let room = ann.private_room("Kitchen").await;
    assert_eq!(listed(&ann, "").await["items"], json!([]));
    let mut sent = Vec::new();
    for (room, name, bytes) in [
        (LOBBY, "a.txt", "one"),
        (room, "b.txt", "three"),
        (room, "c.txt", "0"),
    ] {
        sent.push(ann.upload(room, name, "text/plain", bytes).await.ok(201));
    }
    ben.upload(LOBBY, "d.txt", "text/plain", "Ben's")
        .await
        .ok(201);

    let page = listed(&ann, "").await;
    assert_eq!(
        json!([page["more"], page["used"], page["quota"]]),
        json!([false, 9, 2 * 1024 * 1024])
    );
    let items = page["items"].as_array().unwrap();
    for (item, message) in items.iter().zip(sent.iter().rev()) {
        let mut expected = only_file(message);
        expected["room_id"] = message["room_id"].clone();
        expected["message_id"] = message["id"].clone();
        expected["created_at"] = item["created_at"].clone();
        assert_eq!(*item, expected);
        assert!(item["created_at"].is_string());
    }
    assert_eq!(items.len(), 3);

    let first = listed(&ann, "?limit=2").await;
    assert_eq!(
        json!([first["items"], first["more"]]),
        json!([items[..2], true])
    );
    let rest = listed(&ann, &format!("?limit=2&before={}", items[1]["id"])).await;
    assert_eq!(
        json!([rest["items"], rest["more"]]),
        json!([items[2..], false])
    );
    server
        .anybody()
        .get("files")
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn deleting_a_file_updates_its_message() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let mut socket = ben.watch(LOBBY).await;
    let form = Form::new()
        .text("content", "two")
        .file("a.txt", "", "a")
        .file("b.txt", "", "b");
    let both = ann.form("POST", "rooms/1/files", &form).await.ok(201);
    let alone = ann.upload(LOBBY, "c.txt", "", "c").await.ok(201);
    for _ in 0..2 {
        socket.event("message").await;
    }
    let (gone, stays) = (&both["files"][0], &both["files"][1]);
    ann.delete(&format!("files/{}", gone["id"])).await.done();
    let told = socket.event("edited").await["message"].clone();
    assert_eq!(told["files"], json!([stays]));
    assert_eq!(
        ann.get(&format!("messages/{}", id(&both))).await.ok(200),
        told
    );
    ann.get(url(gone)).await.refused(404, "not_found");
    assert_eq!(ann.get(url(stays)).await.body, "b");

    // A message with no content but this file is deleted.
    ann.delete(&format!("files/{}", only_file(&alone)["id"]))
        .await
        .done();
    let told = socket.event("deleted").await["message"].clone();
    assert_eq!(id(&told), id(&alone));
    until("their bytes are gone", || {
        server.count("file_contents") == 1
    })
    .await;
    assert_eq!(listed(&ann, "").await["used"], 1);
    ann.delete(&format!("files/{}", gone["id"]))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn deleting_a_file_needs_permission_to_delete_its_message() {
    let server = TestServer::start().await;
    let (admin, ann) = (server.admin("root").await, server.user("ann").await);
    let (ben, cid) = (server.user("ben").await, server.user("cid").await);
    let room = ann.private_room("Kitchen").await;
    ann.add(room, &ben, "member").await;
    let file = only_file(&ann.upload(room, "a.txt", "", "a").await.ok(201));
    let path = format!("files/{}", file["id"]);
    ben.delete(&path).await.refused(403, "forbidden");
    cid.delete(&path).await.refused(404, "not_found");
    server
        .anybody()
        .delete(&path)
        .await
        .refused(401, "unauthenticated");
    cid.delete("files/999").await.refused(404, "not_found");
    assert_eq!(ben.get(url(&file)).await.body, "a");
    // Admins outside the room cannot read the file, but can delete it.
    admin.get(url(&file)).await.refused(404, "not_found");
    admin.delete(&path).await.done();
    ben.get(url(&file)).await.refused(404, "not_found");
    until("its bytes are gone", || server.count("file_contents") == 0).await;
}
