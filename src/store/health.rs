//! Current faults of the database, as seen by its writer and its readers. Must not contain SQL.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::StoreError;

/// Shared by the writer, the readers and readiness checks.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    faults: Arc<Mutex<Faults>>,
}

#[derive(Debug, Default)]
struct Faults {
    stopped: Option<StoreError>,
    damage: Option<StoreError>,
    checkpoint: Option<StoreError>,
    commit: Option<StoreError>,
}

impl Health {
    /// Returns the most severe fault.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let faults = self.lock();
        let all = [
            &faults.stopped,
            &faults.damage,
            &faults.checkpoint,
            &faults.commit,
        ];
        all.into_iter()
            .flatten()
            .next()
            .map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Returns why nothing is written until this process ends.
    pub(super) fn stopped(&self) -> Option<StoreError> {
        self.lock().stopped.clone()
    }

    /// Stops all writes until this process ends.
    pub(super) fn stop(&self, reason: StoreError) {
        self.lock().stopped = Some(reason);
    }

    /// Records the outcome of the last commit.
    pub(super) fn committed(&self, outcome: &Result<(), StoreError>) {
        let fault = outcome.as_ref().err().cloned();
        if let Some(fault) = &fault {
            self.note_damage(fault);
        }
        self.lock().commit = fault;
    }

    /// Records the outcome of the last checkpoint.
    pub(super) fn checkpointed(&self, outcome: &Result<(), StoreError>) {
        self.lock().checkpoint = outcome.as_ref().err().cloned();
    }

    /// Records `error` permanently if it reports corruption, which does not repair itself.
    pub(super) fn note_damage(&self, error: &StoreError) {
        if !error.is_damage() {
            return;
        }
        let mut faults = self.lock();
        if faults.damage.is_none() {
            tracing::error!(%error, "the database is damaged: stop the server and restore a backup");
            faults.damage = Some(error.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
