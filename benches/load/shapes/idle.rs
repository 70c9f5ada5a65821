//! Shape D: memory per idle connection, for each protocol with long-lived connections.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::super::api::{self, Person};
use super::super::client::{Client, append};
use super::super::crowd::{Crowd, Dialect, Stretches};
use super::super::process::Process;
use super::super::table::Table;
use super::{CHEAP, db, folder, watch};

/// Wait before measuring, after which every connection has been pinged.
const SETTLE: Duration = Duration::from_secs(12);

/// Protocol of a connection.
#[derive(Clone, Copy)]
enum Way {
    Native,
    SocketIo,
    /// The raw WebSocket of `team`.
    Raw,
}

/// Measures connections that watch one room.
pub async fn connections(_: Stretches, table: &mut Table) {
    for count in [1000, 10_000] {
        for way in [Way::Native, Way::SocketIo, Way::Raw] {
            measure(way, count, table).await;
        }
    }
}

async fn measure(way: Way, count: usize, table: &mut Table) {
    let folder = folder();
    let maker = Process::parlor(&db(&folder), CHEAP);
    let (room, owner) = api::room(maker.address, "idle").await;
    let people = api::guests(maker.address, "guest", count, room).await;
    maker.stop();
    // A new process, so that memory left over from making accounts does not distort the result.
    let process = Process::parlor(&db(&folder), CHEAP);
    let empty = process.rss();
    let first = way.open(&process, &owner, room).await;
    let before = process.rss();
    let mut clients = vec![first];
    for person in &people {
        clients.push(way.open(&process, person, room).await);
    }
    let _listening = Crowd::new(clients, &Dialect::Native(room));
    sleep(SETTLE).await;
    let each = (process.rss() - before) / count as f64 / 1000.0;
    let remark = format!(
        "resident: server alone {:.1} MB, with its room loaded {:.1} MB, with all {:.1} MB",
        empty / 1e6,
        before / 1e6,
        process.rss() / 1e6
    );
    table.row(
        "D",
        &format!("KB per idle connection, {count} {}", way.name()),
        format!("{each:.2}"),
        remark,
    );
    process.stop();
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::SocketIo => "Socket.IO",
            Self::Raw => "raw",
        }
    }

    async fn open(self, process: &Process, person: &Person, room: i64) -> Client {
        let (path, say, answer) = match self {
            Self::Native => return watch(process, person, room).await,
            Self::SocketIo => (
                "/socket.io/?EIO=4&transport=websocket",
                format!("40{}", json!({ "token": person.token })),
                "40",
            ),
            // Gets no reply.
            Self::Raw => ("/", r#"{"messageType":"IdMessage"}"#.to_owned(), ""),
        };
        let client = Client::open(process.address, path, Some(&person.token)).await;
        let client = client.expect("a connection");
        let mut frame = Vec::new();
        append(&mut frame, &say);
        client.send(&frame).await.expect("a frame");
        if !answer.is_empty() {
            let scratch = Rc::new(RefCell::new(vec![0; 64 * 1024]));
            let heard = |payload: &[u8]| payload.starts_with(answer.as_bytes());
            client.listen(&scratch, heard).await.expect("an answer");
        }
        client
    }
}
