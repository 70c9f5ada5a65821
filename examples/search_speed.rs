//! Measures search: makes a file of many messages (a million by default) and runs typical queries.
//!
//! `cargo run --release --example search_speed [messages [file]]`. An existing file is searched as it is.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor::model::{
    Content, Draft, FileKey, FileName, Link, Mentions, MessageId, Millis, NewRoom, Person, RoomId,
    RoomKind, SearchLine, ShownName, UserId, Username, WebUrl,
};
use parlor::store::{NewMessage, NewUser, OpenOptions, SearchRequest, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROOMS: i64 = 300;
const USERS: usize = 200;
/// The searching account is a member of every tenth room.
const MINE: i64 = 10;
const DAY: i64 = 24 * 3_600_000;
const BEGUN: i64 = 20_000 * DAY;
const DAYS: i64 = 300;
/// Target for the median time of the first page.
const WANTED: Duration = Duration::from_millis(20);
const TIMES: usize = 20;

/// Descriptions and queries. Words are numbered by frequency, from 0 for the most frequent.
const QUESTIONS: &[(&str, &str)] = &[
    ("the commonest word", "{0}"),
    ("a common word of four letters", "{12}"),
    ("a rare word", "{20000}"),
    ("no word at all", "xyzzyx"),
    ("common and common", "{0} {1}"),
    ("four common", "{10} {11} {12} {13}"),
    ("common and rare", "{0} {20000}"),
    ("a phrase, often", "\"{1} {0}\""),
    ("a phrase of the commonest, never", "\"{0} {1}\""),
    ("a phrase, seldom", "\"{10} {11}\""),
    ("a phrase of five", "\"{1} {0} {2} {3} {4}\""),
    ("a phrase of two, its end open", "{12}-{13}"),
    ("one Chinese character", "[0]"),
    ("two", "[0][1]"),
    ("two, common and rare", "[0][900]"),
    ("three", "[2][1][0]"),
    ("four, never", "[0][0][0][0]"),
    ("Russian", "(12)"),
    ("a beginning of three letters", "ban"),
    ("a beginning of four letters", "bana"),
    ("from somebody", "{0} from:7"),
    ("from somebody, rare", "{3000} from:7"),
    ("from somebody, all", "from:7"),
    ("in one room", "{0} in:#10"),
    ("in one small room", "{0} in:#290"),
    ("in one small room, a phrase", "\"{1} {0}\" in:#290"),
    ("before the tenth day", "{0} before:10"),
    ("before the tenth day, a phrase", "\"{1} {0}\" before:10"),
    ("of the last day, rare", "{3000} after:299"),
    ("with a file", "{0} has:file"),
    (
        "with a file from somebody before",
        "has:file from:7 before:150",
    ),
    ("elsewhere only, rare", "zzrare"),
    ("elsewhere only, common", "zzcommon"),
    ("elsewhere only, a phrase", "\"zzcommon zzcommon\""),
];

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let count = args.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let path = args
        .next()
        .map_or(folder.path().join("chat.db"), PathBuf::from);
    let new = !path.exists();
    let store = Store::open(&path, &OpenOptions::default())?;
    if new {
        fill(&store, count).await?;
    }
    let rooms = |every: i64| {
        (1..=ROOMS)
            .filter(|room| room % every == 0)
            .map(RoomId)
            .collect()
    };
    for (who, rooms) in [
        ("of 30 rooms", rooms(MINE)),
        ("of all 300", rooms(1)),
        ("of 2 small ones", rooms(140)),
    ] {
        ask(&store, who, rooms).await?;
    }
    store.close().await;
    sizes(&path)
}

async fn ask(store: &Store, who: &str, rooms: Vec<RoomId>) -> Outcome<()> {
    println!(
        "\n| somebody {who} asks for | found | more | median ms | CPU ms | |\n|---|---|---|---|---|---|"
    );
    for (what, question) in QUESTIONS {
        let request = request(question, &rooms)?;
        let Ok(mut page) = store.search(request.clone()).await else {
            println!("| {what} | | | | | **more than two seconds** |");
            continue;
        };
        let (mut times, used) = (Vec::new(), cpu()?);
        for _ in 0..TIMES {
            let begun = Instant::now();
            page = store.search(request.clone()).await?;
            times.push(begun.elapsed());
        }
        let used = (cpu()? - used) / TIMES as u32;
        times.sort();
        let median = times[TIMES / 2];
        println!(
            "| {what} | {} | {} | {:.2} | {:.1} | {} |",
            page.found.len(),
            page.next.is_some(),
            median.as_secs_f64() * 1e3,
            used.as_secs_f64() * 1e3,
            if median > WANTED { "**slow**" } else { "" },
        );
    }
    Ok(())
}

fn request(question: &str, rooms: &[RoomId]) -> Outcome<SearchRequest> {
    let day = |word: &str| Some(Millis(BEGUN + word.parse::<i64>().ok()? * DAY));
    let line = SearchLine::parse(&written(question)?, day).map_err(|error| format!("{error:?}"))?;
    let from = line.from.iter().map(|id| id.parse().map(UserId));
    let from = from.collect::<Result<Vec<_>, _>>()?;
    let rooms = match line.rooms.first() {
        Some(parlor::model::RoomWord::Id(room)) => vec![*room],
        _ => rooms.to_vec(),
    };
    let from = (!from.is_empty()).then_some(from);
    Ok(SearchRequest::new(line, rooms, from, 50))
}

/// Replaces placeholders by words: `{3}` Latin, `(3)` Cyrillic, `[3]` Chinese.
fn written(question: &str) -> Outcome<String> {
    let mut line = String::new();
    let mut rest = question;
    while let Some(at) = rest.find(['{', '(', '[']) {
        let end = at + rest[at..].find(['}', ')', ']']).ok_or("no end")?;
        let rank = rest[at + 1..end].parse()?;
        line += &rest[..at];
        match &rest[at..=at] {
            "{" => line += &latin(rank),
            "(" => line += &cyrillic(rank),
            _ => line.push(chinese(rank)),
        }
        rest = &rest[end + 1..];
    }
    Ok(line + rest)
}

async fn fill(store: &Store, count: i64) -> Outcome<()> {
    let mut rng = StdRng::seed_from_u64(1);
    let mut people = Vec::new();
    for number in 0..USERS {
        let name =
            Username::parse(&format!("user{number}")).map_err(|error| format!("{error:?}"))?;
        people.push(
            store
                .add_user(NewUser::named(name, None, None))
                .await?
                .person,
        );
    }
    for number in 2..=ROOMS {
        let name =
            ShownName::of_room(&format!("room{number}")).map_err(|error| format!("{error:?}"))?;
        let (kind, description) = (RoomKind::Private, String::new());
        store
            .create_room(
                NewRoom {
                    name,
                    description,
                    kind,
                    access_key: None,
                },
                people[0].id,
            )
            .await?;
    }
    let (begun, used) = (Instant::now(), cpu()?);
    let mut writing = Duration::ZERO;
    let mut done = 0;
    while done < count {
        let mut batch = Vec::new();
        let begun = cpu()?;
        for number in done..count.min(done + 1000) {
            batch.push(message(&mut rng, store, &people, number, count).await?);
        }
        writing += cpu()? - begun;
        let mut tickets = Vec::new();
        for new in batch {
            tickets.push(store.append_message(new).await);
        }
        for ticket in tickets {
            ticket.await?;
            done += 1;
        }
    }
    let spent = cpu()? - used - writing;
    println!(
        "{count} messages written in {:.0} s, {:.1} µs CPU each",
        begun.elapsed().as_secs_f64(),
        spent.as_secs_f64() * 1e6 / count as f64
    );
    Ok(())
}

/// Returns the CPU time of this process.
fn cpu() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let ticks = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .skip(11)
        .take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

async fn message(
    rng: &mut StdRng,
    store: &Store,
    people: &[Arc<Person>],
    number: i64,
    count: i64,
) -> Outcome<NewMessage> {
    let room = RoomId(1 + rank(rng, ROOMS as usize) as i64);
    let mut text = text(rng);
    if room.0 % MINE != 0 {
        text += match rng.random_range(0..1000) {
            0 => " zzrare",
            1..50 => " zzcommon",
            _ => "",
        };
    }
    let sender = people[rank(rng, USERS)].clone();
    let draft = Draft::new(Content::parse(&text).map_err(|error| format!("{error:?}"))?);
    let mut draft = Draft {
        uuid: Uuid::new_v4(),
        ..draft
    };
    if number % 100 == 0 {
        let url = WebUrl::parse("url", "https://example.org/a", &[])
            .map_err(|error| format!("{error:?}"))?;
        let link = Link {
            name: FileName::clean("Holiday photo.jpg"),
            media_type: "image/jpeg".to_owned(),
            size: 1,
            url,
        };
        draft
            .files
            .push(store.add_link(sender.id, FileKey([0; 16]), link).await?.id);
    }
    Ok(NewMessage {
        id: MessageId(store.next_id()),
        room_id: room,
        room_uuid: Uuid::nil(),
        sender,
        draft,
        mentions: Mentions::default(),
        direct: None,
        created_at: Millis(BEGUN + number * (DAYS * DAY / count)),
    })
}

/// Returns a random rank below `most`; low ranks are frequent and high ones rare, as with words.
fn rank(rng: &mut StdRng, most: usize) -> usize {
    let most = most as f64;
    (most.powf(rng.random::<f64>()) as usize).saturating_sub(1)
}

fn text(rng: &mut StdRng) -> String {
    let script = rng.random_range(0..100);
    if script >= 80 {
        let base = if script < 92 {
            chinese as fn(usize) -> char
        } else {
            korean
        };
        return (0..rng.random_range(4..30))
            .map(|_| base(rank(rng, 3000)))
            .collect();
    }
    let word = if script < 70 {
        latin as fn(usize) -> String
    } else {
        cyrillic
    };
    let mut ranks: Vec<usize> = (0..rng.random_range(2..20))
        .map(|_| rank(rng, 60_000))
        .collect();
    // Words 0 and 1 never follow each other, so that a query can search for a phrase that does not occur.
    for at in 1..ranks.len() {
        if ranks[at - 1] == 0 && ranks[at] == 1 {
            ranks[at] = 2;
        }
    }
    ranks.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

fn syllables(rank: usize, first: &[char], second: &[char]) -> String {
    let mut word = String::new();
    let mut left = rank;
    while left > 0 || word.is_empty() || (rank >= 10 && word.chars().count() < 4) {
        word.push(first[left % first.len()]);
        word.push(second[left / first.len() % second.len()]);
        left /= first.len() * second.len();
    }
    if rank < 10 {
        word.push('n');
    }
    word
}

fn latin(rank: usize) -> String {
    let first: Vec<char> = "bcdfghjklmnprstvwxyz".chars().collect();
    syllables(rank, &first, &['a', 'e', 'i', 'o', 'u'])
}

fn cyrillic(rank: usize) -> String {
    let first: Vec<char> = "бвгджзклмнпрстфхцчшщ".chars().collect();
    syllables(rank, &first, &['а', 'е', 'и', 'о', 'у'])
}

fn chinese(rank: usize) -> char {
    char::from_u32(0x4e00 + rank as u32).unwrap_or('一')
}

fn korean(rank: usize) -> char {
    char::from_u32(0xac00 + rank as u32).unwrap_or('가')
}

/// Prints the size of each table and index.
fn sizes(path: &Path) -> Outcome<()> {
    let db = rusqlite::Connection::open(path)?;
    println!("\n| table or index | MB |\n|---|---|");
    let mut find = db.prepare("SELECT name, sum(pgsize) / 1e6 FROM dbstat GROUP BY name HAVING sum(pgsize) > 1000000 ORDER BY 2 DESC")?;
    let rows = find.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
    })?;
    for row in rows {
        let (name, size) = row?;
        println!("| {name} | {size:.1} |");
    }
    Ok(())
}
