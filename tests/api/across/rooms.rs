//! Rooms across protocols: each message reaches every member and appears in every history.

use serde_json::json;

use super::*;

/// Creates a room with one member per protocol that can address it, each with a seat.
pub async fn gather(server: &TestServer, kind: Kind, private: bool) -> (Place, Vec<Seated>) {
    let mut people = Vec::new();
    for voice in voices_in(kind) {
        people.push(server.user(&format!("{}-user", voice.name)).await);
    }
    let owner = &people[0];
    let room = match kind {
        Kind::Lobby => 1,
        _ if private => owner.private_room("Cellar").await,
        _ => owner.public_room("Garden").await,
    };
    if kind == Kind::Room {
        for other in &people[1..] {
            owner.add(room, other, "member").await;
        }
    }
    let place = Place::of(kind, room, &people.iter().collect::<Vec<_>>());
    let mut seats = Vec::new();
    for (voice, person) in voices_in(kind).zip(&people) {
        seats.push(Seated::new(voice, person, &place).await);
    }
    (place, seats)
}

async fn everybody_hears_everybody(kind: Kind, private: bool) {
    let server = TestServer::start().await;
    let (place, mut seats) = gather(&server, kind, private).await;
    let said = talk(&mut seats, &place).await;
    assert_histories(&seats[0].person, &place, &said).await;
}

#[tokio::test]
async fn lobby_messages_reach_every_protocol() {
    everybody_hears_everybody(Kind::Lobby, false).await;
}

#[tokio::test]
async fn public_room_messages_reach_every_protocol() {
    everybody_hears_everybody(Kind::Room, false).await;
}

#[tokio::test]
async fn private_room_messages_reach_every_protocol() {
    everybody_hears_everybody(Kind::Room, true).await;
}

#[tokio::test]
async fn edits_deletions_and_clearing_show_in_every_history() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    let place = Place::of(Kind::Lobby, 1, &[&ann, &root]);
    let expect = |texts: &[&str]| -> Vec<Said> {
        let said = |text: &&str| ("ann".to_owned(), (*text).to_owned());
        texts.iter().map(said).collect()
    };
    let first = id(&ann.say(1, "first").await);
    let second = id(&ann.say(1, "second").await);
    let body = json!({"content": "better"});
    ann.patch(&format!("messages/{first}"), body).await.ok(200);
    assert_histories(&ann, &place, &expect(&["better", "second"])).await;
    ann.delete(&format!("messages/{second}")).await.ok(200);
    assert_histories(&ann, &place, &expect(&["better"])).await;
    root.post("rooms/1/clear", json!({})).await.ok(200);
    assert_histories(&ann, &place, &[]).await;
}
