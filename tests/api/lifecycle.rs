//! Start and stop of a server: draining, two servers on one database, databases it must not touch.

use std::time::{Duration, Instant};

use serde_json::json;

use super::support::*;

#[tokio::test]
async fn draining_closes_every_socket_with_1012() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (mut watching, mut waiting) = (ann.watch(1).await, bob.connect().await);
    let nobody = Socket::open(server.address, None).await;
    let mut late = Socket::open(server.address, None).await;
    server.begin_to_stop();
    for socket in [&mut watching, &mut waiting] {
        assert_eq!(socket.closed().await, 1012);
    }
    late.send(json!({ "op": "auth", "token": ann.token })).await;
    assert_eq!(late.closed().await, 1012);
    drop(nobody);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_acknowledged_before_a_stop_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let ann = register(server.address, "ann").await;
    let mut socket = ann.connect().await;
    for number in 0..50 {
        socket
            .send(json!({ "op": "send", "room": 1, "content": number.to_string() }))
            .await;
    }
    let first = socket.next("the first answer").await;
    let begun = Instant::now();
    server.terminate();
    assert_eq!(socket.closed().await, 1012);
    let (status, waited) = (server.wait().await, begun.elapsed());
    assert!(status.success(), "{status}");
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    let answered: Vec<_> = [first]
        .into_iter()
        .chain(socket.taken())
        .filter(|frame| frame["ok"].is_object())
        .collect();
    // The checkpoint at the end moved the write-ahead log into the database.
    assert!(!folder.path().join("chat.db-wal").exists());

    let server = Process::start(folder.path());
    let kept = ann.at(server.address).history(1).await;
    for frame in answered {
        assert!(kept.contains(&frame["ok"]["message"]), "{frame}");
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_database_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let ann = register(server.address, "ann").await;
    let db = server.db.to_str().unwrap();
    let second = run(&["--db", db, "--listen", "127.0.0.1:0"]);
    let told = String::from_utf8(second.stderr).unwrap();
    let refusals: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("parlor: "))
        .collect();
    assert_eq!(refusals.len(), 1, "{told}");
    assert!(
        refusals[0].contains("is in use by another parlor"),
        "{told}"
    );
    assert_eq!((second.status.code(), second.stdout.len()), (Some(1), 0));
    ann.say(1, "still here").await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_unchanged() {
    let mut server = TestServer::start().await;
    server.stop().await;
    server.edit_file("PRAGMA user_version = 99");
    let db = server.db();
    let files = || {
        let folder = std::fs::read_dir(db.parent().unwrap()).unwrap();
        let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let (before, names) = (std::fs::read(&db).unwrap(), files());
    let refused = run(&["--db", db.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("has schema version 99"), "{told}");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        std::fs::read(&db).unwrap() == before,
        "the file was changed"
    );
    assert_eq!(files(), names);
}
