//! Signals that end this process: the first one gracefully, a second one at once.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Number of SIGHUP, which `nohup` sets to be ignored.
const HANGUP: u32 = 1;

/// Resolves at the first signal; after that, another one ends the process. Requires a tokio runtime.
///
/// # Errors
/// If a signal handler cannot be installed.
pub(super) fn first() -> io::Result<oneshot::Receiver<()>> {
    let mut signals = listen()?;
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let name = next(&mut signals).await;
        tracing::info!(signal = name, "received a signal: stopping");
        let _ = tell.send(());
        // A closing terminal may send SIGHUP repeatedly, which is not a request to end at once.
        while next(&mut signals).await == "SIGHUP" {
            tracing::info!(signal = "SIGHUP", "received another signal");
        }
        tracing::warn!("received a second signal: ended at once");
        std::process::exit(1);
    });
    Ok(told)
}

fn listen() -> io::Result<Vec<(&'static str, Signal)>> {
    let kinds = [
        ("SIGTERM", SignalKind::terminate()),
        ("SIGINT", SignalKind::interrupt()),
        ("SIGQUIT", SignalKind::quit()),
        ("SIGUSR1", SignalKind::user_defined1()),
        ("SIGUSR2", SignalKind::user_defined2()),
        ("SIGHUP", SignalKind::hangup()),
    ];
    let wanted = kinds
        .into_iter()
        .filter(|(name, _)| *name != "SIGHUP" || !is_ignored(HANGUP));
    wanted
        .map(|(name, kind)| Ok((name, signal(kind)?)))
        .collect()
}

async fn next(signals: &mut [(&'static str, Signal)]) -> &'static str {
    poll_fn(|context| {
        for (name, signal) in signals.iter_mut() {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready(*name);
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether this process was started with that signal ignored (as by `nohup`), if the system provides that information.
fn is_ignored(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}
