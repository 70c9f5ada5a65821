//! Lists and statistics for admins: accounts, rooms, totals. Never the content of messages.

use crate::model::{RoomId, UserId};
pub use crate::store::{RoomSummary, ServerStats, UserUsage};

use super::{Caller, Chat, ChatError};

impl Chat {
    /// Returns accounts with ids above `after`, by id, whose username, display name or e-mail address contains `query`,
    /// with their usage.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin.
    pub async fn roster(
        &self,
        caller: &Caller,
        query: &str,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<UserUsage>, ChatError> {
        caller.need_admin()?;
        Ok(self
            .core
            .store
            .roster(query.to_owned(), after, limit)
            .await?)
    }

    /// Returns all rooms except direct ones with ids above `after`, by id, without their access keys.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin.
    pub async fn all_rooms(
        &self,
        caller: &Caller,
        after: RoomId,
        limit: u32,
    ) -> Result<Vec<RoomSummary>, ChatError> {
        caller.need_admin()?;
        let mut rooms = self.core.store.all_rooms(after, limit).await?;
        rooms
            .iter_mut()
            .for_each(|standing| standing.room.access_key = None);
        Ok(rooms)
    }

    /// Returns totals, and the number of messages on each of the last `days`.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] unless the caller is an admin.
    pub async fn census(&self, caller: &Caller, days: u32) -> Result<ServerStats, ChatError> {
        caller.need_admin()?;
        Ok(self.core.store.census(days).await?)
    }
}
