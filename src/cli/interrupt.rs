//! Lets a signal end long work in good order, so that it removes what it has begun.

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::store::Stop;

/// Runs `work`, which is told to stop at SIGTERM and SIGINT.
pub(super) fn run<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start, runtime: {error}")))?;
    runtime.block_on(async {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::failed(format!("cannot start, signals: {error}")))
        };
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        let stop = Stop::default();
        let told = stop.clone();
        let mut working = tokio::task::spawn_blocking(move || work(&told));
        let done = tokio::select! {
            done = &mut working => done,
            _ = terminate.recv() => { stop.request(); working.await }
            _ = interrupt.recv() => { stop.request(); working.await }
        };
        done.map_err(|error| Failure::failed(format!("the work did not end well: {error}")))
    })
}
