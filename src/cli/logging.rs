//! Log output: to stderr, as text on a terminal, else as JSON.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::repeats::Repeats;
use crate::config::{Log, LogFormat, LogLevel};

/// Maximum length of a logged panic message, in bytes: it may contain data from users.
const PANIC_MAX: usize = 500;

/// Starts logging for the whole process; must be called once. The returned handle reports warnings that were suppressed
/// because they repeated.
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

/// Logs panics as errors, with their number since the start, instead of as plain text on stderr.
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

/// Returns the filter for a log level. Other crates log warnings and errors only.
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

/// Whether colours are allowed: any non-empty value of `NO_COLOR` disables them, see <https://no-color.org>.
fn allows_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_format_defaults_to_text_on_a_terminal_and_json_elsewhere() {
        assert!(is_text(LogFormat::Auto, true) && !is_text(LogFormat::Auto, false));
        assert!(is_text(LogFormat::Text, false) && !is_text(LogFormat::Json, true));
    }

    #[test]
    fn only_parlors_own_crate_is_logged_in_detail() {
        let targets = wanted(LogLevel::Trace);
        assert!(targets.would_enable("parlor::chat", &tracing::Level::TRACE));
        assert!(targets.would_enable("hyper", &tracing::Level::WARN));
        assert!(!targets.would_enable("hyper", &tracing::Level::INFO));
        assert!(!wanted(LogLevel::Error).would_enable("hyper", &tracing::Level::WARN));
    }
}
