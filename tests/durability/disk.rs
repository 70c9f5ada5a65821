//! A server on a simulated disk that can be told to fail.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::support::*;

/// A folder whose database is on the simulated disk.
pub struct Disk {
    folder: TempDir,
    /// Content of the database before the recording started.
    base: Vec<u8>,
}

impl Disk {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            base: Vec::new(),
        }
    }

    /// Creates a database first; its creation is not part of the recording.
    pub async fn with_database() -> Self {
        let mut disk = Self::new();
        let server = Process::start(disk.folder.path());
        server.terminate();
        assert!(server.wait().await.success());
        disk.base = fs::read(disk.db()).unwrap();
        disk
    }

    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// Starts a server on the disk.
    pub fn server(&self) -> Process {
        let env = [("LD_PRELOAD", library()), ("DISK_DB", &self.db())];
        Process::start_with(self.folder.path(), &env)
    }

    pub fn db(&self) -> PathBuf {
        self.folder.path().join("chat.db")
    }

    /// Returns the database's path with a suffix appended.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(self.db());
        name.push(suffix);
        name.into()
    }

    /// Turns a behaviour of the disk on.
    pub fn set(&self, what: &str) {
        fs::write(self.beside(&format!(".{what}")), "").unwrap();
    }

    /// Turns a behaviour of the disk off.
    pub fn unset(&self, what: &str) {
        fs::remove_file(self.beside(&format!(".{what}"))).unwrap();
    }

    /// Whether a behaviour is on; one that occurs once is on until it has occurred.
    pub fn is(&self, what: &str) -> bool {
        self.beside(&format!(".{what}")).exists()
    }

    /// Returns the recording of all operations so far.
    pub fn record(&self) -> Vec<u8> {
        fs::read(self.beside(".record")).unwrap()
    }

    /// Returns the length of [`Disk::record`].
    pub fn recorded(&self) -> u64 {
        fs::metadata(self.beside(".record")).unwrap().len()
    }

    /// Returns the server's log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// Returns the path of the preloaded library, compiled once for all tests.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/durability/disk.c");
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
            .arg(&path)
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .status()
            .expect("a C compiler");
        assert!(made.success());
        (folder, path)
    });
    path
}

/// Returns status and text of `/readyz`.
pub async fn readiness(server: &Process) -> (u16, String) {
    let reply = Client::new(server.address).get("/readyz").await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    (reply.status.as_u16(), text)
}

/// Waits until `/readyz` has that status and a text that contains `part`.
pub async fn becomes(server: &Process, status: u16, part: &str) {
    let asking = async {
        loop {
            let (found, text) = readiness(server).await;
            if found == status && text.contains(part) {
                return;
            }
        }
    };
    within(&format!("{status} {part}"), asking).await;
}

/// Posts a message and returns the status.
pub async fn say(ann: &Persona, uuid: Uuid) -> u16 {
    let body = json!({ "uuid": uuid, "content": "hello" });
    ann.post("rooms/1/messages", body).await.status.as_u16()
}

/// Checks the integrity of a database and returns the uuids of its messages.
pub fn messages(db: &Path) -> Result<Vec<Uuid>, rusqlite::Error> {
    let file = Connection::open(db)?;
    let found: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(found, "ok");
    let mut read = file.prepare("SELECT uuid FROM messages")?;
    let uuids = read.query_map([], |row| row.get(0))?;
    uuids.collect()
}
