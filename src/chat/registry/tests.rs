//! Room actors that end and restart all the time, because the idle time is nearly zero.

use std::num::NonZeroU32;

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::super::connections::Connection;
use super::super::room::Attached;
use super::super::{Caller, Encode, Encoder, Frames, Outbox, View};
use super::*;
use crate::model::{Event, NewRoom, RoomKind, ShownName, Username};
use crate::store::{NewUser, OpenOptions};

/// Encodes every event as a dot.
struct Dots;

impl Encode for Dots {
    fn encode(&self, _: &Event, _: View, frames: &mut Frames) {
        frames.add(|bytes| bytes.push(b'.'));
    }
}

const DOTS: Encoder = Encoder(&Dots);

struct Bench {
    _folder: TempDir,
    store: Store,
    people: Arc<People>,
    caller: Caller,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        let name = Username::parse("ann").unwrap();
        let user = store.add_user(NewUser::named(name, None, None)).await;
        Self {
            _folder: folder,
            store,
            people: Arc::default(),
            caller: Caller::unproven(user.unwrap()),
        }
    }

    async fn room(&self) -> RoomId {
        let new = NewRoom {
            kind: RoomKind::Public,
            name: ShownName::of_room("stage").unwrap(),
            description: String::new(),
            access_key: None,
        };
        let room = self.store.create_room(new, self.caller.id()).await;
        room.unwrap().id
    }

    fn connect(&self) -> Arc<Connection> {
        let (outbox, most) = (Arc::new(Outbox::default()), None::<NonZeroU32>);
        let connected = self.people.connect(&self.caller, None, outbox, "", most);
        connected.unwrap()
    }
}

/// Subscribes to a room, checks the subscription and ends it, in a loop; the room actor may end after each round.
async fn come_and_go(registry: Arc<Registry>, room: RoomId, connection: Arc<Connection>) {
    for round in 0..4000 {
        let attached = registry.ask(room, |reply| RoomMsg::Attach {
            connection: connection.clone(),
            encoder: DOTS,
            position: None,
            reply,
        });
        assert!(matches!(attached.await, Ok(Attached::Live { .. })));
        let watching = registry.ask(room, |reply| RoomMsg::Watching {
            encoder: DOTS,
            reply,
        });
        assert_eq!(watching.await.unwrap().len(), 1, "round {round}");
        let detached = registry.ask(room, |reply| RoomMsg::Detach {
            connection: connection.clone(),
            encoder: None,
            reply,
        });
        detached.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_ending_room_actor_loses_no_messages() {
    let bench = Bench::new().await;
    let mut visitors = JoinSet::new();
    let (store, people) = (bench.store.clone(), bench.people.clone());
    let registry = Arc::new(Registry::with_idle(store, people, Duration::ZERO));
    for _ in 0..4 {
        let (room, connection) = (bench.room().await, bench.connect());
        visitors.spawn(come_and_go(registry.clone(), room, connection));
    }
    while let Some(visited) = visitors.join_next().await {
        visited.unwrap();
    }
}

#[tokio::test]
async fn a_room_actor_with_a_live_handle_is_kept() {
    let bench = Bench::new().await;
    let (store, people) = (bench.store.clone(), bench.people.clone());
    let registry = Registry::with_idle(store, people, Duration::ZERO);
    let room = bench.room().await;
    let handle = registry.handle(room);
    let (reply, answer) = reply();
    // However long the command is delayed, the actor waits as long as somebody holds a handle.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(handle.tell(RoomMsg::Online { reply }).is_ok());
    answer.await.unwrap();
    assert!(registry.running.get(room).is_some());
    drop(handle);
    while registry.running.get(room).is_some() {
        tokio::task::yield_now().await;
    }
}
