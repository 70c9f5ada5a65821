//! Read marks are acknowledged only once they are on disk.

use rusqlite::Connection;
use serde_json::json;

use super::support::*;

/// Blocks all commits of the server until the connection is dropped.
fn hold_writes(server: &TestServer) -> Connection {
    let db = Connection::open(server.db()).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    db
}

/// Returns the read cursor in the database file.
fn stored(server: &TestServer, room: i64, reader: &Persona) -> i64 {
    let db = Connection::open(server.db()).unwrap();
    let sql = "SELECT last_read_id FROM members WHERE room_id = ?1 AND user_id = ?2";
    db.query_row(sql, (room, reader.id), |row| row.get(0))
        .unwrap()
}

async fn rooms(ann: &Persona, bob: &Persona) -> [i64; 2] {
    let public = ann.public_room("open").await;
    ann.add(public, bob, "member").await;
    [public, ann.direct_room(bob).await]
}

#[tokio::test]
async fn a_read_mark_is_acknowledged_only_when_it_is_on_disk() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    for room in rooms(&ann, &bob).await {
        let first = id(&ann.say(room, "one").await);
        let last = id(&ann.say(room, "two").await);
        let mut socket = bob.connect().await;
        let mut others = ann.connect().await;
        let held = hold_writes(&server);
        let mut asked = Vec::new();
        for message in [last, last, first] {
            let op = json!({ "op": "read", "room": room, "message": message });
            asked.push(socket.send(op).await);
        }
        // A direct room waits for the disk and answers nobody. Otherwise the answer to resume shows that
        // all three were processed.
        if room_is_public(&ann, room).await {
            others.resume_all(room, last).await;
        }
        let early: Vec<_> = socket.events().await;
        assert!(
            early.iter().all(|frame| frame["re"].is_null()),
            "not on disk yet: {early:?}"
        );
        held.execute_batch("ROLLBACK").unwrap();
        for number in asked {
            socket.answer(number).await.unwrap();
            assert_eq!(stored(&server, room, &bob), last);
        }
    }
}

async fn room_is_public(ann: &Persona, room: i64) -> bool {
    ann.get(&format!("rooms/{room}")).await.ok(200)["kind"] == "public"
}

#[tokio::test]
async fn a_failed_read_mark_is_stored_on_retry() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    for room in rooms(&ann, &bob).await {
        let last = id(&ann.say(room, "one").await);
        let path = format!("rooms/{room}/read");
        let mark = || bob.call("POST", &path, Some(json!({ "message_id": last })));
        server.edit_file(
            "CREATE TRIGGER refuse BEFORE UPDATE OF last_read_id ON members
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        );
        for _ in 0..2 {
            assert_eq!(mark().await.status, 500);
        }
        server.edit_file("DROP TRIGGER refuse");
        mark().await.done();
        assert_eq!(stored(&server, room, &bob), last);
        assert_eq!(bob.overview(room).await.unwrap()["unread"], 0);
        // A mark that is already stored is acknowledged without a write.
        let held = hold_writes(&server);
        mark().await.done();
        drop(held);
    }
}
