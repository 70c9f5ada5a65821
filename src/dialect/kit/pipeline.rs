//! Pipelining: the events of one connection begin and are answered in order, while their messages are written to disk
//! together. Independent of any dialect and of the content of events.
//!
//! * An event that only posts a message begins as soon as the previous one has posted its own, and ends when its
//!   message is on disk. Every other event begins when all before it have ended ([`Slot::alone`]).
//! * Responses are sent in the order of the events, whichever ends first.
//! * At most [`EVENTS_MAX`] events are under way; beyond that, the connection is not read ([`Pipeline::room`]).
//! * An event that has begun runs to its end, even if the connection is gone. Events received after the connection was
//!   closed do not begin.
//! * Updates of read cursors leave the order ([`Slot::detach`]): they are written within a second, and nothing waits
//!   for them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::chat::{EncodedFrames, Outbox, Priority};

/// Maximum number of events of one connection that are under way.
const EVENTS_MAX: usize = 32;
/// A queue with a larger capacity is deallocated when it is empty.
const KEPT_SLOTS: usize = 4;

/// The events of one connection that are under way. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(Arc<Shared>);

struct Shared {
    outbox: Arc<Outbox>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Number of the first event in `events`.
    first: u64,
    /// Events that have begun, unless they and all before them have ended.
    events: VecDeque<Event>,
    /// Number of events that have left the order and have not ended.
    detached: usize,
    /// Set while the connection's task waits for events to end.
    waker: Option<Waker>,
}

#[derive(Default)]
struct Event {
    /// Responses that wait until all events before this one have ended.
    answers: Vec<EncodedFrames>,
    ended: bool,
}

impl Pipeline {
    /// Creates a pipeline whose responses are pushed to `outbox`.
    pub fn new(outbox: Arc<Outbox>) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Shared { outbox, state }))
    }

    /// Begins an event. The connection's task must have waited for [`Pipeline::room`].
    pub fn begin(&self) -> Slot {
        let mut state = self.lock();
        let number = state.first + state.events.len() as u64;
        state.events.push_back(Event::default());
        Slot {
            pipeline: self.clone(),
            number: Some(number),
        }
    }

    /// Queues frames of the newest event, after the responses to those before it.
    pub fn push(&self, frames: EncodedFrames) {
        let mut state = self.lock();
        match state.events.len() {
            0 | 1 => drop(self.0.outbox.push(frames, Priority::Full)),
            last => state.events[last - 1].answers.push(frames),
        }
    }

    /// Waits until another event may begin.
    pub async fn room(&self) {
        self.wait_for(|state| state.events.len() + state.detached < EVENTS_MAX)
            .await;
    }

    /// Waits until all events before the newest one have ended.
    pub async fn newest_is_alone(&self) {
        self.wait_for(|state| state.events.len() <= 1).await;
    }

    /// Waits until all events have ended, except those that have left the order.
    pub async fn ended(&self) {
        self.wait_for(|state| state.events.is_empty()).await;
    }

    /// Waits for a condition. Only the connection's task waits, and for one at a time, so one waker is enough.
    async fn wait_for(&self, is_so: impl Fn(&State) -> bool) {
        poll_fn(|context| {
            let mut state = self.lock();
            if is_so(&state) {
                return Poll::Ready(());
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event that is under way. It ends when this is dropped.
pub struct Slot {
    pipeline: Pipeline,
    /// `None` once the event has left the order.
    number: Option<u64>,
}

impl Slot {
    /// Queues a response, after the responses to the events before this one.
    pub fn push(&self, frames: EncodedFrames) {
        let outbox = &self.pipeline.0.outbox;
        let mut state = self.pipeline.lock();
        match self.number.and_then(|number| state.waiting(number)) {
            Some(event) => event.answers.push(frames),
            // Pushed under the lock, or another thread could get in between.
            None => drop(outbox.push(frames, Priority::Full)),
        }
    }

    /// Waits until all events before this one have ended. Returns `false` if the connection is closed by then: events
    /// after the end of its session must not run.
    pub async fn alone(&self) -> bool {
        if let Some(number) = self.number {
            self.pipeline.wait_for(|state| state.first >= number).await;
        }
        !self.pipeline.0.outbox.is_closed()
    }

    /// Leaves the order: nothing waits for this event any more, and its response is sent at once. It still counts as
    /// under way.
    pub fn detach(&mut self) {
        if let Some(number) = self.number.take() {
            self.pipeline.lock().detached += 1;
            self.pipeline.end(number);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        match self.number {
            Some(number) => self.pipeline.end(number),
            None => self.pipeline.end_detached(),
        }
    }
}

impl Pipeline {
    /// Marks an event as ended and releases the responses that waited only for it.
    fn end(&self, number: u64) {
        let mut state = self.lock();
        if let Some(event) = state.get(number) {
            event.ended = true;
        }
        while state.events.front().is_some_and(|event| event.ended) {
            state.events.pop_front();
            state.first += 1;
            let next = state.events.front_mut();
            for frames in next
                .map(|event| std::mem::take(&mut event.answers))
                .into_iter()
                .flatten()
            {
                self.0.outbox.push(frames, Priority::Full);
            }
        }
        if state.events.is_empty() && state.events.capacity() > KEPT_SLOTS {
            state.events = VecDeque::new();
        }
        wake(state);
    }

    fn end_detached(&self) {
        let mut state = self.lock();
        state.detached -= 1;
        wake(state);
    }
}

impl State {
    fn get(&mut self, number: u64) -> Option<&mut Event> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.events.get_mut(place)
    }

    /// Returns the event if any event before it has not ended.
    fn waiting(&mut self, number: u64) -> Option<&mut Event> {
        match number > self.first {
            true => self.get(number),
            false => None,
        }
    }
}

/// Wakes the connection's task after releasing the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Context;

    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;
    use crate::chat::{CloseReason, Frames};

    fn frame(text: &str) -> EncodedFrames {
        let mut frames = Frames::default();
        frames.add(|bytes| bytes.extend_from_slice(text.as_bytes()));
        frames.seal()
    }

    fn queued(outbox: &Outbox) -> Vec<Bytes> {
        let mut batch = Vec::new();
        let _ = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut batch);
        batch
    }

    fn pipeline() -> (Pipeline, Arc<Outbox>) {
        let outbox = Arc::<Outbox>::default();
        (Pipeline::new(outbox.clone()), outbox)
    }

    #[test]
    fn responses_are_sent_in_event_order() {
        let (pipeline, outbox) = pipeline();
        let [first, second, third] = [(); 3].map(|()| pipeline.begin());
        pipeline.push(frame("3"));
        third.push(frame("three"));
        drop(third);
        second.push(frame("two"));
        assert!(queued(&outbox).is_empty());
        first.push(frame("one"));
        assert_eq!(queued(&outbox), ["one"]);
        drop(first);
        assert_eq!(queued(&outbox), ["two"]);
        second.push(frame("2"));
        drop(second);
        assert_eq!(queued(&outbox), ["2", "3", "three"]);
        pipeline.push(frame("none before it"));
        assert_eq!(queued(&outbox), ["none before it"]);
    }

    #[test]
    fn the_number_of_events_under_way_is_limited() {
        let (pipeline, _) = pipeline();
        let mut slots: Vec<_> = (1..EVENTS_MAX).map(|_| pipeline.begin()).collect();
        assert!(pipeline.room().now_or_never().is_some());
        slots.push(pipeline.begin());
        assert!(pipeline.room().now_or_never().is_none());
        slots[7].detach();
        drop(slots.pop());
        // Ended events count until all before them have ended; detached events count until they end.
        assert!(pipeline.room().now_or_never().is_none());
        slots.swap_remove(7);
        slots.clear();
        assert!(pipeline.room().now_or_never().is_some());
        assert!(pipeline.lock().events.capacity() <= KEPT_SLOTS);
    }

    #[test]
    fn an_exclusive_event_waits_for_earlier_ones() {
        let (pipeline, outbox) = pipeline();
        let (mut first, second, third) = (pipeline.begin(), pipeline.begin(), pipeline.begin());
        assert_eq!(first.alone().now_or_never(), Some(true));
        assert_eq!(second.alone().now_or_never(), None);
        first.detach();
        assert_eq!(second.alone().now_or_never(), Some(true));
        drop(second);
        outbox.close(CloseReason::SessionEnded);
        assert_eq!(third.alone().now_or_never(), Some(false));
        assert!(pipeline.newest_is_alone().now_or_never().is_some());
        assert!(pipeline.ended().now_or_never().is_none());
        drop(third);
        assert!(pipeline.ended().now_or_never().is_some());
    }
}
