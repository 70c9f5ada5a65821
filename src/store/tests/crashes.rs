//! Starts with files that a crash, or a person, has left.

use std::fs;

use super::schema::Found;
use super::*;

/// Returns the bytes of a file beside the database, empty if there is none.
fn bytes(bench: &Bench, suffix: &str) -> Vec<u8> {
    fs::read(paths::beside(&bench.path(), suffix)).unwrap_or_default()
}

fn put(bench: &Bench, suffix: &str, bytes: &[u8]) {
    fs::write(paths::beside(&bench.path(), suffix), bytes).unwrap();
}

fn refused(bench: &Bench) -> StoreError {
    bench.open_as(&SCHEMA).map(drop).unwrap_err()
}

/// Returns the error of a refused start, which must leave the files unchanged.
fn refused_untouched(bench: &Bench) -> StoreError {
    let all = || ["", "-wal", "-journal"].map(|suffix| bytes(bench, suffix));
    let before = all();
    let error = refused(bench);
    assert!(all() == before, "{error}");
    error
}

/// Runs a checkpoint of mode `how`.
fn checkpoint(bench: &Bench, how: &str) {
    let conn = Connection::open(bench.path()).unwrap();
    let sql = format!("PRAGMA wal_checkpoint({how})");
    conn.query_row(&sql, [], |_| Ok(())).unwrap();
}

/// Makes a copy as `parlor backup` does.
fn back_up(bench: &Bench, name: &str) -> Vec<u8> {
    let copy = bench.dir.path().join(name);
    let source = Connection::open(bench.path()).unwrap();
    backup::copy(&source, &copy, false, &Stop::default()).unwrap();
    fs::read(copy).unwrap()
}

#[tokio::test]
async fn a_log_matches_its_database_after_a_crash_at_any_time() {
    let bench = Bench::new();
    let mut store = bench.open();
    for id in 1..=24 {
        store.write(add(id, format!("{id}"))).await.unwrap();
        match id % 6 {
            1 => checkpoint(&bench, "PASSIVE"),
            3 => checkpoint(&bench, "TRUNCATE"),
            5 => {
                store.close().await;
                store = bench.open();
            }
            _ => {}
        }
        let crashed = Bench::new();
        crashed.take_files_of(&bench);
        let opened = crashed.open();
        // The second start finds the files as the first one left them when it died too.
        let again = Bench::new();
        again.take_files_of(&crashed);
        for store in [opened, again.open()] {
            assert_eq!(i64::try_from(names(&store).await.len()), Ok(id));
        }
    }
}

#[tokio::test]
async fn a_log_matches_a_partially_checkpointed_database() {
    const PAGE: usize = 4096;
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "1")).await.unwrap();
    checkpoint(&bench, "TRUNCATE");
    for id in 2..=40 {
        let name = format!("{id} {}", "x".repeat(1000));
        store.write(add(id, name)).await.unwrap();
    }
    let (before, log) = (bytes(&bench, ""), bytes(&bench, "-wal"));
    checkpoint(&bench, "PASSIVE");
    let after = bytes(&bench, "");
    assert!(before != after);
    let pages = after.len() / PAGE;
    for moved in 0..pages {
        for alone in [true, false] {
            let mut file = before.clone();
            file.resize(after.len(), 0);
            for page in 0..pages {
                if page == moved || (!alone && page < moved) {
                    let range = page * PAGE..(page + 1) * PAGE;
                    file[range.clone()].copy_from_slice(&after[range]);
                }
            }
            let crashed = Bench::new();
            put(&crashed, "", &file);
            put(&crashed, "-wal", &log);
            assert_eq!(names(&crashed.open()).await.len(), 40, "page {moved}");
        }
    }
}

#[tokio::test]
async fn a_backup_with_a_foreign_log_is_refused_untouched() {
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "1")).await.unwrap();
    let first = back_up(&bench, "first.db");
    let plain = bytes(&bench, "");
    for id in 2..=4 {
        checkpoint(&bench, "TRUNCATE");
        store.write(add(id, format!("{id}"))).await.unwrap();
    }
    let second = back_up(&bench, "second.db");
    store.write(add(9, "9")).await.unwrap();
    let log = bytes(&bench, "-wal");
    let other = Bench::new();
    let theirs = other.open();
    theirs.write(add(1, "1")).await.unwrap();
    let theirs = back_up(&other, "copy.db");

    for copy in [&first, &second, &theirs, &plain] {
        let bench = Bench::new();
        put(&bench, "", copy);
        put(&bench, "-wal", &log);
        let error = refused_untouched(&bench);
        assert!(matches!(error, StoreError::ForeignLog { .. }), "{error}");
    }
    // Without the WAL each copy is a database.
    let alone = Bench::new();
    put(&alone, "", &second);
    let store = alone.open();
    assert_eq!(names(&store).await, ["1", "2", "3", "4"]);
    store.close().await;
    // A WAL that was written since then belongs to it.
    let crashed = Bench::new();
    let store = alone.open();
    store.write(add(10, "10")).await.unwrap();
    crashed.take_files_of(&alone);
    assert_eq!(names(&crashed.open()).await.len(), 5);
}

#[tokio::test]
async fn a_database_without_tables_is_refused_untouched() {
    let of_ours = "PRAGMA application_id = 0x5061726c; PRAGMA user_version = 1";
    // State in which earlier versions began.
    let young = "PRAGMA auto_vacuum = INCREMENTAL; VACUUM; PRAGMA journal_mode = WAL";
    for sql in [of_ours, young] {
        let bench = Bench::new();
        edit(&bench.path(), sql);
        let error = refused_untouched(&bench);
        assert!(matches!(error, StoreError::Torn { .. }), "{sql}: {error}");
        assert_eq!(bench.entries(), ["chat.db"]);
    }
}

#[tokio::test]
async fn a_copy_of_a_new_database_without_its_log_has_the_tables() {
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "1")).await.unwrap();
    let copied = Bench::new();
    put(&copied, "", &bytes(&bench, ""));
    assert_eq!(copied.open().next_id(), 1);
    assert!(matches!(
        schema::inspect(&copied.path(), 1),
        Ok(Found::Version(1))
    ));
}

#[tokio::test]
async fn a_log_without_its_database_is_not_destroyed() {
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "1")).await.unwrap();
    let log = bytes(&bench, "-wal");
    for file in [None, Some(&[][..])] {
        let bench = Bench::new();
        file.inspect(|file| put(&bench, "", file));
        put(&bench, "-wal", &log);
        let error = refused_untouched(&bench);
        assert!(matches!(error, StoreError::LoneLog { .. }), "{error}");
    }
}

/// Returns the file and its journal in the middle of a transaction after `begin`, as if the process had died then.
fn died_within(begin: &str) -> (Vec<u8>, Vec<u8>) {
    let bench = Bench::new();
    let conn = Connection::open(bench.path()).unwrap();
    conn.execute_batch(begin).unwrap();
    conn.execute_batch(
        "PRAGMA cache_size = 10; BEGIN; CREATE TABLE half (a);
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 200)
         INSERT INTO half SELECT zeroblob(4000) FROM n",
    )
    .unwrap();
    (bytes(&bench, ""), bytes(&bench, "-journal"))
}

#[tokio::test]
async fn a_first_start_that_was_killed_can_be_repeated() {
    let (file, journal) = died_within("");
    assert!(file.len() > 4096 && journal.len() > 512);
    let whole = format!(
        "{}; PRAGMA application_id = 0x5061726c; PRAGMA user_version = 1;",
        SCHEMA.ddl
    );
    let whole = format!("{whole} INSERT INTO settings VALUES ('next_id', 1)");
    let (later, hot) = died_within(&whole);
    for (file, journal) in [(&file, &journal), (&later, &hot), (&Vec::new(), &journal)] {
        let bench = Bench::new();
        put(&bench, "", file);
        put(&bench, "-journal", journal);
        let store = bench.open();
        store.write(add(1, "1")).await.unwrap();
        store.close().await;
        assert_eq!(bench.entries(), ["chat.db", "chat.db.lock"]);
        assert_eq!(names(&bench.open()).await, ["1"]);
    }
    // Without the file, the journal is all that is left of a database.
    let bench = Bench::new();
    put(&bench, "-journal", &hot);
    let error = refused_untouched(&bench);
    assert!(matches!(error, StoreError::LoneLog { .. }), "{error}");
}

#[tokio::test]
async fn connections_use_no_temporary_files() {
    const SQL: &str = "PRAGMA temp_store";
    let number = |conn: &Connection| Ok(conn.query_row(SQL, [], |row| row.get::<_, i64>(0))?);
    let bench = Bench::new();
    let store = bench.open();
    assert_eq!(store.read(number).await.unwrap(), 2);
    let writers = move |tx: &Tx<'_>| Ok(tx.query_row(SQL, [], |row| row.get::<_, i64>(0))?);
    assert_eq!(store.write(writers).await.unwrap(), 2);
    for open in [schema::open_existing, schema::open_alone] {
        assert_eq!(number(&open(&bench.path()).unwrap()).unwrap(), 2);
    }
    let empty = bench.dir.path().join("empty");
    fs::write(&empty, "").unwrap();
    assert_eq!(number(&schema::open_draft(&empty).unwrap()).unwrap(), 2);
}

#[tokio::test]
async fn a_full_disk_error_reports_the_space_the_log_needs() {
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "x".repeat(3 << 20))).await.unwrap();
    let StoreError::NoRoom { needed, .. } = store.full_disk() else {
        panic!("another error");
    };
    // Once in the table and once in the index over its names.
    assert!((6 << 20..9 << 20).contains(&needed), "{needed}");
    checkpoint(&bench, "TRUNCATE");
    let StoreError::NoRoom { needed, .. } = store.full_disk() else {
        panic!("another error");
    };
    assert_eq!(needed, 1 << 20);
}
