//! Rate limit for repeated warnings and errors in the log: the first ones are written, the others counted.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Time for which a repeated line is suppressed, and interval at which the counts are logged.
const WINDOW: Duration = Duration::from_secs(10);
/// Maximum number of different lines from one call site that are written per window.
const DISTINCT_MAX: usize = 10;
/// Maximum length of a message in a summary line, in characters.
const MESSAGE_MAX: usize = 200;

/// Log layer that passes each line once per window. Clones share their state.
#[derive(Clone, Default)]
pub(super) struct Repeats(Arc<Mutex<HashMap<Identifier, Seen>>>);

/// Lines of one call site within the window.
struct Seen {
    level: Level,
    /// Hashes of the lines that were written.
    written: Vec<u64>,
    /// Number of suppressed lines; `message` is the last of them.
    kept_back: u64,
    message: String,
}

impl Repeats {
    /// Logs the counts at the end of every window.
    pub(super) async fn keep_telling(self) {
        let mut clock = tokio::time::interval(WINDOW);
        loop {
            clock.tick().await;
            self.tell();
        }
    }

    /// Logs the number of suppressed lines and begins a new window.
    pub(super) fn tell(&self) {
        let seen = std::mem::take(&mut *self.seen());
        for one in seen.into_values().filter(|one| one.kept_back > 0) {
            let (count, message) = (one.kept_back, one.message);
            match one.level {
                Level::ERROR => tracing::error!(count, "repeated: {message}"),
                _ => tracing::warn!(count, "repeated: {message}"),
            }
        }
    }

    fn is_due(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        // The summary lines of this module are not limited.
        if *metadata.level() > Level::WARN || metadata.target() == module_path!() {
            return true;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let hash = line.hasher.finish();
        let mut all = self.seen();
        let seen = all.entry(metadata.callsite()).or_insert_with(|| Seen {
            level: *metadata.level(),
            written: Vec::new(),
            kept_back: 0,
            message: String::new(),
        });
        if seen.written.len() < DISTINCT_MAX && !seen.written.contains(&hash) {
            seen.written.push(hash);
            return true;
        }
        seen.kept_back += 1;
        seen.message = line.message;
        false
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Identifier, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Repeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.is_due(event)
    }
}

/// Hash and message of a line.
#[derive(Default)]
struct Line {
    hasher: DefaultHasher,
    message: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        field.name().hash(&mut self.hasher);
        text.hash(&mut self.hasher);
        if field.name() == "message" {
            self.message = text.chars().take(MESSAGE_MAX).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use tracing_subscriber::Registry;
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// Returns the lines that `work` logs.
    fn lines(work: impl FnOnce(&Repeats)) -> Vec<String> {
        let (written, repeats) = (Written::default(), Repeats::default());
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(written.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false);
        let subscriber = Registry::default().with(layer).with(repeats.clone());
        tracing::subscriber::with_default(subscriber, || work(&repeats));
        let bytes = written.0.lock().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    fn fail(jobs: u32) {
        tracing::error!(jobs, "nothing was stored");
    }

    #[test]
    fn repeated_lines_are_written_once_and_counted() {
        let lines = lines(|repeats| {
            (0..200).for_each(|_| fail(3));
            repeats.tell();
            fail(3);
            repeats.tell();
        });
        let line = "ERROR nothing was stored jobs=3";
        assert_eq!(
            lines,
            [line, "ERROR repeated: nothing was stored count=199", line]
        );
    }

    #[test]
    fn differing_error_lines_of_one_place_are_limited() {
        let lines = lines(|repeats| {
            for jobs in 0..200 {
                fail(jobs);
                tracing::info!(jobs, "request");
            }
            repeats.tell();
        });
        let errors = lines.iter().filter(|line| line.starts_with("ERROR"));
        assert_eq!(errors.count(), DISTINCT_MAX + 1);
        let requests = lines.iter().filter(|line| line.starts_with("INFO"));
        assert_eq!(requests.count(), 200);
    }
}
