//! Admins in private rooms they are not members of: they moderate, cannot read, and their joining is visible.

use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn a_tombstone_has_no_quoted_reply() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("ours").await;
    ann.add(room, &bob, "member").await;
    let secret = ann.say(room, "the secret").await;
    let answer = json!({ "content": "really?", "reply_to": secret["id"] });
    let answers = format!("rooms/{room}/messages");
    let answers = [
        bob.post(&answers, answer.clone()).await.ok(201),
        bob.post(&answers, answer).await.ok(201),
    ];
    let mut hers = ann.watch(room).await;
    let mut roots = root.connect().await;
    let path = format!("messages/{}", answers[0]["id"]);
    let by_socket = json!({ "op": "delete", "message": answers[1]["id"] });
    let told = [
        root.delete(&path).await.ok(200),
        // Deleting again returns the same tombstone.
        root.delete(&path).await.ok(200),
        roots.ok(by_socket).await["message"].clone(),
        hers.event("deleted").await["message"].clone(),
        hers.event("deleted").await["message"].clone(),
        ann.get(&path).await.ok(200),
        ann.history(room).await[1].clone(),
        bob.connect().await.resume_all(room, 0).await[1].clone(),
    ];
    for tombstone in told {
        assert_keys(&tombstone, MESSAGE);
        assert_eq!(tombstone["reply"], Value::Null, "{tombstone}");
        assert!(!tombstone.to_string().contains("secret"), "{tombstone}");
    }
}

#[tokio::test]
async fn an_admin_joining_a_private_room_is_announced_and_audited() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let ann = register(server.address, "ann").await;
    let root = register(server.address, "root").await;
    let db = rusqlite::Connection::open(&server.db).unwrap();
    db.execute_batch("UPDATE users SET role = 'admin' WHERE username = 'root'")
        .unwrap();
    let room = ann.private_room("ours").await;
    let mut hers = ann.watch(room).await;
    let body = json!({ "user_id": root.id });
    root.post(&format!("rooms/{room}/members"), body)
        .await
        .ok(201);
    let joined = hers.event("joined").await;
    assert_eq!(joined["member"]["person"]["id"], root.id);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let mut lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines
        .find(|line| line["audit"] == true)
        .expect("a line for the audit");
    let number = |number: i64| json!(number.to_string());
    assert_eq!(
        (&line["room"], &line["user"], &line["by"]),
        (&number(room), &number(root.id), &number(root.id))
    );
}
