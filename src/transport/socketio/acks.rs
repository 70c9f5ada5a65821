//! Answers that the server waits for. Must know neither events nor connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

/// So many answers a connection may owe.
const MAX_WAITING: usize = 64;

/// What a client answered.
#[derive(Debug)]
pub struct Answer {
    /// JSON values.
    pub args: Vec<Box<RawValue>>,
    /// What their placeholders name.
    pub attachments: Vec<Bytes>,
}

/// The answers one connection owes; it costs next to nothing while there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Acks(Arc<Mutex<Option<Box<Waiting>>>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    answers: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Acks {
    /// A number to ask under; none if too many answers are owed.
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

    /// Hands an answer to who waits for it; nobody may.
    pub fn answer(&self, id: u64, answer: Answer) {
        let sender = self.waiting().as_mut().and_then(|w| w.answers.remove(&id));
        if let Some(sender) = sender {
            // Who has stopped waiting needs no answer.
            let _ = sender.send(answer);
        }
    }

    /// No answer will come any more.
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
    fn an_answer_reaches_who_asked() {
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
    fn only_so_many_are_owed_but_those_nobody_waits_for_do_not_count() {
        let acks = Acks::default();
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| acks.expect().unwrap()).collect();
        assert!(acks.expect().is_none());
        waiting.pop();
        assert!(acks.expect().is_some());
    }
}
