//! Shape A in other dialects: cost of a delivery over Socket.IO and over a raw WebSocket.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::super::api::{self, Api, Person};
use super::super::client::{Client, append};
use super::super::crowd::{Crowd, Dialect, Pace, Stretches};
use super::super::process::Process;
use super::super::table::Table;
use super::{CHEAP, db, fanout, folder, watch};

const MEMBERS: usize = 500;
const IN_FLIGHT: usize = 32;

/// Measures one room of 500 with 32 messages in flight in each dialect, and in the native protocol for comparison.
pub async fn crowds(stretches: Stretches, table: &mut Table) {
    for name in ["native", "komunikator", "realtime", "team"] {
        let folder = folder();
        let process = Process::parlor(&db(&folder), CHEAP);
        let (room, owner) = api::room(process.address, "crowd").await;
        let dialect = match name {
            "komunikator" => Dialect::Komunikator(room, owner.name.clone()),
            "realtime" => Dialect::Realtime,
            "team" => Dialect::Team(uuid(&process, &owner, room).await),
            _ => Dialect::Native(room),
        };
        let mut people = vec![owner];
        people.extend(api::guests(process.address, "guest", MEMBERS - 1, room).await);
        let mut clients = Vec::with_capacity(MEMBERS);
        for person in &people {
            clients.push(open(&process, person, room, &dialect).await);
        }
        let crowd = Crowd::new(clients, &dialect);
        let pace = Pace::InFlight(IN_FLIGHT);
        let outcomes = crowd.measure(&process, dialect, pace, &stretches).await;
        let what = format!("{name}, {MEMBERS} members, {IN_FLIGHT} in flight");
        fanout::report(table, "A in dialects", &what, &outcomes);
        process.stop();
    }
}

async fn uuid(process: &Process, owner: &Person, room: i64) -> String {
    let mut api = Api::open(process.address).await;
    let path = format!("rooms/{room}");
    let room = api.json("GET", &path, &owner.token, Value::Null).await;
    room["uuid"].as_str().expect("a uuid").to_owned()
}

/// Opens a connection that has joined the room.
async fn open(process: &Process, person: &Person, room: i64, dialect: &Dialect) -> Client {
    const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";
    let say = |name: &str, value: Value| format!("421{}", json!([name, value]));
    let (path, first) = match dialect {
        Dialect::Native(_) | Dialect::Repeat => return watch(process, person, room).await,
        Dialect::Komunikator(..) => {
            let join = json!({"user_name": person.name, "room_id": room});
            (SOCKET_IO, say("join", join))
        }
        Dialect::Realtime => (SOCKET_IO, say("join_public", Value::Null)),
        // IdMessage gets no reply, so an invalid message follows, which does.
        Dialect::Team(uuid) => {
            let here = json!({"messageType": "IdMessage", "convId": uuid});
            ("/", here.to_string())
        }
    };
    let (frames, answer) = match path {
        SOCKET_IO => (["40{}".to_owned(), first], "431"),
        _ => ([first, "{}".to_owned()], r#"{"messageType":"ErrorMessage""#),
    };
    let client = Client::open(process.address, path, Some(&person.token)).await;
    let client = client.expect("a connection");
    let mut bytes = Vec::new();
    for frame in &frames {
        append(&mut bytes, frame);
    }
    client.send(&bytes).await.expect("frames");
    let scratch = Rc::new(RefCell::new(vec![0; 64 * 1024]));
    let heard = |payload: &[u8]| payload.starts_with(answer.as_bytes());
    client.listen(&scratch, heard).await.expect("an answer");
    client
}
