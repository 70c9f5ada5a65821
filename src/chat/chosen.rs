//! Direct rooms that a connection has chosen: in protocols whose clients open one chat at a time, it hears of new messages
//! in these only; while it has chosen none, in all of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Event, RoomId};

use super::encode::Encoder;

/// The direct rooms that one connection listens to, by protocol.
#[derive(Default)]
pub struct Chosen(Mutex<Vec<(Encoder, RoomId)>>);

impl Chosen {
    /// Chooses a direct room, beside those that are chosen already.
    pub fn add(&self, encoder: Encoder, room: RoomId) {
        let mut all = self.lock();
        if !all.contains(&(encoder, room)) {
            all.push((encoder, room));
        }
    }

    /// Takes the choice of a room back.
    pub fn remove(&self, encoder: Encoder, room: RoomId) {
        self.lock().retain(|known| *known != (encoder, room));
    }

    /// Whether an event that somebody else caused is heard.
    pub(super) fn lets_in(&self, encoder: Encoder, event: &Event) -> bool {
        let Event::PostedTo { message, .. } = event else {
            return true;
        };
        let all = self.lock();
        let mut rooms = all.iter().filter(|(known, _)| *known == encoder).peekable();
        rooms.peek().is_none() || rooms.any(|(_, room)| *room == message.room_id)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Encoder, RoomId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
