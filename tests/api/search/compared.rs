//! Compares search results with a linear scan over random messages.

use super::*;

/// Returns a random spelling of `plain`, with accents and capitals.
fn spell(rng: &mut StdRng, plain: &str) -> String {
    let accent = |c: char| match c {
        'a' => "aàäáÄ",
        'e' => "eéèÊ",
        'o' => "oôöØ",
        'u' => "uüÚ",
        'c' => "cçC",
        'е' => "еёЕ",
        'и' => "иИ",
        _ => "",
    };
    plain
        .chars()
        .map(|c| {
            let all: Vec<char> = accent(c).chars().collect();
            if all.is_empty() {
                c
            } else {
                all[rng.random_range(0..all.len())]
            }
        })
        .collect()
}

/// Returns random letters of one of the alphabets.
fn pick(rng: &mut StdRng, from: &[&str], lengths: Range<usize>) -> String {
    let from: Vec<char> = from[rng.random_range(0..from.len())].chars().collect();
    (0..rng.random_range(lengths))
        .map(|_| from[rng.random_range(0..from.len())])
        .collect()
}

const DENSE: [&str; 3] = [
    "我爸妈在北京工作学",
    "いちごたべカキク食学",
    "학교에갔어요가나",
];
const LETTERS: [&str; 2] = ["aeouct", "еиатн"];

/// A random message with its words without accents, and its runs of dense script.
#[derive(Clone, Default)]
struct Written {
    text: String,
    words: Vec<String>,
    runs: Vec<String>,
    /// Words and runs in order; a run is `None`.
    order: Vec<Option<String>>,
}

fn write(rng: &mut StdRng) -> Written {
    let mut written = Written::default();
    for _ in 0..rng.random_range(1..6) {
        if rng.random_bool(0.5) {
            let word = pick(rng, &LETTERS, 1..6);
            written.text += &spell(rng, &word);
            written.order.push(Some(word.clone()));
            written.words.push(word);
        } else {
            let run = pick(rng, &DENSE, 1..9);
            written.text += &run;
            written.order.push(None);
            written.runs.push(run);
        }
        written.text += [" ", ", ", "\n", "。", " - "][rng.random_range(0..5)];
    }
    written.text = written.text.trim().to_owned();
    written
}

/// A term of a query, and a predicate for the messages that match it.
type Wanted = (String, Box<dyn Fn(&Written) -> bool>);

fn wish(rng: &mut StdRng) -> Wanted {
    if rng.random_bool(0.3) {
        let phrase = [pick(rng, &LETTERS, 1..3), pick(rng, &LETTERS, 1..3)];
        let typed = format!("\"{} {}\"", spell(rng, &phrase[0]), spell(rng, &phrase[1]));
        let phrase = phrase.map(Some);
        let fits = move |written: &Written| written.order.windows(2).any(|two| *two == phrase);
        return (typed, Box::new(fits));
    }
    if rng.random_bool(0.5) {
        let plain = pick(rng, &LETTERS, 1..5);
        let typed = spell(rng, &plain);
        let open = plain.chars().count() >= 3;
        let fits = move |word: &String| *word == plain || open && word.starts_with(&plain);
        (
            typed,
            Box::new(move |written| written.words.iter().any(&fits)),
        )
    } else {
        let part = pick(rng, &DENSE, 1..4);
        (
            part.clone(),
            Box::new(move |written| written.runs.iter().any(|run| run.contains(&part))),
        )
    }
}

/// Waits for the sent messages, then deletes some and edits some; returns those that remain.
async fn settle(
    rng: &mut StdRng,
    socket: &mut Socket,
    sent: Vec<(i64, i64, Written)>,
) -> Vec<(i64, i64, Written)> {
    let mut known = Vec::new();
    for (asked, room, mut written) in sent {
        let message = id(&socket.answer(asked).await.unwrap()["message"]);
        match rng.random_range(0..10) {
            0 => {
                socket
                    .ok(json!({ "op": "delete", "message": message }))
                    .await;
                continue;
            }
            1 => {
                written = write(rng);
                let op = json!({ "op": "edit", "message": message, "content": written.text });
                socket.ok(op).await;
            }
            _ => {}
        }
        known.push((message, room, written));
    }
    known
}

#[tokio::test]
async fn search_finds_the_same_as_a_linear_scan_in_five_scripts() {
    let mut rng = StdRng::seed_from_u64(3);
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let foreign = bob.private_room("foreign").await;
    let shared = bob.private_room("shared").await;
    bob.add(shared, &ann, "member").await;
    let mut socket = bob.connect().await;
    let mut known = Vec::new();
    // In batches: a client that sends without reading the answers is disconnected.
    for _ in 0..15 {
        let mut some = Vec::new();
        for _ in 0..100 {
            let room = [1, shared, foreign][rng.random_range(0..3)];
            let written = write(&mut rng);
            let op = json!({ "op": "send", "room": room, "content": written.text });
            some.push((socket.send(op).await, room, written));
        }
        known.extend(settle(&mut rng, &mut socket, some).await);
    }
    let mut hits = HashSet::new();
    for _ in 0..300 {
        let wishes: Vec<Wanted> = (0..rng.random_range(1..3))
            .map(|_| wish(&mut rng))
            .collect();
        let line: Vec<_> = wishes.iter().map(|(typed, _)| typed.as_str()).collect();
        let fits = |room: i64, written: &Written| {
            room != foreign && wishes.iter().all(|(_, fits)| fits(written))
        };
        let mut slow: Vec<i64> = known
            .iter()
            .filter(|(_, room, text)| fits(*room, text))
            .map(|(id, ..)| *id)
            .collect();
        slow.sort_unstable_by(|a, b| b.cmp(a));
        let limit = rng.random_range(1..200);
        assert_eq!(
            all_ids(&ann, &line.join(" "), limit).await,
            slow,
            "{line:?}"
        );
        hits.extend(slow);
    }
    assert!(
        hits.len() > 300,
        "only {} messages were ever found",
        hits.len()
    );
}
