//! The core: accounts, rooms, messages, presence. Requests arrive as typed methods of [`Chat`], events leave through
//! [`Encode`]. Must not know any wire protocol.

mod accounts;
mod action_limits;
mod admin_stats;
mod anonymous_access;
mod caller;
mod catch_up;
mod client_info;
mod clock;
mod connect;
mod connections;
mod encoder;
mod error;
pub mod files;
mod idle;
mod invites;
mod jobs;
mod members;
mod messages;
mod notifications;
pub mod offline_accounts;
mod outbox;
mod password_hasher;
mod passwords;
mod rate_limit;
mod registry;
mod room;
mod rooms;
mod search;
mod selected_rooms;
mod sessions;
mod settings;
mod setup_link;
mod tokens;
mod unidentified;
mod user_admin;
mod worker_pool;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use accounts::Registration;
pub use admin_stats::{RoomSummary, ServerStats, UserUsage};
pub use caller::{Caller, Credential};
pub use catch_up::Resumed;
pub use client_info::{Cause, ClientInfo, Remote};
pub use connect::Welcome;
pub use connections::Connection;
pub use encoder::{Encode, Encoder, View};
pub use error::{ChatError, TokenFault};
pub use invites::{InviteOptions, PasswordLink, WithCode};
pub use members::MemberEdit;
pub use messages::PostOutcome;
pub use outbox::{CloseReason, EncodedFrames, Frames, Line, Outbox, Priority, Reader};
pub use passwords::Login;
pub use room::{Online, Reply};
pub use rooms::PublicRoom;
pub use search::{SearchHit, SearchPage};
pub use selected_rooms::Chosen;
pub use sessions::{TokenPair, TokenProfile};
pub use settings::Settings;
pub use tokens::Claims;
pub use unidentified::Bystander;
pub use worker_pool::WorkerPool;

use action_limits::{Cost, Limits};
use connections::People;
use idle::IdleDetector;
use password_hasher::Hasher;
use registry::Registry;
use setup_link::Setup;
use tokens::Tokens;

pub use crate::store::{Session, UserStats};
use crate::store::{Store, StoreError};

/// Maximum age of a successful check of the database.
const READY_FOR: Duration = Duration::from_secs(10);
/// Maximum age of a failed check of the database.
const UNREADY_FOR: Duration = Duration::from_secs(1);

/// Time and result of the last check of the database.
type Tried = Option<(Instant, Result<(), StoreError>)>;

/// Handle of the whole chat; cheap to clone.
#[derive(Clone)]
pub struct Chat {
    core: Arc<Core>,
}

struct Core {
    store: Store,
    settings: Settings,
    instance: String,
    tokens: Tokens,
    hasher: Hasher,
    people: Arc<People>,
    registry: Registry,
    setup: Setup,
    limits: Limits,
    files: files::Works,
    watchdog: IdleDetector,
    /// Warnings that were logged about requests from the internet.
    warnings: client_info::Warnings,
    ready: tokio::sync::Mutex<Tried>,
}

impl Chat {
    /// Starts the chat on an open store. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be read or threads cannot be started.
    pub async fn start(store: Store, settings: Settings) -> Result<Self, ChatError> {
        let people = Arc::new(People::default());
        let chat = Self {
            core: Arc::new(Core {
                tokens: Tokens::new(&store.secret().await?),
                instance: store.instance().await?,
                hasher: Hasher::start(settings.pbkdf2_rounds)?,
                registry: Registry::new(store.clone(), people.clone()),
                setup: Setup::new(!store.has_admin().await?),
                limits: Limits::new(&settings),
                files: files::Works::default(),
                watchdog: IdleDetector::new(settings.away_after),
                warnings: client_info::Warnings::default(),
                ready: tokio::sync::Mutex::default(),
                people,
                store,
                settings,
            }),
        };
        chat.abandon_uploads().await;
        let behind = match chat.reconcile().await {
            // A full disk must not keep the server from starting: reading still works.
            Err(error @ (ChatError::Full | ChatError::Busy | ChatError::Unavailable)) => {
                tracing::error!(%error, "the file is not brought up to date yet");
                true
            }
            reconciled => reconciled.map(|()| false)?,
        };
        // A damaged table must not keep the server from starting either; `/readyz` reports it.
        let newest = chat.core.store.newest_time().await.unwrap_or_default();
        jobs::start(&chat, behind, newest);
        Ok(chat)
    }

    /// Returns the id that distinguishes this server's cookie from those of other servers on the same host.
    pub fn instance(&self) -> &str {
        &self.core.instance
    }

    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    /// Returns the store, with reads counted towards the caller's share of the read pool. Callers without an account
    /// (`compat.open`) have one share together.
    fn store_for(&self, caller: &Caller) -> Store {
        self.core.store.on_behalf_of(caller.id())
    }

    /// Checks that the database can be read and written. Known errors are returned at once; otherwise the database is
    /// tried at most every ten seconds, or every second while something is wrong.
    ///
    /// # Errors
    /// The reason, as text that may be shown to anybody.
    pub async fn ready(&self) -> Result<(), String> {
        // One check at a time: concurrent callers get the same result.
        let mut last = self.core.ready.lock().await;
        let store = &self.core.store;
        let due = last.as_ref().is_none_or(|(at, worked)| {
            let fine = worked.is_ok() && store.check().is_ok();
            at.elapsed() > if fine { READY_FOR } else { UNREADY_FOR }
        });
        if due {
            let worked = store.ready().await;
            *last = Some((Instant::now(), worked));
        }
        let tried = last.as_ref().map_or(Ok(()), |(_, worked)| worked.clone());
        tried
            .and_then(|()| store.check())
            .map_err(|error| error.reason())
    }

    /// Checks that no file of the database was removed or replaced while the server ran.
    ///
    /// # Errors
    /// The reason why nothing has been stored since then.
    pub fn kept_its_file(&self) -> Result<(), String> {
        match self.core.store.check() {
            Err(error @ StoreError::Lost(_)) => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Tells all connections that the server is stopping. Queued frames are still written.
    pub fn drain(&self) {
        self.core.people.drain();
    }

    /// Finishes queued writes and closes the database. No method works afterwards.
    pub async fn stop(&self) {
        self.core.store.close().await;
    }
}
