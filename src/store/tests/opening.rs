//! Opening and refusing files, and the files left after closing.

use super::*;

#[tokio::test]
async fn reopening_keeps_the_data_and_closing_leaves_one_file() {
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "a")).await.unwrap();
    store.ready().await.unwrap();
    store.close().await;
    assert!(matches!(store.ready().await, Err(StoreError::Closed)));
    assert!(matches!(
        store.write(add(2, "b")).await,
        Err(StoreError::Closed)
    ));
    assert_eq!(bench.entries(), ["chat.db", "chat.db.lock"]);
    assert_eq!(names(&bench.open()).await, ["a"]);
}

#[tokio::test]
async fn a_second_owner_is_refused_but_may_open_beside_the_first() {
    let bench = Bench::new();
    let store = bench.open();
    let refused = bench.open_as(&SCHEMA).map(drop);
    assert!(matches!(refused, Err(StoreError::Locked { .. })));
    let guest = bench.beside(&SCHEMA).unwrap();
    let mut changes = store.foreign_changes();
    guest.write(add(guest.next_id(), "theirs")).await.unwrap();
    timeout(DEADLINE, changes.changed()).await.unwrap().unwrap();
    store.write(add(store.next_id(), "ours")).await.unwrap();
    assert_eq!(names(&store).await, ["ours", "theirs"]);
}

#[tokio::test]
async fn the_schema_of_this_program_opens() {
    let bench = Bench::new();
    let options = OpenOptions::default();
    Store::open(&bench.path(), &options).unwrap().close().await;
    Store::open(&bench.path(), &options).unwrap();
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open_as(path, &OpenOptions::default(), &SCHEMA)
}

#[tokio::test]
async fn a_newer_database_is_refused_untouched() {
    let bench = Bench::new();
    let store = bench.open();
    store.close().await;
    std::fs::remove_file(bench.dir.path().join("chat.db.lock")).unwrap();
    edit(&bench.path(), "PRAGMA user_version = 7");
    let before = std::fs::read(bench.path()).unwrap();
    let refused = bench.open_as(&SCHEMA).map(drop).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Newer {
            found: 7,
            known: 1,
            ..
        }
    ));
    assert_eq!(std::fs::read(bench.path()).unwrap(), before);
    assert_eq!(bench.entries(), ["chat.db"]);
}

#[tokio::test]
async fn a_newer_version_in_the_log_is_refused_untouched() {
    let bench = Bench::new();
    bench.open().close().await;
    let conn = Connection::open(bench.path()).unwrap();
    conn.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 7")
        .unwrap();
    let crashed = Bench::new();
    crashed.take_files_of(&bench);
    let read = |suffix| std::fs::read(paths::beside(&crashed.path(), suffix)).unwrap();
    let before = (read(""), read("-wal"));
    let refused = crashed.open_as(&SCHEMA).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 7, .. }));
    assert_eq!((read(""), read("-wal")), before);
}

#[tokio::test]
async fn foreign_files_are_refused_untouched() {
    let bench = Bench::new();
    let refusal = |path: &Path| open(path).map(drop).unwrap_err().to_string();

    let text = bench.dir.path().join("notes.txt");
    std::fs::write(&text, "shopping list\n".repeat(100)).unwrap();
    assert!(refusal(&text).ends_with("notes.txt is not an SQLite file, not a parlor database"));

    let other = bench.dir.path().join("other.db");
    edit(&other, "CREATE TABLE t (a)");
    assert!(refusal(&other).contains("the database of another program"));

    assert!(refusal(bench.dir.path()).contains("is a folder"));
    assert_eq!(bench.entries(), ["notes.txt", "other.db"]);
}

#[tokio::test]
async fn special_characters_in_paths_are_literal() {
    let bench = Bench::new();
    for name in [":memory:", "a b?c#d%41.db", "ünï.db", "file:x"] {
        let path = bench.dir.path().join(name);
        for id in 1..=2 {
            let store = open(&path).unwrap();
            store.write(add(id, id.to_string())).await.unwrap();
            store.close().await;
        }
        assert!(path.exists());
    }
}

#[tokio::test]
async fn an_empty_database_is_initialized_with_incremental_vacuum() {
    for before in [
        "",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (a); DROP TABLE t",
    ] {
        let bench = Bench::new();
        edit(&bench.path(), before);
        let store = bench.open();
        let vacuum = store
            .read(|conn| Ok(conn.query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, i64>(0))?));
        assert_eq!(vacuum.await.unwrap(), 2, "{before}");
        store.write(add(1, "a")).await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_database_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let store = bench.open();
    let copy = bench.dir.path().join("copy.db");
    store.write(add(1, "a")).await.unwrap();
    let source = Connection::open(bench.path()).unwrap();
    backup::copy(&source, &copy, false, &Stop::default()).unwrap();
    for path in [bench.path(), paths::beside(&bench.path(), "-wal"), copy] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn stored_ids_are_never_reused_even_after_a_crash() {
    let bench = Bench::new();
    let mut store = bench.open();
    let mut last = 0;
    for round in 0..4 {
        for _ in 0..7_000 {
            assert!(store.next_id() > last, "round {round}");
        }
        // One commit fails, the next succeeds.
        let dangling = |tx: &Tx<'_>| Ok(tx.execute("INSERT INTO parts (thing) VALUES (99)", [])?);
        assert!(store.write(dangling).await.is_err());
        last = store.next_id();
        store.write(add(last, last.to_string())).await.unwrap();
        // The files as a crash would leave them.
        let crashed = Bench::new();
        crashed.take_files_of(&bench);
        assert!(crashed.open().next_id() > last);
        if round % 2 == 0 {
            store.close().await;
            store = bench.open();
        }
    }
}

#[tokio::test]
async fn ids_drawn_in_a_job_are_reserved_by_its_commit() {
    let bench = Bench::new();
    let store = bench.open();
    let drawing = store.clone();
    let last = store
        .write(move |tx| {
            let last = (0..25_000).map(|_| drawing.next_id()).max().unwrap_or(0);
            add(last, "last")(tx)
        })
        .await
        .unwrap();
    let crashed = Bench::new();
    crashed.take_files_of(&bench);
    assert!(crashed.open().next_id() > last);
}

#[tokio::test]
async fn neither_commits_nor_a_clean_close_waste_ids() {
    let bench = Bench::new();
    let store = bench.open();
    for id in 1..=12_000 {
        assert_eq!(store.next_id(), id);
        if id % 3_000 == 0 {
            store.write(add(id, id.to_string())).await.unwrap();
        }
    }
    store.close().await;
    assert_eq!(bench.open().next_id(), 12_001);
}

#[tokio::test]
async fn opening_beside_a_server_creates_and_migrates_nothing() {
    let bench = Bench::new();
    let refused = bench.beside(&SCHEMA).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Older { found: 0, .. }));
    assert!(bench.entries().is_empty());
    bench.open().close().await;
    let newer = Schema {
        version: 2,
        ..SCHEMA
    };
    let refused = bench.beside(&newer).map(drop).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Older {
            found: 1,
            known: 2,
            ..
        }
    ));
}
