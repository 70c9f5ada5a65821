//! The rules of the store that need its parts together, on real files.

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::error::OnConstraint;
use super::*;

/// Long enough for a slow machine; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

const SCHEMA: Schema = Schema {
    ddl: "CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
          CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;",
    version: 1,
    migrations: &[],
};

struct Bench {
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("chat.db")
    }

    fn open(&self) -> Store {
        self.open_as(&SCHEMA).unwrap()
    }

    fn open_as(&self, schema: &Schema) -> Result<Store, StoreError> {
        Store::open_as(&self.path(), &OpenOptions::default(), schema)
    }

    fn beside(&self, schema: &Schema) -> Result<Store, StoreError> {
        let options = OpenOptions {
            beside_server: true,
            ..OpenOptions::default()
        };
        Store::open_as(&self.path(), &options, schema)
    }

    fn entries(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn add(
    id: i64,
    name: impl Into<String>,
) -> impl FnOnce(&Tx<'_>) -> Result<i64, StoreError> + Send + 'static {
    let name = name.into();
    move |tx| {
        tx.prepare_cached("INSERT INTO things (id, name) VALUES (?1, ?2)")?
            .execute((id, name))
            .on_constraint("things.name", "the name")?;
        Ok(id)
    }
}

async fn names(store: &Store) -> Vec<String> {
    let query = |conn: &Connection| {
        let mut read = conn.prepare_cached("SELECT name FROM things ORDER BY id")?;
        let names = read.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    };
    store.read(query).await.unwrap()
}

/// Holds the writer inside a job until told to go on, so that what is queued meanwhile is one batch.
struct Gate {
    open: std::sync::mpsc::Sender<()>,
    ticket: Ticket<()>,
}

impl Gate {
    async fn close(store: &Store) -> Self {
        let (open, wait) = std::sync::mpsc::channel();
        let (entered, inside) = oneshot::channel();
        let job = move |_: &Tx<'_>| {
            let _ = entered.send(());
            let _ = wait.recv();
            Ok(())
        };
        let ticket = store.submit(job).await;
        timeout(DEADLINE, inside).await.unwrap().unwrap();
        Self { open, ticket }
    }

    async fn open(self) {
        self.open.send(()).unwrap();
        self.ticket.await.unwrap();
    }
}

mod batches {
    use super::*;

    #[tokio::test]
    async fn a_failed_job_undoes_only_itself() {
        let bench = Bench::new();
        let store = bench.open();
        let gate = Gate::close(&store).await;
        let first = store.append(add(1, "a")).await;
        let twice = store
            .submit(|tx| {
                add(2, "b")(tx)?;
                add(3, "a")(tx)
            })
            .await;
        let last = store.append(add(4, "d")).await;
        gate.open().await;
        assert_eq!(first.await.unwrap(), 1);
        assert_eq!(twice.await.unwrap_err().to_string(), "the name is taken");
        assert_eq!(last.await.unwrap(), 4);
        assert_eq!(names(&store).await, ["a", "d"]);
    }

    #[tokio::test]
    async fn a_panic_in_a_job_costs_only_that_job() {
        let bench = Bench::new();
        let store = bench.open();
        let gate = Gate::close(&store).await;
        let first = store.append(add(1, "a")).await;
        let bad = store
            .submit::<(), _>(|tx| {
                add(2, "b")(tx)?;
                panic!("on purpose")
            })
            .await;
        let last = store.append(add(3, "c")).await;
        gate.open().await;
        first.await.unwrap();
        assert!(matches!(bad.await, Err(StoreError::Internal(_))));
        last.await.unwrap();
        assert_eq!(names(&store).await, ["a", "c"]);
    }
}

mod opening {
    use super::*;

    #[tokio::test]
    async fn what_was_stored_is_there_after_reopening_and_one_file_is_left() {
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
    async fn a_second_owner_is_refused_but_may_work_beside_the_first() {
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
}
