//! Connections of unauthenticated clients: they receive only events for everybody, in one dialect. Must not know the
//! connections of people.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::model::Event;

use super::encoder::{Encoder, View};
use super::outbox::{CloseReason, Frames, Outbox, Priority};

/// Connection without an account. It receives events until it is dropped.
pub struct Bystander {
    encoder: Encoder,
    outbox: Arc<Outbox>,
}

/// All such connections that are open.
#[derive(Default)]
pub(super) struct Bystanders(Mutex<Open>);

#[derive(Default)]
struct Open {
    all: Vec<Weak<Bystander>>,
    /// If set, new connections are closed at once for this reason.
    closing: Option<CloseReason>,
}

impl Bystander {
    fn tell(&self, event: &Event) {
        let mut frames = Frames::default();
        self.encoder.0.encode(event, View::Other, &mut frames);
        if !frames.is_empty() {
            self.outbox.push(frames.seal(), Priority::Full);
        }
    }
}

impl Bystanders {
    pub(super) fn add(&self, encoder: Encoder, outbox: Arc<Outbox>) -> Arc<Bystander> {
        let bystander = Arc::new(Bystander { encoder, outbox });
        let mut open = self.lock();
        // Dropped connections are removed before the list grows.
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

    /// Closes all connections, and every connection that is added later.
    pub(super) fn close(&self, why: CloseReason) {
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
