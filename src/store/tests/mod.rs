//! Tests that need several parts of the store, on real files.

mod batches;
mod checkpoints;
mod crashes;
mod migrating;
mod opening;
mod reading;

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::error::OnConstraint;
use super::*;

/// Long enough for a slow machine; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

const SCHEMA: Schema = Schema {
    ddl: "CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
          CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
          CREATE TABLE parts (thing INTEGER REFERENCES things DEFERRABLE INITIALLY DEFERRED) STRICT;",
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

    /// Copies the current files of `other`, as if its process had just died.
    fn take_files_of(&self, other: &Self) {
        for suffix in ["", "-wal"] {
            let name = |bench: &Self| paths::beside(&bench.path(), suffix);
            std::fs::copy(name(other), name(self)).unwrap();
        }
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

/// Changes a file without the store.
fn edit(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
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

/// Blocks the writer inside a job until it is opened, so that jobs queued in the meantime form one batch.
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
