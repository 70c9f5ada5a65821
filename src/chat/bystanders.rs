//! Connections of clients that have not said who they are: they hear only what everybody is told, in one protocol. Must
//! not know those of people.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::model::Event;

use super::encode::{Encoder, View};
use super::outbox::{Closing, Frames, Outbox, Weight};

/// A connection that belongs to nobody. It is told of events until it is dropped.
pub struct Bystander {
    encoder: Encoder,
    outbox: Arc<Outbox>,
}

/// All of them that are open.
#[derive(Default)]
pub(super) struct Bystanders(Mutex<Open>);

#[derive(Default)]
struct Open {
    all: Vec<Weak<Bystander>>,
    /// Why new ones are closed at once.
    closing: Option<Closing>,
}

impl Bystander {
    fn tell(&self, event: &Event) {
        let mut frames = Frames::default();
        self.encoder.0.encode(event, View::Other, &mut frames);
        if !frames.is_empty() {
            self.outbox.push(frames.seal(), Weight::Full);
        }
    }
}

impl Bystanders {
    pub(super) fn add(&self, encoder: Encoder, outbox: Arc<Outbox>) -> Arc<Bystander> {
        let bystander = Arc::new(Bystander { encoder, outbox });
        let mut open = self.lock();
        // Before the list grows, those that were dropped are removed.
        if open.all.len() == open.all.capacity() {
            open.all.retain(|known| known.strong_count() > 0);
        }
        open.all.push(Arc::downgrade(&bystander));
        if let Some(why) = open.closing {
            bystander.outbox.close(why);
        }
        bystander
    }

    pub(super) fn tell(&self, event: &Event) {
        for bystander in self.all() {
            bystander.tell(event);
        }
    }

    /// Closes all connections, and those that are still to come.
    pub(super) fn close(&self, why: Closing) {
        self.lock().closing = Some(why);
        for bystander in self.all() {
            bystander.outbox.close(why);
        }
    }

    fn all(&self) -> Vec<Arc<Bystander>> {
        self.lock().all.iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
