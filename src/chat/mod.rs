//! The core: accounts, rooms, messages, presence. Commands come in as typed methods of [`Chat`], events go out through
//! [`Encode`]. Must not know any wire protocol.

mod accounts;
mod admin;
mod background;
mod bystanders;
mod caller;
mod catch_up;
mod census;
mod chosen;
mod clock;
mod encode;
mod error;
pub mod files;
mod hasher;
mod invites;
mod limits;
mod live;
mod logins;
pub mod manage;
mod members;
mod messages;
mod metering;
mod notifications;
mod open;
mod outbox;
mod people;
mod registry;
mod room;
mod rooms;
mod search;
mod sessions;
mod settings;
mod setup;
mod token;
mod visitor;
mod watchdog;
mod worker_pool;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use accounts::Registration;
pub use bystanders::Bystander;
pub use caller::{Caller, Credential};
pub use catch_up::Resumed;
pub use census::{Census, RoomStanding, Standing};
pub use chosen::Chosen;
pub use encode::{Encode, Encoder, View};
pub use error::{ChatError, TokenFault};
pub use invites::{Coded, InviteWish, PasswordLink};
pub use live::Welcome;
pub use logins::Login;
pub use members::MemberEdit;
pub use messages::Posted;
pub use outbox::{Closing, Frames, Line, Outbox, Reader, Sealed, Weight};
pub use people::Connection;
pub use room::{Online, Reply};
pub use rooms::PublicRoom;
pub use search::{SearchHit, SearchPage};
pub use sessions::{Grant, Grantor};
pub use settings::Settings;
pub use token::Claims;
pub use visitor::{Cause, Remote, Visitor};
pub use worker_pool::WorkerPool;

use hasher::Hasher;
use metering::{Cost, Limits};
use people::People;
use registry::Registry;
use setup::Setup;
use token::Tokens;
use watchdog::Watchdog;

pub use crate::store::{Session, Tally};
use crate::store::{Store, StoreError};

/// A file that could be written is taken to be writable for so long,
const READY_FOR: Duration = Duration::from_secs(10);
/// and one that could not be is tried again after so long.
const UNREADY_FOR: Duration = Duration::from_secs(1);

/// When the file was last tried, and whether it worked.
type Tried = Option<(Instant, Result<(), StoreError>)>;

/// The whole chat behind one cheap handle.
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
    watchdog: Watchdog,
    /// Which requests were logged as coming from the internet.
    warnings: visitor::Warnings,
    ready: tokio::sync::Mutex<Tried>,
}

impl Chat {
    /// Starts the chat over an open store. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// Whatever keeps the store from being read, or threads from being started.
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
                watchdog: Watchdog::new(settings.away_after),
                warnings: visitor::Warnings::default(),
                ready: tokio::sync::Mutex::default(),
                people,
                store,
                settings,
            }),
        };
        chat.abandon_uploads().await;
        let behind = match chat.reconcile().await {
            // A full disk must not keep the server from starting: what can be read is worth something.
            Err(error @ (ChatError::Full | ChatError::Busy | ChatError::Unavailable)) => {
                tracing::error!(%error, "the file is not brought up to date yet");
                true
            }
            reconciled => reconciled.map(|()| false)?,
        };
        // A damaged table keeps nobody from what is whole: the server starts, and `/readyz` tells.
        let newest = chat.core.store.newest_time().await.unwrap_or_default();
        background::start(&chat, behind, newest);
        Ok(chat)
    }

    /// The word that tells this server's cookie from others on the same host.
    pub fn instance(&self) -> &str {
        &self.core.instance
    }

    /// What the chat was started with.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    /// The store, read within the caller's share. Callers without an account, where an operator has switched proof off,
    /// share one.
    fn store_for(&self, caller: &Caller) -> Store {
        self.core.store.on_behalf_of(caller.id())
    }

    /// Whether the file can be read and written: what is known to be wrong is told at once, and the file is tried every
    /// ten seconds at most, or every second while something is wrong.
    ///
    /// # Errors
    /// What is wrong, in words for a stranger.
    pub async fn ready(&self) -> Result<(), String> {
        // One question at a time: many who ask at once get the same answer.
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

    /// Why nothing was stored any more, if a file of the database was taken away.
    ///
    /// # Errors
    /// That.
    pub fn kept_its_file(&self) -> Result<(), String> {
        match self.core.store.check() {
            Err(error @ StoreError::Lost(_)) => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Tells every connection that the server goes down. What is queued is still written.
    pub fn drain(&self) {
        self.core.people.drain();
    }

    /// Finishes what is queued and closes the file. Nothing works afterwards.
    pub async fn stop(&self) {
        self.core.store.close().await;
    }
}
