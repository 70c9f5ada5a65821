//! Files of earlier versions: `tests/fixtures/v<N>.db.gz`, each written by the Parlor of its time.

use std::collections::BTreeMap;
use std::io::Read;

use super::support::*;

async fn upgraded(fixture: &[u8]) -> TestServer {
    let mut bytes = Vec::new();
    let mut file = flate2::read::GzDecoder::new(fixture);
    file.read_to_end(&mut bytes).unwrap();
    TestServer::start_with(|config| std::fs::write(&config.server.db, bytes).unwrap()).await
}

/// What the file is made of, by name, however it was written down.
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
async fn a_file_of_version_1_becomes_what_a_new_one_is() {
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
async fn everything_in_a_file_of_version_1_is_still_there() {
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

    // Unchanged ones come back by their ids, the others by their changes.
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
