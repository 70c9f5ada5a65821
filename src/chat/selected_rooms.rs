//! Direct rooms that a connection has chosen. In dialects whose clients open one chat at a time, the connection
//! receives new messages of these rooms only; while it has chosen none, of all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Event, RoomId};

use super::encoder::Encoder;

/// Direct rooms that one connection has chosen, by dialect.
#[derive(Default)]
pub struct Chosen(Mutex<Vec<(Encoder, RoomId)>>);

impl Chosen {
    /// Chooses a direct room in addition to those already chosen.
    pub fn add(&self, encoder: Encoder, room: RoomId) {
        let mut all = self.lock();
        if !all.contains(&(encoder, room)) {
            all.push((encoder, room));
        }
    }

    pub fn remove(&self, encoder: Encoder, room: RoomId) {
        self.lock().retain(|known| *known != (encoder, room));
    }

    /// Whether the connection receives an event that another person caused.
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
