//! Database files with many messages, made by SQL because a server would take an hour. Kept next to the build for
//! reuse.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use super::api::{Api, Person};
use super::process::Process;

/// Number of rooms that share the messages.
pub const ROOMS: i64 = 100;
/// Number of accounts that sent them.
const PEOPLE: i64 = 20;
/// Distance between the owner's read cursors of one room and the next, in ids. It equals two messages of a room.
const BEHIND: i64 = 2 * ROOMS;

/// A file whose owner account is a member of all rooms.
pub struct Filled {
    pub path: PathBuf,
    pub rooms: Vec<i64>,
}

impl Filled {
    /// Opens or makes a file of so many messages.
    pub async fn with(messages: i64, settings: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("filled-{messages}.db"));
        if !path.exists() {
            eprintln!("  making a file of {messages} messages …");
            let raw = folder.join("filling.db");
            let _ = std::fs::remove_file(&raw);
            people_and_rooms(&raw, settings).await;
            fill(&raw, messages).expect("a filled file");
            std::fs::rename(&raw, &path).expect("the file in its place");
        }
        let db = Connection::open(&path).expect("the file");
        let mut find = db.prepare("SELECT id FROM rooms WHERE kind = 'public' ORDER BY id");
        let find = find.as_mut().expect("rooms");
        let rooms = find.query_map([], |row| row.get(0)).expect("rooms");
        Self {
            rooms: rooms.collect::<Result<_, _>>().expect("rooms"),
            path,
        }
    }

    /// Logs in as the owner.
    pub async fn owner(process: &Process) -> Person {
        Api::open(process.address).await.login("owner").await
    }
}

async fn people_and_rooms(path: &Path, settings: &[(&str, &str)]) {
    let process = Process::parlor(path, settings);
    let mut api = Api::open(process.address).await;
    let owner = api.register("owner").await;
    for number in 0..PEOPLE {
        api.guest(&format!("guest{number}")).await;
    }
    for number in 0..ROOMS {
        let room = json!({ "name": format!("room{number}") });
        api.json("POST", "rooms", &owner.token, room).await;
    }
    process.stop();
}

/// Inserts messages of 20 to 200 letters by all guests in all rooms, one per second, without search index.
fn fill(path: &Path, messages: i64) -> rusqlite::Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA cache_size = -1000000; PRAGMA synchronous = OFF; BEGIN")?;
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let first = number("SELECT value FROM settings WHERE key = 'next_id'")?;
    let room = number("SELECT min(id) FROM rooms WHERE kind = 'public'")?;
    let guest = number("SELECT min(id) FROM users WHERE role = 'guest'")?;
    db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
        INSERT INTO messages (id, uuid, room_id, sender_id, content, created_at, change_id)
        SELECT ?2 + i, randomblob(16), ?3 + i % ?4, ?5 + i / 7 % ?6, hex(randomblob(10 + i % 91)),
            1700000000000 + i * 1000, ?2 + i FROM n",
        [messages, first, room, ROOMS, guest, PEOPLE],
    )?;
    db.execute(
        "UPDATE members SET last_read_id = ?1 - ?2 * (room_id - ?3) WHERE room_id >= ?3",
        [first + messages, BEHIND, room],
    )?;
    db.execute(
        "UPDATE settings SET value = ?1 WHERE key = 'next_id'",
        [first + messages],
    )?;
    db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    db.close().map_err(|(_, error)| error)
}
