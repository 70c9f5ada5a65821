//! Migrations and copies, with steps that exist only in these tests.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::migrate::{Migration, Step};
use super::*;

const SECOND: Schema = Schema {
    ddl: "",
    version: 3,
    migrations: &[
        Migration {
            to: 2,
            step: Step::Sql("ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 0"),
        },
        Migration {
            to: 3,
            step: Step::Code(|tx| {
                tx.execute("UPDATE things SET size = length(name)", [])?;
                Ok(())
            }),
        },
    ],
};

async fn first(bench: &Bench) {
    let store = bench.open();
    store.write(add(1, "abc")).await.unwrap();
    store.close().await;
}

fn number(path: &Path, sql: &str) -> rusqlite::Result<i64> {
    Connection::open(path)?.query_row(sql, [], |row| row.get(0))
}

#[test]
fn the_migrations_lead_to_the_current_version() {
    let steps = schema::CURRENT.migrations.iter().map(|m| m.to);
    let versions: Vec<i32> = std::iter::once(1).chain(steps).collect();
    let wanted: Vec<i32> = (1..=schema::CURRENT.version).collect();
    assert_eq!(versions, wanted);
}

#[tokio::test]
async fn an_older_database_is_copied_then_migrated() {
    let bench = Bench::new();
    first(&bench).await;
    let store = bench.open_as(&SECOND).unwrap();
    store.close().await;
    assert_eq!(
        bench.entries(),
        ["chat.db", "chat.db.lock", "chat.db.v1.bak"]
    );
    assert_eq!(number(&bench.path(), "SELECT size FROM things").unwrap(), 3);
    assert_eq!(number(&bench.path(), "PRAGMA user_version").unwrap(), 3);
    let copy = paths::beside(&bench.path(), ".v1.bak");
    assert_eq!(number(&copy, "PRAGMA user_version").unwrap(), 1);
    assert_eq!(number(&copy, "SELECT count(*) FROM things").unwrap(), 1);
    // The copy can be opened where it is, and a second start migrates nothing.
    Store::open_as(&copy, &OpenOptions::default(), &SCHEMA).unwrap();
    std::fs::remove_file(&copy).unwrap();
    bench.open_as(&SECOND).unwrap().close().await;
    assert!(!copy.exists());
}

#[tokio::test]
async fn without_backup_no_copy_is_made() {
    let bench = Bench::new();
    first(&bench).await;
    let options = OpenOptions {
        no_backup: true,
        ..OpenOptions::default()
    };
    let store = Store::open_as(&bench.path(), &options, &SECOND).unwrap();
    store.close().await;
    assert_eq!(bench.entries(), ["chat.db", "chat.db.lock"]);
}

#[tokio::test]
async fn a_failed_step_leaves_the_previous_version() {
    const BROKEN: &[Migration] = &[
        SECOND.migrations[0],
        Migration {
            to: 3,
            step: Step::Sql("DELETE FROM things; INSERT INTO nowhere VALUES (1)"),
        },
    ];
    const DANGLING: &[Migration] = &[
        SECOND.migrations[0],
        Migration {
            to: 3,
            step: Step::Sql("INSERT INTO parts (thing) VALUES (99)"),
        },
    ];
    for migrations in [BROKEN, DANGLING] {
        let bench = Bench::new();
        first(&bench).await;
        let broken = Schema {
            migrations,
            ..SECOND
        };
        assert!(bench.open_as(&broken).is_err());
        assert_eq!(number(&bench.path(), "PRAGMA user_version").unwrap(), 2);
        assert_eq!(
            number(&bench.path(), "SELECT count(*) FROM things").unwrap(),
            1
        );
        assert_eq!(
            number(&bench.path(), "SELECT count(*) FROM parts").unwrap(),
            0
        );
        bench.open_as(&SECOND).unwrap().close().await;
        assert_eq!(number(&bench.path(), "SELECT size FROM things").unwrap(), 3);
    }
}

#[tokio::test]
async fn a_copy_is_consistent_during_writes() {
    let bench = Bench::new();
    let store = bench.open();
    let filler = "x".repeat(4000);
    for id in 1..=500 {
        drop(store.submit(add(id, format!("{id}{filler}"))).await);
    }
    store.write(add(501, "last")).await.unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            let mut id = 1000;
            while store.write(add(id, format!("{id}"))).await.is_ok() {
                id += 1;
            }
            id
        }
    });
    let copy = bench.dir.path().join("copy.db");
    let (db, dest) = (bench.path(), copy.clone());
    let copying = tokio::task::spawn_blocking(move || {
        let source = Connection::open(db)?;
        backup::copy(&source, &dest, false, &Stop::default())
    });
    copying.await.unwrap().unwrap();
    store.close().await;
    assert!(writing.await.unwrap() > 1000);
    assert!(number(&copy, "SELECT count(*) FROM things").unwrap() >= 501);
    assert_eq!(bench.entries(), ["chat.db", "chat.db.lock", "copy.db"]);
    bench.open_as(&SCHEMA).unwrap();
}

#[tokio::test]
async fn a_copy_may_replace_an_older_copy_but_never_the_database() {
    let bench = Bench::new();
    let options = OpenOptions::default();
    let store = Store::open(&bench.path(), &options).unwrap();
    let copy = bench.dir.path().join("copy.db");
    std::fs::write(&copy, "older").unwrap();
    let left = bench.dir.path().join("parlor-0123456789abcdef.draft");
    std::fs::write(&left, "left by a crash").unwrap();
    let stop = Stop::default();
    let refused = backup(&bench.path(), &copy, false, &stop);
    assert!(matches!(refused, Err(StoreError::Exists { .. })));
    backup(&bench.path(), &copy, true, &stop).unwrap();
    let version = i64::from(schema::CURRENT.version);
    assert_eq!(number(&copy, "PRAGMA user_version").unwrap(), version);
    assert!(!left.exists());
    assert!(backup(&bench.path(), &bench.path(), true, &stop).is_err());
    assert!(backup(&bench.dir.path().join("none.db"), &copy, true, &stop).is_err());
    store.ready().await.unwrap();
}

#[tokio::test]
async fn stopping_rolls_a_migration_back() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    const ENDLESS: Schema = Schema {
        ddl: "",
        version: 2,
        migrations: &[Migration {
            to: 2,
            step: Step::Code(|tx| {
                tx.execute("INSERT INTO things (name) VALUES ('half done')", [])?;
                BEGUN.store(true, Relaxed);
                // Would never end by itself.
                let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
                Ok(tx.execute_batch(sql)?)
            }),
        }],
    };
    let bench = Bench::new();
    first(&bench).await;
    let options = OpenOptions {
        no_backup: true,
        ..OpenOptions::default()
    };
    let (stop, path) = (options.stop.clone(), bench.path());
    let opening =
        tokio::task::spawn_blocking(move || Store::open_as(&path, &options, &ENDLESS).err());
    while !BEGUN.load(Relaxed) {
        tokio::task::yield_now().await;
    }
    stop.request();
    let error = opening.await.unwrap();
    assert!(matches!(error, Some(StoreError::Stopped)), "{error:?}");
    assert_eq!(number(&bench.path(), "PRAGMA user_version").unwrap(), 1);
    assert_eq!(
        number(&bench.path(), "SELECT count(*) FROM things").unwrap(),
        1
    );
}

#[tokio::test]
async fn an_older_database_is_refused_untouched_without_migrate() {
    let bench = Bench::new();
    first(&bench).await;
    let before = std::fs::read(bench.path()).unwrap();
    let options = OpenOptions {
        keep_version: true,
        ..OpenOptions::default()
    };
    let error = Store::open_as(&bench.path(), &options, &SECOND).err();
    assert!(
        matches!(
            error,
            Some(StoreError::Outdated {
                found: 1,
                known: 3,
                ..
            })
        ),
        "{error:?}"
    );
    assert_eq!(std::fs::read(bench.path()).unwrap(), before);
}
