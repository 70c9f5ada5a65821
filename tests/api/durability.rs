//! Acknowledged messages survive crashes and a full disk. Runs the real binary.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::support::*;

/// Maximum number of unacknowledged messages of one sender.
const WINDOW: usize = 16;
/// Number of concurrent senders.
const SENDERS: usize = 4;

/// Outcome of one message, as its sender sees it.
enum Fate {
    /// Acknowledged as stored under this id.
    Stored(Uuid, i64),
    /// Refused with this error code.
    Refused(Uuid, String),
    /// Not answered before the connection broke.
    Unknown(Uuid),
}

/// Sends without a pause until the connection breaks or the receiver of `fates` is closed.
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

/// Starts the senders. The receiver yields the outcomes and ends when all senders have.
async fn crowd(ann: &Persona, size: usize) -> mpsc::UnboundedReceiver<Fate> {
    let (fates, told) = mpsc::unbounded_channel();
    for _ in 0..SENDERS {
        let socket = ann.connect().await;
        tokio::spawn(write_on(socket, size, fates.clone()));
    }
    told
}

/// Returns all messages after `after`, by uuid.
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

/// Sends the messages of unknown outcome again and records their ids.
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
async fn acknowledged_messages_survive_kills_exactly_once() {
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
            // Kill the server at a different point in each round.
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
async fn a_full_disk_refuses_messages_until_space_is_available() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let ann = register(server.address, "ann").await;
    let log = std::fs::metadata(folder.path().join("chat.db-wal"))
        .unwrap()
        .len();
    server.limit_files(Some(log + 1_200_000));
    let mut fates = crowd(&ann, 1000).await;
    let (mut told, mut refused) = (HashMap::new(), HashSet::new());
    // Messages stored before and after the first refusal. The size limit is lifted at 500 refusals, the test stops when
    // `after` exceeds 300.
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
                    // Reading works while the disk is full.
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
