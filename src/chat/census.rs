//! What only admins see: everybody, every room, and how much there is. Never what is said.

use crate::model::{RoomId, UserId};
pub use crate::store::{Census, RoomStanding, Standing};

use super::{Caller, Chat, ChatError};

impl Chat {
    /// Living accounts by id after `after`, of which `query` is part of a name or of the address, and how they are used.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin; so for all here.
    pub async fn roster(
        &self,
        caller: &Caller,
        query: &str,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<Standing>, ChatError> {
        caller.need_admin()?;
        Ok(self
            .core
            .store
            .roster(query.to_owned(), after, limit)
            .await?)
    }

    /// All rooms that are not direct, by id after `after`; none shows its access key.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`].
    pub async fn all_rooms(
        &self,
        caller: &Caller,
        after: RoomId,
        limit: u32,
    ) -> Result<Vec<RoomStanding>, ChatError> {
        caller.need_admin()?;
        let mut rooms = self.core.store.all_rooms(after, limit).await?;
        rooms
            .iter_mut()
            .for_each(|standing| standing.room.access_key = None);
        Ok(rooms)
    }

    /// How much there is, and how much was said on each of the last `days`.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`].
    pub async fn census(&self, caller: &Caller, days: u32) -> Result<Census, ChatError> {
        caller.need_admin()?;
        Ok(self.core.store.census(days).await?)
    }
}
