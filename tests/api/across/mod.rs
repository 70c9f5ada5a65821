//! Cross-protocol tests: a message sent through one protocol reaches all others. `voices` holds an adapter of each
//! protocol; every test iterates over their list.

use futures_util::future::{LocalBoxFuture, ready};
use serde_json::Value;

use super::support::*;

mod direct;
mod rooms;
mod scripts;
mod sessions;
mod uploads;
mod voices;

use voices::VOICES;

/// A boxed future that owns its data.
type Doing<T> = LocalBoxFuture<'static, T>;
/// A boxed future that borrows a seat.
type On<'a, T> = LocalBoxFuture<'a, T>;

/// Posts a text to a room by HTTP.
type Post = fn(Persona, Place, String) -> Doing<()>;
/// Returns whether the second person has read the first one's last message.
type IsRead = fn(Persona, Persona, Place) -> Doing<bool>;

/// Sender and text of a message.
type Said = (String, String);

/// Adapter of one protocol.
struct Voice {
    name: &'static str,
    /// Whether the protocol can address rooms of this kind.
    goes_to: fn(Kind) -> bool,
    /// Connects a person and subscribes to the room.
    sit: fn(Persona, Place) -> Doing<Box<dyn Seat>>,
    /// Posts a message by HTTP, if the protocol can.
    post: Option<Post>,
    /// Returns the messages of the room, oldest first.
    history: fn(Persona, Place) -> Doing<Vec<Said>>,
    /// Logs in with the password that all test accounts share; returns the access token.
    log_in: Option<fn(Client, String) -> Doing<String>>,
    /// Ends the session of the client's token.
    log_out: Option<fn(Client) -> Doing<()>>,
    /// Path of a page that requires a token.
    own_page: &'static str,
    /// Returns whether the second person has read the first one's last message, if the protocol tells.
    is_read: Option<IsRead>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Lobby,
    Room,
    Direct,
}

/// A room and its people, for protocols that identify a room by either.
#[derive(Clone)]
struct Place {
    kind: Kind,
    id: i64,
    people: Vec<(i64, String)>,
}

impl Place {
    fn of(kind: Kind, id: i64, people: &[&Persona]) -> Self {
        Self {
            kind,
            id,
            people: people
                .iter()
                .map(|person| (person.id, person.name.clone()))
                .collect(),
        }
    }

    /// Returns the id of the other person in a direct room.
    fn other(&self, me: i64) -> i64 {
        self.people.iter().find(|(id, _)| *id != me).unwrap().0
    }
}

/// Connection of a person in one protocol, subscribed to one room. Operations that the protocol lacks return `false`.
trait Seat {
    fn say(&mut self, text: String) -> On<'_, ()>;
    /// Waits for the next message.
    fn hear(&mut self) -> On<'_, Said>;
    /// Waits for the next file message. Returns a text that contains the file's name and may end with its URL.
    fn hear_file(&mut self) -> On<'_, String>;
    /// Waits until the connection is closed.
    fn closed(self: Box<Self>) -> Doing<()>;
    fn upload(&mut self, _name: &'static str, _bytes: &'static str) -> On<'_, bool> {
        Box::pin(ready(false))
    }
    /// Marks all messages as read.
    fn mark_read(&mut self) -> On<'_, bool> {
        Box::pin(ready(false))
    }
    /// Waits until the other person has read the messages.
    fn hear_read(&mut self) -> On<'_, bool> {
        Box::pin(ready(false))
    }
}

/// A seat with its protocol and person.
struct Seated {
    voice: &'static Voice,
    person: Persona,
    seat: Box<dyn Seat>,
}

impl Seated {
    async fn new(voice: &'static Voice, person: &Persona, place: &Place) -> Self {
        let seat = (voice.sit)(person.clone(), place.clone()).await;
        Self {
            voice,
            person: person.clone(),
            seat,
        }
    }

    async fn hears(&mut self, by: &str, text: &str) {
        let heard = self.seat.hear().await;
        let (who, voice) = (&self.person.name, self.voice.name);
        assert_eq!(heard, (by.to_owned(), text.to_owned()), "{who} by {voice}");
    }
}

/// Returns the protocols that can address rooms of this kind.
fn voices_in(kind: Kind) -> impl Iterator<Item = &'static Voice> {
    VOICES
        .iter()
        .copied()
        .filter(move |voice| (voice.goes_to)(kind))
}

/// Sends a message from each seat over its socket and, if the protocol can, one by HTTP. Asserts that every seat
/// receives each message once and in order. Returns all messages.
async fn talk(seats: &mut [Seated], place: &Place) -> Vec<Said> {
    let mut said = Vec::new();
    for speaker in 0..seats.len() {
        let (voice, person) = (seats[speaker].voice, seats[speaker].person.clone());
        let text = format!("{} by {}", person.name, voice.name);
        seats[speaker].seat.say(text.clone()).await;
        said.push((person.name.clone(), text));
        if let Some(post) = voice.post {
            // Socket and HTTP are not ordered with each other, so wait for the first message.
            hear_all(seats, &said[said.len() - 1..]).await;
            let text = format!("{} by {} over HTTP", person.name, voice.name);
            post(person.clone(), place.clone(), text.clone()).await;
            said.push((person.name, text));
        }
        hear_all(seats, &said[said.len() - 1..]).await;
    }
    said
}

async fn hear_all(seats: &mut [Seated], said: &[Said]) {
    for seat in seats {
        for (by, text) in said {
            seat.hears(by, text).await;
        }
    }
}

/// Asserts the history in every protocol. `back_chat` shows only the newest 10 messages.
async fn assert_histories(reader: &Persona, place: &Place, expected: &[Said]) {
    for voice in voices_in(place.kind) {
        let shown = (voice.history)(reader.clone(), place.clone()).await;
        let newest = match voice.name {
            "back_chat" => &expected[expected.len().saturating_sub(10)..],
            _ => expected,
        };
        assert_eq!(shown, newest, "{}", voice.name);
    }
}

/// Reads sender and text of each object in `list` from these two keys.
fn said(list: &Value, by: &str, text: &str) -> Vec<Said> {
    let said = |object: &Value| (word(&object[by]), word(&object[text]));
    list.as_array().unwrap().iter().map(said).collect()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn log_in(client: Client, path: &str, body: Value) -> String {
    word(&client.post(path, body).await.ok(200)["access_token"])
}
