//! `parlor serve`: runs the server until it is told to stop.

use std::io::{self, Write};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, logging};
use crate::config::Config;
use crate::server::{Server, ServerError};
use crate::store::OpenOptions;

pub(super) fn run(config: &Config, no_backup: bool) -> Result<(), Failure> {
    logging::start(&config.log);
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("threads: {error}")))?;
    runtime.block_on(serve(config, no_backup))
}

async fn serve(config: &Config, no_backup: bool) -> Result<(), Failure> {
    let failed = |error: ServerError| Failure::failed(error.to_string());
    let options = OpenOptions {
        no_backup,
        ..OpenOptions::default()
    };
    // Before anything is open: who stops us now stops us well.
    let stop = stop_signal().map_err(|error| Failure::failed(format!("signals: {error}")))?;
    let server = Server::bind(config, options).await.map_err(failed)?;
    greet(config, &server);
    let chat = server.chat().clone();
    server.run(stop).await;
    chat.kept_its_file().map_err(Failure::failed)
}

/// Resolves at SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Tells where the server is found, and how it gets its first admin.
fn greet(config: &Config, server: &Server) {
    let urls = server.urls();
    let mut text = format!(
        "Parlor {} keeps {}\n",
        env!("CARGO_PKG_VERSION"),
        config.server.db.display()
    );
    for url in &urls {
        text.push_str(&format!("  {url}\n"));
    }
    if let (Some(token), Some(url)) = (
        server.chat().setup_token(),
        config.server.public_url.as_ref().or(urls.last()),
    ) {
        let url = url.trim_end_matches('/');
        text.push_str(&format!("Nobody administers this server yet. Good once, for 24 hours:\n  {url}/setup?token={token}\n"));
    }
    // Whoever started us may have closed stdout; that is no reason not to serve.
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}
