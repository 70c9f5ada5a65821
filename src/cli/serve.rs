//! `parlor serve`: runs the server until it receives a signal.

use std::pin::pin;

use super::{Failure, banner, logging, signals};
use crate::config::Config;
use crate::server::{Server, ServerError};
use crate::store::{OpenOptions, Stop, StoreError};

pub(super) fn run(config: &Config, no_backup: bool) -> Result<(), Failure> {
    let repeats = logging::start(&config.log);
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("threads: {error}")))?;
    runtime.spawn(repeats.clone().keep_telling());
    let served = runtime.block_on(serve(config, no_backup));
    repeats.tell();
    served
}

async fn serve(config: &Config, no_backup: bool) -> Result<(), Failure> {
    let failed = |error: ServerError| Failure::failed(error.to_string());
    let stop = Stop::default();
    let options = OpenOptions {
        no_backup,
        stop: stop.clone(),
        ..OpenOptions::default()
    };
    // Before anything is opened, so that a signal can stop the start-up cleanly.
    let mut told =
        signals::first().map_err(|error| Failure::failed(format!("signals: {error}")))?;
    let mut starting = pin!(Server::bind(config, options));
    let (server, is_stopped) = tokio::select! {
        server = &mut starting => (server, false),
        _ = &mut told => {
            stop.request();
            (starting.await, true)
        }
    };
    let server = match server {
        Err(ServerError::Store(StoreError::Stopped)) => {
            tracing::info!("stopped during the migration: the next start continues it");
            return Ok(());
        }
        server => server.map_err(failed)?,
    };
    let chat = server.chat().clone();
    if is_stopped {
        chat.stop().await;
        return Ok(());
    }
    banner::print(config, &server);
    server.run(async { drop(told.await) }).await;
    chat.kept_its_file().map_err(Failure::failed)
}
