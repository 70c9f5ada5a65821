//! Anonymous access under `compat.open`: names, members and messages of all rooms except direct ones. Callers must
//! check that the setting allows it.

use crate::model::{Member, Message, PageRequest, Room, RoomId, RoomKind, UserId};

use super::room::Order;
use super::{Caller, Chat, ChatError};

impl Chat {
    /// Returns a room without its access key.
    ///
    /// # Errors
    /// [`ChatError::NotFound`], also for direct rooms.
    pub async fn open_room(&self, id: RoomId) -> Result<Room, ChatError> {
        let found = self.core.store.room(id).await?;
        let room = found.filter(|room| room.kind != RoomKind::Direct);
        let room = room.ok_or(ChatError::NotFound("room"))?;
        Ok(Room {
            access_key: None,
            ..room
        })
    }

    /// Returns the lobby and all public rooms, by id.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn listed_rooms(&self) -> Result<Vec<Room>, ChatError> {
        let mut rooms = vec![self.open_room(RoomId::LOBBY).await?];
        let nobody = UserId(0);
        let public = self
            .core
            .store
            .public_rooms(nobody, RoomId(0), u32::MAX)
            .await?;
        rooms.extend(public.into_iter().map(|(room, ..)| room));
        Ok(rooms)
    }

    /// Returns the members of a room, by user id after `after`.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn open_members(
        &self,
        room: RoomId,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<Member>, ChatError> {
        self.open_room(room).await?;
        Ok(self.core.store.members(room, after, limit).await?)
    }

    /// Returns a page of a room's messages, oldest first.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn open_history(
        &self,
        room: RoomId,
        page: PageRequest,
    ) -> Result<Vec<Message>, ChatError> {
        self.open_room(room).await?;
        Ok(self.core.store.page(room, page).await?.0)
    }

    /// Joins a public room, or a private one without its access key.
    ///
    /// # Errors
    /// As [`Chat::join`](Self::join); people who were removed from a private room cannot join it again.
    pub async fn join_open(&self, caller: &Caller, room: RoomId) -> Result<Room, ChatError> {
        self.order_room(caller, room, Order::JoinOpen).await
    }
}
