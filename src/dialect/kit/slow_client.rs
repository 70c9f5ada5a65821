//! Slow-client protection for request bodies: a limit on silence, a minimum rate, and a deadline for the whole body.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Fault;

/// The bytes of a body as they arrive.
pub(super) type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

/// Minimum rate of a body, in bytes per second.
const LEAST_RATE: u32 = 1024;
/// Time that a sender may fall behind that rate or be silent.
const SLACK: Duration = Duration::from_secs(20);

/// Body stream that fails with [`Fault::BrokenBody`] when data arrives too slowly.
pub(super) struct Paced {
    body: BodyStream,
    /// Remaining time to wait for the next bytes.
    slack: Duration,
    /// Remaining time to wait for the whole body.
    whole: Duration,
    /// Start of the current wait. Only time spent waiting for data counts.
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn new(body: BodyStream, whole: Duration) -> Self {
        Self {
            body,
            slack: SLACK,
            whole,
            waiting_since: None,
            timer: None,
        }
    }

    fn received(&mut self, bytes: usize) {
        let since = self.waiting_since.take();
        let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
        self.timer = None;
        self.whole = self.whole.saturating_sub(waited);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * bytes / LEAST_RATE;
        self.slack = (self.slack.saturating_sub(waited) + earned).min(SLACK);
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let paced = &mut *self;
        match paced.body.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(bytes))) => {
                paced.received(bytes.len());
                return Poll::Ready(Some(Ok(bytes)));
            }
            Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(Fault::BrokenBody))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        let since = *paced.waiting_since.get_or_insert_with(Instant::now);
        let until = since + paced.slack.min(paced.whole);
        let timer = paced
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        let is_late = timer.as_mut().poll(context);
        is_late.map(|()| Some(Err(Fault::BrokenBody)))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::time::sleep;

    use super::*;

    /// Endless body in chunks of `size` bytes, one per `every`.
    fn body(size: usize, every: Duration) -> BodyStream {
        Box::pin(stream::unfold((), move |()| async move {
            sleep(every).await;
            Some((Ok(Bytes::from(vec![0; size])), ()))
        }))
    }

    /// Reads until the end or an error; returns the elapsed time and the number of bytes.
    async fn read(mut paced: Paced) -> (Duration, usize) {
        let (start, mut bytes) = (Instant::now(), 0);
        loop {
            match paced.next().await {
                Some(Ok(part)) => bytes += part.len(),
                _ => return (start.elapsed(), bytes),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickling_body_is_cut_and_a_steady_one_is_not() {
        let hour = Duration::from_secs(3600);
        let (after, _) = read(Paced::new(body(1, Duration::from_secs(15)), hour)).await;
        assert!(after < Duration::from_secs(21), "{after:?}");
        let (after, _) = read(Paced::new(body(900, Duration::from_secs(1)), hour)).await;
        assert!(after < Duration::from_secs(300), "{after:?}");
        let (after, bytes) = read(Paced::new(body(20_000, Duration::from_secs(15)), hour)).await;
        assert!(after >= hour && bytes > 4_000_000, "{after:?}, {bytes}");
    }

    #[tokio::test(start_paused = true)]
    async fn time_without_reads_does_not_count() {
        let mut paced = Paced::new(body(1, Duration::from_secs(1)), Duration::from_secs(60));
        assert!(matches!(paced.next().await, Some(Ok(_))));
        sleep(Duration::from_secs(600)).await;
        assert!(matches!(paced.next().await, Some(Ok(_))));
    }
}
