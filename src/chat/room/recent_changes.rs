//! Replay buffer: the last changes of a room, so that a connection almost up to date becomes live without a gap.

use std::collections::VecDeque;

use crate::model::{Event, MessageId};

/// Number of changes that are kept.
const CHANGES_MAX: usize = 256;
/// Bytes of message content that are kept.
const BYTES_MAX: usize = 256 * 1024;

/// All changes after `floor`, in order.
pub(super) struct Tail {
    floor: MessageId,
    last: MessageId,
    changes: VecDeque<(MessageId, Event)>,
    bytes: usize,
}

impl Tail {
    /// Creates an empty buffer; `newest` is the newest change of the room.
    pub(super) fn new(newest: MessageId) -> Self {
        Self {
            floor: newest,
            last: newest,
            changes: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Returns the newest change that was delivered.
    pub(super) fn last(&self) -> MessageId {
        self.last
    }

    /// Returns the change up to which changes are not kept.
    pub(super) fn floor(&self) -> MessageId {
        self.floor
    }

    /// Adds an event that is about to be delivered. Ignores all but changes of messages.
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

    /// Returns the changes after `position`; `None` if some of them are no longer kept.
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

    /// Discards all changes: returning connections read them from disk.
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
