//! Where log lines go and how they look: stderr, text on a terminal, else JSON.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::repeats::Repeats;
use crate::config::{Log, LogFormat, LogLevel};

/// The most of a panic's message that is logged, bytes: it may quote what somebody sent.
const PANIC_MAX: usize = 500;

/// Starts logging for the whole process, once. What is returned tells of warnings that were not written because they
/// repeated themselves.
pub(super) fn start(log: &Log) -> Repeats {
    let repeats = Repeats::default();
    let is_terminal = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_target(false);
    let lines = match is_text(log.format, is_terminal) {
        true => lines.with_ansi(is_terminal && allows_color()).boxed(),
        false => {
            let lines = lines.with_ansi(false).json().flatten_event(true);
            lines.with_span_list(false).boxed()
        }
    };
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(wanted(log.level))
        .with(repeats.clone())
        .try_init();
    log_panics();
    repeats
}

/// Logs a panic like any other error, with how many there were since the start, instead of as plain text on stderr.
fn log_panics() {
    let count = AtomicU64::new(0);
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let message = &message[..message.floor_char_boundary(PANIC_MAX)];
        let place = panic.location().map(tracing::field::display);
        let count = count.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::error!(place, count, "a thread panicked: {message}");
    }));
}

/// Other people's crates are heard from warnings upwards only.
fn wanted(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("parlor", level)
}

fn is_text(format: LogFormat, is_terminal: bool) -> bool {
    match format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    }
}

/// See <https://no-color.org>: any value but the empty one says no.
fn allows_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_text_and_anything_else_json_unless_told_otherwise() {
        assert!(is_text(LogFormat::Auto, true) && !is_text(LogFormat::Auto, false));
        assert!(is_text(LogFormat::Text, false) && !is_text(LogFormat::Json, true));
    }

    #[test]
    fn only_our_own_crate_is_heard_in_detail() {
        let targets = wanted(LogLevel::Trace);
        assert!(targets.would_enable("parlor::chat", &tracing::Level::TRACE));
        assert!(targets.would_enable("hyper", &tracing::Level::WARN));
        assert!(!targets.would_enable("hyper", &tracing::Level::INFO));
        assert!(!wanted(LogLevel::Error).would_enable("hyper", &tracing::Level::WARN));
    }
}
