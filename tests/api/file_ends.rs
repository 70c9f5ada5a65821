//! Interrupted uploads: whatever interrupts them, nothing of them stays, and other files are unaffected.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::*;

const LOBBY: i64 = 1;
/// Size in bytes of the file that is never uploaded completely.
const LARGE: usize = 6_000_000;

/// Sends a large upload except for its last 1000 bytes.
async fn begin_upload(by: &Persona) -> TcpStream {
    let body = Form::new().file("large.bin", "", vec![b'x'; LARGE]).body();
    let head = format!(
        "POST /api/v1/rooms/{LOBBY}/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: {}\r\ncontent-length: {}\r\n\r\n",
        by.token,
        Form::content_type(),
        body.len()
    );
    let mut tcp = TcpStream::connect(by.address).await.unwrap();
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.write_all(&body[..body.len() - 1000]).await.unwrap();
    tcp
}

/// Whether the database holds more than 10 chunks in addition to the `small` ones of other files.
fn is_under_way(db: &Path, small: i64) -> bool {
    count_rows(db, "file_contents") > small + 10
}

#[tokio::test]
async fn an_upload_that_disconnects_leaves_nothing() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    ann.upload(LOBBY, "small.txt", "", "small").await.ok(201);
    let upload = begin_upload(&ann).await;
    until("much of it is on the disk", || {
        is_under_way(&server.db(), 1)
    })
    .await;
    drop(upload);
    until("it is gone", || server.count("files") == 1).await;
    assert_eq!(server.count("file_contents"), 1);
    assert_eq!(ann.history(LOBBY).await.len(), 1);
}

#[tokio::test]
async fn an_upload_cut_off_by_a_restart_leaves_nothing() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let _upload = begin_upload(&ann).await;
    until("much of it is on the disk", || {
        is_under_way(&server.db(), 0)
    })
    .await;
    let server = server.restart().await;
    until("it is gone", || server.count("files") == 0).await;
    assert_eq!(server.count("file_contents"), 0);
}

#[tokio::test]
async fn files_of_a_refused_message_are_removed() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let form = Form::new().file("a", "", "a").text("reply_to", "999999");
    let sent = ann.form("POST", "rooms/1/files", &form).await;
    sent.refused(404, "not_found");
    until("it is gone", || server.count("files") == 0).await;
}

/// The real binary as a process, which can be killed.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_parlor"))
            .args(["--listen", "127.0.0.1:0", "--db"])
            .arg(db)
            .env_clear()
            .env("PARLOR_AUTH__PBKDF2_ROUNDS", "1000")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix("http://").map(str::to_owned));
        let address = url.unwrap().parse().unwrap();
        Self { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn an_upload_interrupted_by_a_kill_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("chat.db");
    let server = Process::start(&db);
    let body = json!({ "username": "ann", "password": PASSWORD });
    let client = Client::new(server.address);
    let grant = client.post("auth/register", body.clone()).await.ok(201);
    let ann = Persona::new(server.address, &grant);
    let sent = ann.upload(LOBBY, "small.txt", "", "small").await.ok(201);
    let _upload = begin_upload(&ann).await;
    until("much of it is on the disk", || is_under_way(&db, 1)).await;
    server.kill();
    assert!(is_under_way(&db, 1), "the file as the crash left it");

    let server = Process::start(&db);
    until("it is gone", || count_rows(&db, "files") == 1).await;
    assert_eq!(count_rows(&db, "file_contents"), 1);
    let client = Client::new(server.address);
    let grant = client.post("auth/login", body).await.ok(200);
    let ann = Persona::new(server.address, &grant);
    assert_eq!(ann.history(LOBBY).await, std::slice::from_ref(&sent));
    assert_eq!(ann.get(url(&only_file(&sent))).await.body, "small");
    server.kill();
    let file = rusqlite::Connection::open(&db).unwrap();
    let sound: String = file
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}
