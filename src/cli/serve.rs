//! `parlor serve`: runs the server until it is told to stop.

use super::{Failure, logging};
use crate::config::Config;

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    logging::start(&config.log);
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    // To become `server::run(config, …)`.
    Err(Failure::failed(
        "this build has no server yet, serve: build a later version",
    ))
}
