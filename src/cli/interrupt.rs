//! Makes long-running work stoppable by a signal, so that it can clean up.

use super::{Failure, signals};
use crate::store::Stop;

/// Runs `work`, which is asked to stop at the first signal.
pub(super) fn run<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start, runtime: {error}")))?;
    runtime.block_on(async {
        let told = signals::first()
            .map_err(|error| Failure::failed(format!("cannot start, signals: {error}")))?;
        let stop = Stop::default();
        let asked = stop.clone();
        let mut working = tokio::task::spawn_blocking(move || work(&asked));
        let done = tokio::select! {
            done = &mut working => done,
            _ = told => {
                stop.request();
                working.await
            }
        };
        done.map_err(|error| Failure::failed(format!("the work did not end well: {error}")))
    })
}
