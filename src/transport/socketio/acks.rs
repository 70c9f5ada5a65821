//! Acknowledgements that the server waits for. Independent of events and connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

/// Maximum number of pending acknowledgements per connection.
const MAX_WAITING: usize = 64;

/// Acknowledgement of a client.
#[derive(Debug)]
pub struct Answer {
    /// JSON values.
    pub args: Vec<Box<RawValue>>,
    /// Binary attachments, referenced by placeholders in the values.
    pub attachments: Vec<Bytes>,
}

/// Pending acknowledgements of one connection. Uses almost no memory while there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Acks(Arc<Mutex<Option<Box<Waiting>>>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    answers: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Acks {
    /// Returns a new id and a receiver for its acknowledgement, or `None` if too many are pending.
    pub fn expect(&self) -> Option<(u64, oneshot::Receiver<Answer>)> {
        let mut waiting = self.waiting();
        let waiting = waiting.get_or_insert_default();
        if waiting.answers.len() >= MAX_WAITING {
            waiting.answers.retain(|_, answer| !answer.is_closed());
        }
        if waiting.answers.len() >= MAX_WAITING {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let id = waiting.next;
        waiting.next += 1;
        waiting.answers.insert(id, sender);
        Some((id, receiver))
    }

    /// Passes an acknowledgement to the task that waits for it, if any.
    pub fn answer(&self, id: u64, answer: Answer) {
        let sender = self.waiting().as_mut().and_then(|w| w.answers.remove(&id));
        if let Some(sender) = sender {
            // The task may have stopped waiting.
            let _ = sender.send(answer);
        }
    }

    /// Drops all pending acknowledgements, so that their receivers fail.
    pub fn give_up(&self) {
        self.waiting().take();
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Box<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Answer {
        Answer {
            args: Vec::new(),
            attachments: Vec::new(),
        }
    }

    #[test]
    fn an_acknowledgement_reaches_its_waiter() {
        let acks = Acks::default();
        let (first, mut receiver) = acks.expect().unwrap();
        let (second, mut other) = acks.expect().unwrap();
        assert_ne!(first, second);
        acks.answer(first, nothing());
        acks.answer(first, nothing());
        acks.answer(77, nothing());
        assert!(receiver.try_recv().is_ok());
        acks.give_up();
        assert!(other.try_recv().is_err());
    }

    #[test]
    fn pending_acknowledgements_are_limited_without_dropped_ones() {
        let acks = Acks::default();
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| acks.expect().unwrap()).collect();
        assert!(acks.expect().is_none());
        waiting.pop();
        assert!(acks.expect().is_some());
    }
}
