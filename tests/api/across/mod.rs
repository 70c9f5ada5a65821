//! All protocols at once: whoever says something in one of them is heard in all others. What a protocol can is its voice
//! in `voices`; every test here walks the list of them.

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

/// Something that takes time.
type Doing<T> = LocalBoxFuture<'static, T>;
/// The same, on a seat.
type On<'a, T> = LocalBoxFuture<'a, T>;

/// Says something somewhere.
type Post = fn(Persona, Place, String) -> Doing<()>;
/// Whether one person's words were read by the other.
type IsRead = fn(Persona, Persona, Place) -> Doing<bool>;

/// Who said what.
type Said = (String, String);

/// What a protocol can.
struct Voice {
    name: &'static str,
    /// Whether it can be there at all.
    goes_to: fn(Kind) -> bool,
    /// Connects somebody and listens.
    sit: fn(Persona, Place) -> Doing<Box<dyn Seat>>,
    /// Says something by HTTP.
    post: Option<Post>,
    /// What was said, the oldest first.
    history: fn(Persona, Place) -> Doing<Vec<Said>>,
    /// Logs in, with the password that everybody has; answers the token.
    log_in: Option<fn(Client, String) -> Doing<String>>,
    /// Ends the session of the client's token.
    log_out: Option<fn(Client) -> Doing<()>>,
    /// A page that is only for those with a token.
    own_page: &'static str,
    /// Whether somebody has read what the first of the two said last.
    is_read: Option<IsRead>,
}

/// A sort of room.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Lobby,
    Room,
    Direct,
}

/// A room, as every protocol may name it.
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

    /// The other one of the two.
    fn other(&self, me: i64) -> i64 {
        self.people.iter().find(|(id, _)| *id != me).unwrap().0
    }
}

/// Somebody's connection in one protocol, listening in one place. What a protocol has no word for answers `false`.
trait Seat {
    /// Says something.
    fn say(&mut self, text: String) -> On<'_, ()>;
    /// The next message.
    fn hear(&mut self) -> On<'_, Said>;
    /// The next message that is a file: its name somewhere in a text, at whose end its address may be.
    fn hear_file(&mut self) -> On<'_, String>;
    /// Waits for the end.
    fn closed(self: Box<Self>) -> Doing<()>;
    /// Sends a file.
    fn upload(&mut self, _name: &'static str, _bytes: &'static str) -> On<'_, bool> {
        Box::pin(ready(false))
    }
    /// Marks all as read.
    fn mark_read(&mut self) -> On<'_, bool> {
        Box::pin(ready(false))
    }
    /// Hears that the other one has read.
    fn hear_read(&mut self) -> On<'_, bool> {
        Box::pin(ready(false))
    }
}

/// A seat and what it belongs to.
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

/// The voices that can be there.
fn voices_in(kind: Kind) -> impl Iterator<Item = &'static Voice> {
    VOICES
        .iter()
        .copied()
        .filter(move |voice| (voice.goes_to)(kind))
}

/// Everybody says something, over their socket and, where that can be, by HTTP; everybody hears it once and in order.
/// Answers all that was said.
async fn talk(seats: &mut [Seated], place: &Place) -> Vec<Said> {
    let mut said = Vec::new();
    for speaker in 0..seats.len() {
        let (voice, person) = (seats[speaker].voice, seats[speaker].person.clone());
        let text = format!("{} by {}", person.name, voice.name);
        seats[speaker].seat.say(text.clone()).await;
        said.push((person.name.clone(), text));
        if let Some(post) = voice.post {
            // It comes second only when the first has come.
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

/// Every history must say so; those that show less, the newest of it.
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

/// The texts under two keys of every object.
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
