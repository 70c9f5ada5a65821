//! The server in the test's own process.

use std::io::ErrorKind::AddrInUse;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parlor::chat::Chat;
use parlor::config::Config;
use parlor::server::{Server, ServerError};
use parlor::store::OpenOptions;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Client, Persona, register, within};

/// Password of every test account.
pub const PASSWORD: &str = "correct horse";

/// A running server.
pub struct TestServer {
    pub address: SocketAddr,
    pub chat: Chat,
    config: Config,
    folder: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts with a new file, cheap password hashing and no rate limits.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Like [`Self::start`], with changed settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut config = unlimited(folder.path().join("chat.db"));
        change(&mut config);
        Self::run(config, folder).await
    }

    /// Starts a server and returns a person whose access token has expired.
    pub async fn with_expired_token() -> (Self, Persona) {
        let server = Self::start_with(|config| config.auth.access_ttl = Duration::ZERO).await;
        let ann = server.user("ann").await;
        // The token is valid through the second in which it was issued.
        let running_out = async { while ann.get("me").await.status == 200 {} };
        within("the end of the token", running_out).await;
        (server, ann)
    }

    /// Stops the server and starts it again on the same file.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// Like [`Self::restart`], with changed settings.
    pub async fn restart_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        self.stop().await;
        let (mut config, folder) = (self.config.clone(), self.folder.clone());
        change(&mut config);
        Self::run(config, folder).await
    }

    async fn run(config: Config, folder: Arc<TempDir>) -> Self {
        let server = within("a free address", Self::bind(&config)).await;
        let (address, chat) = (server.address(), server.chat().clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move {
            // A test that ends drops the sender.
            let _ = stopped.await;
        }));
        Self {
            address,
            chat,
            config,
            folder,
            stop: Some(stop),
            running: Some(running),
        }
    }

    /// Binds, retrying while the port is in use: the port of a server that has just stopped may be held for a moment by
    /// a child process that another test is starting, which has this process's sockets until it executes.
    async fn bind(config: &Config) -> Server {
        loop {
            match Server::bind(config, OpenOptions::default()).await {
                Err(ServerError::Listen { source, .. }) if source.kind() == AddrInUse => {
                    tokio::task::yield_now().await;
                }
                bound => return bound.unwrap(),
            }
        }
    }

    /// Starts draining.
    pub fn begin_to_stop(&mut self) {
        self.stop.take();
    }

    /// Drains and waits for the end.
    pub async fn stop(&mut self) {
        self.begin_to_stop();
        if let Some(running) = self.running.take() {
            within("the end of the server", running).await.unwrap();
        }
    }

    /// Returns the path of the database file.
    pub fn db(&self) -> PathBuf {
        self.config.server.db.clone()
    }

    /// Executes SQL on the database file behind the server's back, for states that otherwise only time brings about.
    pub fn edit_file(&self, sql: &str) {
        rusqlite::Connection::open(self.db())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    pub fn count(&self, table: &str) -> i64 {
        count_rows(&self.db(), table)
    }

    /// Returns a client without credentials.
    pub fn anybody(&self) -> Client {
        Client::new(self.address)
    }

    /// Registers an account.
    pub async fn user(&self, name: &str) -> Persona {
        register(self.address, name).await
    }

    /// Creates a guest.
    pub async fn guest(&self, name: &str) -> Persona {
        let body = json!({ "username": name });
        let grant = self.anybody().post("auth/guest", body).await.ok(201);
        Persona::new(self.address, &grant)
    }

    /// Creates the first admin with the setup link.
    pub async fn admin(&self, name: &str) -> Persona {
        let token = self.chat.setup_token().expect("there is an admin already");
        let body = json!({ "token": token, "username": name, "password": PASSWORD });
        let grant = self.anybody().post("setup", body).await.ok(201);
        Persona::new(self.address, &grant)
    }

    /// Logs in again, in a new session.
    pub async fn log_in(&self, name: &str) -> Persona {
        let body = json!({ "username": name, "password": PASSWORD });
        let grant = self.anybody().post("auth/login", body).await.ok(200);
        Persona::new(self.address, &grant)
    }
}

/// Returns the default configuration without rate limits and with cheap password hashing.
pub fn unlimited(db: PathBuf) -> Config {
    let mut config = Config::default();
    config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.server.db = db;
    config.auth.pbkdf2_rounds = 1000;
    config.limits.login_per_minute = None;
    config.limits.register_per_minute = None;
    config.limits.wrong_keys_per_minute = None;
    config.limits.messages_per_second = None;
    config.limits.actions_per_second = None;
    config.limits.connections_per_address = None;
    config.limits.connections_per_user = None;
    config
}

pub fn count_rows(db: &Path, table: &str) -> i64 {
    let file = rusqlite::Connection::open(db).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    file.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// Starts a server on a copy of a gzip-compressed database.
pub async fn upgraded(fixture: &[u8]) -> TestServer {
    let mut bytes = Vec::new();
    let mut file = flate2::read::GzDecoder::new(fixture);
    file.read_to_end(&mut bytes).unwrap();
    TestServer::start_with(|config| std::fs::write(&config.server.db, bytes).unwrap()).await
}
