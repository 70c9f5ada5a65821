//! Databases of earlier versions: each `tests/fixtures/v<N>.db.gz` was written by the Parlor of that version.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::*;

/// Returns the SQL of all schema objects by name, with normalized white space.
fn schema(server: &TestServer) -> BTreeMap<String, String> {
    let db = rusqlite::Connection::open(server.db()).unwrap();
    let mut find = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        .unwrap();
    let rows = find.query_map([], |row| {
        let sql: String = row.get(1)?;
        let words: Vec<_> = sql.split_whitespace().collect();
        Ok((row.get(0)?, words.join(" ")))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_version_1_database_gets_the_schema_of_a_new_one() {
    let old = upgraded(include_bytes!("../fixtures/v1.db.gz")).await;
    let new = TestServer::start().await;
    assert_eq!(schema(&old), schema(&new));
    let copy = old.db().with_extension("db.v1.bak");
    assert_eq!(
        count_rows(&copy, "messages"),
        count_rows(&old.db(), "messages")
    );
}

#[tokio::test]
async fn a_version_1_database_keeps_its_content() {
    let server = upgraded(include_bytes!("../fixtures/v1.db.gz")).await;
    let (ann, bob) = (server.log_in("ann").await, server.log_in("Bob Smith").await);
    let rooms = ann.get("rooms").await.items();
    let named = |name: &str| id(rooms.iter().find(|room| room["name"] == name).unwrap());
    let kitchen = named("Kitchen");

    let said = ann.history(kitchen).await;
    let texts: Vec<_> = said.iter().map(|said| said["content"].clone()).collect();
    assert_eq!(
        texts,
        [
            "Who has the crème brûlée?",
            "東京に行きます",
            "@Bob Smith look",
            "with a list"
        ]
    );
    assert_eq!(said[3]["files"][0]["name"], "shopping list.txt");

    // Unchanged messages have their ids as change ids, the others later ones.
    let mut socket = ann.connect().await;
    let all = socket.resume_all(1, 0).await;
    let order: Vec<_> = all
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(
        order,
        [
            "안녕하세요 여러분",
            "an answer",
            "was edited",
            "",
            "Good morning"
        ]
    );
    let lobby = &ann.overview(1).await.unwrap();
    assert_eq!(lobby["change_id"], all[4]["change_id"]);
    let unread = bob.overview(kitchen).await.unwrap()["unread"].clone();
    assert_eq!(unread, 2);

    for (line, hits) in [
        ("creme", 1),
        ("東京", 1),
        ("edited", 1),
        ("list", 1),
        ("deleted", 0),
    ] {
        let line: String = form_urlencoded::byte_serialize(line.as_bytes()).collect();
        let found = ann.get(&format!("search?q={line}")).await.ok(200);
        assert_eq!(found["items"].as_array().unwrap().len(), hits, "{line}");
    }
}

async fn found(who: &Persona, line: &str) -> Vec<String> {
    let line: String = form_urlencoded::byte_serialize(line.as_bytes()).collect();
    let page = who.get(&format!("search?q={line}")).await.ok(200);
    let text = |item: &Value| item["message"]["content"].as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn phrases_are_found_in_a_version_2_database() {
    let server = upgraded(include_bytes!("../fixtures/v2.db.gz")).await;
    let ann = server.log_in("ann").await;
    for (line, hits) in [
        (
            "\"old bridge\"",
            vec!["Good morning, see you at the old bridge"],
        ),
        (
            "\"at the old\"",
            vec!["Good morning, see you at the old bridge"],
        ),
        ("\"bridge the\"", vec![]),
        (
            "see-you",
            vec![
                "See you later, not at the bridge",
                "Good morning, see you at the old bridge",
            ],
        ),
        ("\"zur brucke\"", vec!["Zoë kommt später zur Brücke"]),
        ("\"старого моста\"", vec!["Увидимся завтра у старого моста"]),
        ("北京", vec!["我爸爸在北京工作。"]),
        ("ガッコウ", vec!["いちごを食べたｶﾞｯｺｳ"]),
        ("갔어", vec!["학교에 갔어요"]),
        ("\"promised house plan\" has:file", vec!["as promised"]),
        ("\"words that\"", vec![]),
        ("\"as they\"", vec![]),
        ("\"other words\"", vec!["other words for them"]),
    ] {
        assert_eq!(found(&ann, line).await, hits, "{line}");
    }
    let files = ann.get("rooms/2/messages").await.items();
    let file = only_file(files.last().unwrap());
    assert_eq!(ann.get(url(&file)).await.body, "walls and doors");
    ann.say(1, "old bridge, new words").await;
    assert_eq!(found(&ann, "\"old bridge\"").await.len(), 2);
}

#[tokio::test]
async fn mutes_and_room_bans_of_a_version_3_database_persist() {
    let server = upgraded(include_bytes!("../fixtures/v3.db.gz")).await;
    assert_eq!(schema(&server), schema(&TestServer::start().await));
    let (cat, eve) = (server.log_in("cat").await, server.log_in("eve").await);
    let text = || json!({ "content": "x" });
    let muted = cat.overview(2).await.unwrap()["muted_until"].clone();
    assert_eq!(muted, "2099-01-01T00:00:00.000Z", "{muted}");
    for _ in 0..2 {
        cat.post("rooms/2/messages", text())
            .await
            .refused(403, "muted");
        cat.call("POST", "rooms/2/leave", None).await.done();
        cat.call("POST", "rooms/2/join", None).await.ok(200);
    }
    cat.say(3, "not muted here").await;
    let key = json!({ "access_key": "let me in" });
    eve.post("rooms/join", key).await.refused(404, "not_found");
    eve.say(2, "nor barred here").await;
}
