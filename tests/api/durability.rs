//! What was acknowledged is there, whatever happens to the process or the disk. With the real binary.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::support::*;

/// So many messages of one sender are on their way at once.
const WINDOW: usize = 16;
/// So many people write at once.
const SENDERS: usize = 4;

/// What became of one message, as its sender sees it.
enum Fate {
    /// It was told to be stored under that id.
    Stored(Uuid, i64),
    /// It was told not to be stored, with that code.
    Refused(Uuid, String),
    /// Nothing was told.
    Unknown(Uuid),
}

/// Writes without a pause until the connection breaks, or `stop` says so.
async fn write_on(mut socket: Socket, size: usize, fates: mpsc::UnboundedSender<Fate>) {
    let mut asked = HashMap::new();
    loop {
        while asked.len() < WINDOW && !fates.is_closed() {
            let uuid = Uuid::new_v4();
            let op = json!({ "op": "send", "room": 1, "uuid": uuid, "content": "x".repeat(size) });
            match socket.try_send(op).await {
                Some(number) => _ = asked.insert(number, uuid),
                None => break,
            }
        }
        if asked.is_empty() {
            return;
        }
        let Some(frame) = socket.try_next().await else {
            asked
                .into_values()
                .for_each(|uuid| _ = fates.send(Fate::Unknown(uuid)));
            return;
        };
        let Some(uuid) = frame["re"]
            .as_i64()
            .and_then(|number| asked.remove(&number))
        else {
            continue;
        };
        let fate = match frame["error"]["code"].as_str() {
            Some(code) => Fate::Refused(uuid, code.to_owned()),
            None => Fate::Stored(uuid, id(&frame["ok"]["message"])),
        };
        let _ = fates.send(fate);
    }
}

/// Lets people write; what becomes of it comes out of the receiver, which ends when they all do.
async fn crowd(ann: &Persona, size: usize) -> mpsc::UnboundedReceiver<Fate> {
    let (fates, told) = mpsc::unbounded_channel();
    for _ in 0..SENDERS {
        let socket = ann.connect().await;
        tokio::spawn(write_on(socket, size, fates.clone()));
    }
    told
}

/// All messages after `after`, by uuid.
async fn stored(ann: &Persona, mut after: i64) -> BTreeMap<Uuid, i64> {
    let mut found = BTreeMap::new();
    loop {
        let page = ann
            .get(&format!("rooms/1/messages?after={after}&limit=200"))
            .await
            .ok(200);
        for message in page["items"].as_array().unwrap() {
            after = id(message);
            let uuid = message["uuid"].as_str().unwrap().parse().unwrap();
            assert!(found.insert(uuid, after).is_none(), "{uuid} is there twice");
        }
        if page["more"] == false {
            return found;
        }
    }
}

/// Says those again that nobody knows of, and notes what they became.
async fn say_again(ann: &Persona, unknown: &[Uuid], told: &mut HashMap<Uuid, i64>) {
    let mut socket = ann.connect().await;
    for uuid in unknown {
        let op = json!({ "op": "send", "room": 1, "uuid": uuid, "content": "x" });
        let answer = socket.ok(op).await;
        told.insert(*uuid, id(&answer["message"]));
    }
}

fn assert_sound(db: &std::path::Path) {
    let file = rusqlite::Connection::open(db).unwrap();
    let found: String = file
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_being_killed_exactly_once() {
    const ROUNDS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(folder.path());
    let ann = register(server.address, "ann").await;
    let mut told: HashMap<Uuid, i64> = HashMap::new();
    let mut checked = 0;
    for round in 0..ROUNDS {
        let mut fates = crowd(&ann.at(server.address), 20).await;
        let (mut fresh, mut unknown) = (HashMap::new(), Vec::new());
        let mut running = Some(server);
        while let Some(fate) = fates.recv().await {
            match fate {
                Fate::Stored(uuid, id) => _ = fresh.insert(uuid, id),
                Fate::Unknown(uuid) => unknown.push(uuid),
                Fate::Refused(_, code) => assert_eq!(code, "busy"),
            }
            // Somewhere in the middle, each time at another place.
            if fresh.len() > 10 + round * 53 % 300
                && let Some(server) = running.take()
            {
                server.kill();
            }
        }
        server = Process::start(folder.path());
        let here = ann.at(server.address);
        let found = stored(&here, checked).await;
        for (uuid, id) in &fresh {
            assert_eq!(
                found.get(uuid),
                Some(id),
                "round {round}: {uuid} was told to be stored"
            );
        }
        let known: HashSet<_> = fresh.keys().chain(&unknown).collect();
        assert!(found.keys().all(|uuid| known.contains(uuid)));
        say_again(&here, &unknown, &mut fresh).await;
        for (uuid, id) in &found {
            assert_eq!(fresh.get(uuid), Some(id), "round {round}: said again");
        }
        checked = fresh.values().copied().max().unwrap_or(checked);
        told.extend(fresh);
    }
    assert_eq!(
        stored(&ann.at(server.address), 0).await,
        told.into_iter().collect()
    );
    server.terminate();
    let db = server.db.clone();
    assert!(server.wait().await.success());
    assert_sound(&db);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_disk_is_full_everybody_is_told_and_when_there_is_room_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let ann = register(server.address, "ann").await;
    let log = std::fs::metadata(folder.path().join("chat.db-wal"))
        .unwrap()
        .len();
    server.limit_files(Some(log + 1_200_000));
    let mut fates = crowd(&ann, 1000).await;
    let (mut told, mut refused) = (HashMap::new(), HashSet::new());
    // Until it is full, until it has been full for a while, and until it has gone on for a while.
    let (mut before, mut after) = (0, 0);
    while let Some(fate) = fates.recv().await {
        match fate {
            Fate::Stored(uuid, id) => {
                _ = told.insert(uuid, id);
                *if refused.is_empty() {
                    &mut before
                } else {
                    &mut after
                } += 1;
            }
            Fate::Refused(uuid, code) => {
                assert!(
                    ["full", "internal", "busy"].contains(&code.as_str()),
                    "{code}"
                );
                refused.insert(uuid);
                if refused.len() == 500 {
                    // What is there can be read all the while.
                    assert!(!ann.history(1).await.is_empty());
                    server.limit_files(None);
                }
            }
            Fate::Unknown(_) => panic!("the server has let somebody go"),
        }
        if after > 300 {
            fates.close();
        }
    }
    assert!(before > 50, "{before}");
    let found = stored(&ann, 0).await;
    for (uuid, id) in &told {
        assert_eq!(found.get(uuid), Some(id));
    }
    assert!(refused.iter().all(|uuid| !found.contains_key(uuid)));
    server.terminate();
    let db = server.db.clone();
    assert!(server.wait().await.success());
    assert_sound(&db);
}
