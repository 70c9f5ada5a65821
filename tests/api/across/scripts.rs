//! Text in many scripts passes unchanged through every protocol, search and the pages.

use serde_json::json;

use super::rooms::gather;
use super::*;

/// Number of messages that every history shows.
const SHOWN: usize = 10;

/// A row of `tests/scripts.json`.
struct Row {
    script: String,
    text: String,
    /// Whether the text is also used as a name.
    is_name: bool,
}

fn rows() -> Vec<Row> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../../scripts.json")).unwrap();
    let row = |row: &Value| Row {
        script: word(&row["script"]),
        text: word(&row["text"]),
        is_name: row["name"] == true,
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let scripts: std::collections::HashSet<_> = rows.iter().map(|row| &row.script).collect();
    assert!(rows.len() >= 200 && scripts.len() >= 20);
    rows
}

fn names() -> Vec<String> {
    let names = rows().into_iter().filter(|row| row.is_name);
    names.map(|row| row.text).collect()
}

async fn say(seats: &mut [Seated], speaker: usize, text: &str) -> Said {
    let by = seats[speaker].person.name.clone();
    seats[speaker].seat.say(text.to_owned()).await;
    let said = (by, text.to_owned());
    hear_all(seats, std::slice::from_ref(&said)).await;
    said
}

/// Asserts that every history ends with these messages.
async fn assert_newest(reader: &Persona, place: &Place, said: &[Said]) {
    for voice in voices_in(place.kind) {
        let shown = (voice.history)(reader.clone(), place.clone()).await;
        assert!(
            shown.ends_with(said),
            "{}: {shown:?}, not {said:?}",
            voice.name
        );
    }
}

/// Returns whether a search for the whole text finds a message with this content; reads all pages.
async fn finds(who: &Persona, text: &str) -> bool {
    let line = format!("\"{text}\"");
    let line: String = form_urlencoded::byte_serialize(line.as_bytes()).collect();
    let mut before = String::new();
    loop {
        let path = format!("search?q={line}&limit=200{before}");
        let page = who.get(&path).await.ok(200);
        let mut items = page["items"].as_array().unwrap().iter();
        if items.any(|item| item["message"]["content"] == text) {
            return true;
        }
        if page["more"] == false {
            return false;
        }
        before = format!("&before={}", page["next"]);
    }
}

#[tokio::test]
async fn messages_in_every_script_are_unchanged_in_all_protocols() {
    let server = TestServer::start().await;
    let (place, mut seats) = gather(&server, Kind::Lobby, false).await;
    for speaker in 0..seats.len() {
        for some in rows().chunks(SHOWN) {
            let mut said = Vec::new();
            for row in some {
                said.push(say(&mut seats, speaker, &row.text).await);
            }
            if speaker == 0 {
                assert_newest(&seats[0].person, &place, &said).await;
            }
        }
    }
    for row in rows() {
        let has_words = row.text.chars().any(char::is_alphanumeric) || row.script == "Emoji";
        let is_short = row.text.chars().count() < 250 && !row.text.contains('"');
        if has_words && is_short {
            let found = finds(&seats[0].person, &row.text).await;
            assert!(found, "{}: {:?}", row.script, row.text);
        }
    }
}

#[tokio::test]
async fn direct_messages_in_every_script_are_unchanged_in_all_protocols() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let place = Place::of(Kind::Direct, ann.direct_room(&bob).await, &[&ann, &bob]);
    let mut seats = Vec::new();
    for voice in voices_in(Kind::Direct) {
        seats.push(Seated::new(voice, &ann, &place).await);
    }
    for voice in ["chat_app", "native"] {
        let speaker = seats.iter().position(|seat| seat.voice.name == voice);
        for some in rows().chunks(SHOWN) {
            let mut said = Vec::new();
            for row in some {
                said.push(say(&mut seats, speaker.unwrap(), &row.text).await);
            }
            if voice == "chat_app" {
                assert_newest(&ann, &place, &said).await;
            }
        }
    }
}

/// Registers an account through one of three protocols, by `protocol` modulo 3.
async fn register_by(server: &TestServer, protocol: usize, name: &str) -> Reply {
    let anybody = server.anybody();
    match protocol % 3 {
        0 => {
            let body = json!({ "username": name, "password": PASSWORD });
            anybody.post("auth/register", body).await
        }
        1 => {
            let body = json!({ "user_name": name, "password": PASSWORD });
            anybody.post("/api/register", body).await
        }
        _ => {
            let email = format!("{protocol}@example.org");
            let body = json!({ "username": name, "email": email, "password": PASSWORD });
            anybody.post("/api/auth/register", body).await
        }
    }
}

#[tokio::test]
async fn usernames_in_every_script_are_unchanged_in_all_protocols() {
    let server = TestServer::start().await;
    let (_, mut seats) = gather(&server, Kind::Lobby, false).await;
    let mut accepted = 0;
    for (protocol, name) in names().iter().enumerate() {
        let reply = register_by(&server, protocol, name).await;
        match reply.status.as_u16() {
            200 | 201 => accepted += 1,
            // Usernames may not combine emoji with letters.
            400 | 422 => continue,
            _ => panic!("{name}: {reply}"),
        }
        let person = server.log_in(name).await;
        assert_eq!(person.name, *name);
        person.say(1, "here I am").await;
        hear_all(&mut seats, &[(name.clone(), "here I am".to_owned())]).await;
        let query: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let found = person.get(&format!("users?q={query}")).await.items();
        assert!(
            found.iter().any(|user| user["username"] == **name),
            "{name}"
        );
        let line: String =
            form_urlencoded::byte_serialize(format!("from:\"{name}\"").as_bytes()).collect();
        let found = person.get(&format!("search?q={line}")).await.ok(200);
        assert_eq!(found["items"][0]["message"]["sender"]["username"], **name);
        let asked = seats[0].person.say(1, &format!("look, @{name}!")).await;
        assert_eq!(asked["mentions"], json!([person.id]), "{name}");
        let asking = (seats_name(&seats), format!("look, @{name}!"));
        hear_all(&mut seats, &[asking]).await;
    }
    assert!(accepted >= 60, "{accepted}");
}

fn seats_name(seats: &[Seated]) -> String {
    seats[0].person.name.clone()
}

#[tokio::test]
async fn display_names_and_room_names_in_every_script_are_unchanged() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let page = Pages::log_in(&server, "ann").await;
    let room = ann.public_room("room").await;
    for name in names() {
        let shown = json!({ "display_name": name });
        assert_eq!(ann.patch("me", shown).await.ok(200)["display_name"], *name);
        let called = json!({ "name": name });
        let changed = ann.patch(&format!("rooms/{room}"), called).await.ok(200);
        assert_eq!(changed["name"], *name);
        let rooms = page.read("/rooms").await;
        assert!(rooms.contains(&format!("<bdi>{name}</bdi>")), "{name}");
        assert!(
            rooms.contains(&format!("<span class=\"my-name\"><bdi>{name}</bdi>")),
            "{name}"
        );
        let told = ann.get("/v1/users").await.ok(200);
        assert_eq!(told[0]["name"], *name);
        let told = ann.get("/chat/info").await.ok(200);
        assert_eq!(told["name"], *name);
        let line: String =
            form_urlencoded::byte_serialize(format!("in:\"{name}\"").as_bytes()).collect();
        ann.say(room, "found").await;
        let found = ann.get(&format!("search?q={line}")).await.ok(200);
        assert_eq!(found["items"][0]["message"]["content"], "found", "{name}");
    }
}

#[tokio::test]
async fn file_names_in_every_script_are_unchanged_in_all_protocols() {
    let server = TestServer::start().await;
    let (_, mut seats) = gather(&server, Kind::Lobby, false).await;
    let senders: Vec<_> = (0..seats.len())
        .filter(|place| ["native", "back_chat", "realtime"].contains(&seats[*place].voice.name))
        .collect();
    for (place, name) in names().into_iter().enumerate() {
        let sender = senders[place % senders.len()];
        let mut name = format!("{name}.pdf");
        if seats[sender].voice.name == "back_chat" {
            // `back_chat` stores file names with `-` for blanks.
            name = name.replace(char::is_whitespace, "-");
        }
        let name: &'static str = name.leak();
        assert!(seats[sender].seat.upload(name, "content").await);
        for seat in &mut seats {
            let (text, voice) = (seat.seat.hear_file().await, seat.voice.name);
            assert!(text.contains(name), "{voice}: {text} has no {name}");
        }
    }
}
