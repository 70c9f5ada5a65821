//! Table of polling sessions, and its sweeper. Independent of requests and frames.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::time::{MissedTickBehavior, interval};

use super::polling::Polling;
use super::{Config, Handshake, Protocol};
use crate::transport::connection_limit::Slot;
use crate::transport::connection_log::Opened;
use crate::transport::process_clock::AwakeClock;

/// Interval between two sweeps of the table.
const SWEEP: Duration = Duration::from_secs(1);

/// Server for the sessions of a [`Protocol`]. Cheap to clone.
pub struct Server<P: Protocol>(Arc<Inner<P>>);

pub(super) struct Inner<P: Protocol> {
    pub protocol: Arc<P>,
    pub config: Config,
    /// Read by the sweeper every second, so that it detects suspension.
    pub clock: Arc<AwakeClock>,
    sessions: Mutex<HashMap<Box<str>, Arc<Polling<P>>>>,
}

impl<P: Protocol> Server<P> {
    /// Creates a server without sessions and starts its sweeper. Needs a tokio runtime.
    pub fn new(protocol: Arc<P>, config: Config) -> Self {
        let inner = Arc::new(Inner {
            protocol,
            config,
            clock: Arc::default(),
            sessions: Mutex::default(),
        });
        tokio::spawn(sweep(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// Returns the number of sessions in the table: those that poll, and those upgraded from polling to a WebSocket.
    pub fn sessions(&self) -> usize {
        self.0.sessions().len()
    }

    pub(super) fn inner(&self) -> &Arc<Inner<P>> {
        &self.0
    }
}

impl<P: Protocol> Inner<P> {
    fn sessions(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Polling<P>>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, sid: &str) -> Option<Arc<Polling<P>>> {
        self.sessions().get(sid).cloned()
    }

    pub fn open(self: &Arc<Self>, handshake: Handshake, slot: Slot) -> Arc<Polling<P>> {
        let opened = Opened::by(&handshake.headers);
        let (session, outgoing) = self.protocol.open(handshake);
        let polling = Arc::new(Polling::new(self, session, outgoing, slot, opened));
        self.sessions()
            .insert(polling.sid.clone(), Arc::clone(&polling));
        polling
    }

    pub fn remove(&self, sid: &str) {
        self.sessions().remove(sid);
    }

    /// Builds the OPEN packet, which tells the client its session id.
    pub fn open_packet(&self, sid: &str, upgrades: &str) -> String {
        let rhythm = self.config.rhythm;
        format!(
            r#"0{{"sid":"{sid}","upgrades":[{upgrades}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}}"#,
            rhythm.interval.as_millis(),
            rhythm.timeout.as_millis(),
            self.config.max_payload,
        )
    }
}

/// Makes a random, unguessable session id.
pub fn new_sid() -> Box<str> {
    let bytes: [u8; 15] = rand::random();
    BASE64_URL_SAFE_NO_PAD.encode(bytes).into()
}

/// Ends timed-out sessions, until the server is dropped.
async fn sweep<P: Protocol>(server: Weak<Inner<P>>) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(server) = server.upgrade() else {
            return;
        };
        let now = server.clock.now();
        let sessions: Vec<_> = server.sessions().values().cloned().collect();
        for session in sessions {
            session.sweep(now);
        }
    }
}

impl<P: Protocol> Clone for Server<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Protocol> fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}
