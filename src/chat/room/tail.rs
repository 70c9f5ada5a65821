//! The last few changes of a room, so that a connection that is almost up to date becomes live without a gap.

use std::collections::VecDeque;

use crate::model::{Event, MessageId};

/// So many changes are kept.
const CHANGES_MAX: usize = 256;
/// So many bytes of their texts are kept.
const BYTES_MAX: usize = 256 * 1024;

/// Every change after `floor`, in order.
pub(super) struct Tail {
    floor: MessageId,
    last: MessageId,
    changes: VecDeque<(MessageId, Event)>,
    bytes: usize,
}

impl Tail {
    /// Nothing has happened since `newest`.
    pub(super) fn new(newest: MessageId) -> Self {
        Self {
            floor: newest,
            last: newest,
            changes: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The newest change that was told.
    pub(super) fn last(&self) -> MessageId {
        self.last
    }

    /// What happened up to here is not kept.
    pub(super) fn floor(&self) -> MessageId {
        self.floor
    }

    /// Keeps what is about to be told; anything but changes to messages is left out.
    pub(super) fn push(&mut self, event: &Event) {
        let Some(message) = event.message() else {
            return;
        };
        self.last = self.last.max(message.change_id);
        self.bytes += message.content.len();
        self.changes.push_back((message.change_id, event.clone()));
        while self.changes.len() > CHANGES_MAX || self.bytes > BYTES_MAX {
            self.drop_oldest();
        }
    }

    /// What happened after `position`; `None` if that is too long ago to know.
    pub(super) fn since(&self, position: MessageId) -> Option<Vec<Event>> {
        let after = |change: &&(MessageId, Event)| change.0 > position;
        (position >= self.floor).then(|| {
            self.changes
                .iter()
                .filter(after)
                .map(|(_, event)| event.clone())
                .collect()
        })
    }

    /// Forgets everything: those who come back read it from the disk.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.last);
    }

    fn drop_oldest(&mut self) {
        if let Some((change, event)) = self.changes.pop_front() {
            self.floor = self.floor.max(change);
            self.bytes -= event.message().map_or(0, |message| message.content.len());
        }
    }
}
