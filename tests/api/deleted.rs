//! Deleted data is not readable in the database, its log or a new backup, and the database file shrinks.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::support::*;

const LOBBY: i64 = 1;
/// Texts that must be found in no file: one per kind of data, none part of another.
const MESSAGE: &str = "quaggaword";
const NEIGHBOUR: &str = "narwhalword";
const EDITED: &str = "okapiword";
const CLEARED: &str = "axolotlword";
const ROOM_NAME: &str = "Pangolinroom";
const FILE_NAME: &str = "tapirfile";
const FILE_BYTES: &str = "capybarabytes";
const DISPLAY_NAME: &str = "Wombatname";
const EMAIL: &str = "numbat@example.org";
const CITY: &str = "Kakapocity";
const NOTE: &str = "dugongnote";

/// Returns the secrets that one of the files contains, ignoring case.
fn found_in(paths: &[PathBuf], secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
        let holds = |secret: &&String| {
            let secret = secret.to_ascii_lowercase();
            bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        };
        let name = path.extension().unwrap().to_string_lossy().into_owned();
        let secrets = secrets.iter().filter(holds);
        found.extend(secrets.map(|secret| format!("{secret} in {name}")));
    }
    found
}

/// The database and its write-ahead log.
fn files(server: &TestServer) -> [PathBuf; 2] {
    [server.db(), server.db().with_extension("db-wal")]
}

/// Waits until neither the database nor its log contains the secrets, then asserts the same of a new backup.
async fn gone(server: &TestServer, secrets: &[String]) {
    until("the removal of what was deleted", || {
        found_in(&files(server), secrets).is_empty()
    })
    .await;
    let backup = server.db().with_extension("copy");
    let (db, copy) = (server.db(), backup.clone());
    let copied = run(&[
        "--db",
        db.to_str().unwrap(),
        "backup",
        copy.to_str().unwrap(),
    ]);
    assert!(copied.status.success(), "{copied:?}");
    assert_eq!(found_in(&[backup], secrets), [""; 0]);
}

fn password_hash(server: &TestServer, name: &str) -> String {
    let db = rusqlite::Connection::open(server.db()).unwrap();
    let sql = "SELECT password_hash FROM users WHERE username = ?1";
    db.query_row(sql, [name], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn deleted_data_is_in_no_file() {
    let server = TestServer::start().await;
    let (ann, ben) = (server.admin("ann").await, server.user("ben").await);
    let room = ann.public_room(ROOM_NAME).await;
    let cleared = ann.public_room("Kept room").await;
    // Other messages share the database pages, so that the pages stay in use.
    for number in 0..50 {
        ann.say(LOBBY, &format!("an ordinary message {number}"))
            .await;
    }
    let message = ben.say(LOBBY, &format!("{MESSAGE} {NEIGHBOUR}")).await;
    let edited = ben.say(LOBBY, EDITED).await;
    ann.say(cleared, CLEARED).await;
    ann.say(room, &format!("@room {CLEARED}")).await;
    let file = format!("{FILE_NAME}.txt");
    let sent = ben
        .upload(LOBBY, &file, "text/plain", FILE_BYTES.repeat(100_000))
        .await
        .ok(201);
    let profile = json!({"display_name": DISPLAY_NAME, "email": EMAIL});
    ben.patch("me", profile).await.ok(200);
    server.edit_file(&format!(
        "UPDATE users SET profile = json_set(profile, '$.city', '{CITY}') WHERE username = 'ben'"
    ));
    ben.post("notifications", json!({"title": "Note", "content": NOTE}))
        .await
        .ok(201);
    let old_hash = password_hash(&server, "ben");
    let secrets = [
        MESSAGE,
        NEIGHBOUR,
        EDITED,
        CLEARED,
        ROOM_NAME,
        FILE_NAME,
        FILE_BYTES,
        DISPLAY_NAME,
        EMAIL,
        CITY,
        NOTE,
        &old_hash,
    ]
    .map(str::to_owned);
    let before = found_in(&files(&server), &secrets);
    for secret in &secrets {
        assert!(
            before.iter().any(|found| found.starts_with(secret)),
            "{secret} is not in the file before: {before:?}"
        );
    }

    let change = json!({"current_password": PASSWORD, "new_password": "another long password"});
    ben.post("me/password", change).await.done();
    ben.delete(&format!("messages/{}", id(&message)))
        .await
        .ok(200);
    ben.delete(&format!("messages/{}", id(&sent))).await.ok(200);
    ben.patch(
        &format!("messages/{}", id(&edited)),
        json!({"content": "something else"}),
    )
    .await
    .ok(200);
    ann.post(&format!("rooms/{cleared}/clear"), Value::Null)
        .await
        .ok(200);
    ann.delete(&format!("rooms/{room}")).await.done();
    ben.call(
        "DELETE",
        "me",
        Some(json!({"password": "another long password"})),
    )
    .await
    .done();
    gone(&server, &secrets).await;

    // The search index still finds the other messages, and only those.
    let hits = ann.get("search?q=ordinary").await.ok(200);
    assert_eq!(hits["items"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn deleting_files_shrinks_the_database() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let size = || std::fs::metadata(server.db()).unwrap().len();
    let mut sent = Vec::new();
    for _ in 0..4 {
        let bytes = vec![b'x'; 4 * 1024 * 1024];
        sent.push(ann.upload(LOBBY, "large.bin", "", bytes).await.ok(201));
    }
    until("the upload in the file", || size() > 16 * 1024 * 1024).await;
    for message in sent {
        ann.delete(&format!("messages/{}", id(&message)))
            .await
            .ok(200);
    }
    until("a shorter file", || size() < 4 * 1024 * 1024).await;
}

#[tokio::test]
async fn migrating_a_version_3_database_erases_deleted_data() {
    let server = upgraded(include_bytes!("../fixtures/v3.db.gz")).await;
    let secrets = ["quicksilver", "Dan Secretname", "dan-secret", "evaporated"];
    gone(&server, &secrets.map(str::to_owned)).await;
    let ann = server.log_in("ann").await;
    let hits = ann.get("search?q=hammers%20in:workshop").await.ok(200);
    assert_eq!(hits["items"].as_array().unwrap().len(), 1);
}
