//! Read access to rooms, members and histories: with a token or, if the dialect is open, without one.

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, Fault};
use crate::model::{Member, Message, PageRequest, Room, RoomId, UserId};

use super::NAME;

/// The reader; without a caller only if the dialect is open.
pub(super) struct Viewer<'a> {
    call: &'a Call,
    caller: Option<Caller>,
}

impl<'a> Viewer<'a> {
    /// Authenticates the request.
    ///
    /// # Errors
    /// If a required token is missing, or the token is invalid.
    pub(super) async fn of(call: &'a Call) -> Result<Self, Fault> {
        let caller = match call.kit.is_open(NAME) {
            true => call.caller_or_local().await?,
            false => Some(call.caller().await?),
        };
        Ok(Self { call, caller })
    }

    /// Returns the id of the reader; 0 without a caller.
    pub(super) fn id(&self) -> UserId {
        self.caller.as_ref().map_or(UserId(0), Caller::id)
    }

    /// Returns a room and its name for the reader.
    pub(super) async fn room(&self, id: RoomId) -> Result<(Room, String), ChatError> {
        let chat = &self.call.kit.chat;
        let room = match &self.caller {
            Some(caller) => match chat.room(caller, id).await {
                Err(error) if self.looks_on(&error) => chat.open_room(id).await?,
                seen => seen?.0,
            },
            None => chat.open_room(id).await?,
        };
        let name = match &self.caller {
            Some(caller) => name_of(&room, caller.id()).to_owned(),
            None => room.name.clone(),
        };
        Ok((room, name))
    }

    /// Returns members of a room by id, after `after`.
    pub(super) async fn members(
        &self,
        room: RoomId,
        (after, limit): (UserId, u32),
    ) -> Result<Vec<Member>, ChatError> {
        let chat = &self.call.kit.chat;
        match &self.caller {
            Some(caller) => match chat.members(caller, room, after, limit).await {
                Err(error) if self.looks_on(&error) => chat.open_members(room, after, limit).await,
                seen => seen,
            },
            None => chat.open_members(room, after, limit).await,
        }
    }

    /// Returns a page of a room's messages.
    pub(super) async fn history(
        &self,
        room: RoomId,
        page: PageRequest,
    ) -> Result<Vec<Message>, ChatError> {
        let chat = &self.call.kit.chat;
        match &self.caller {
            Some(caller) => match chat.history(caller, room, page).await {
                Err(error) if self.looks_on(&error) => chat.open_history(room, page).await,
                seen => Ok(seen?.0),
            },
            None => chat.open_history(room, page).await,
        }
    }

    /// Whether to retry without the caller's permissions: what an open dialect shows without a token, it also shows
    /// with one.
    fn looks_on(&self, error: &ChatError) -> bool {
        matches!(error, ChatError::NotFound(_)) && self.call.is_open(NAME)
    }
}

/// Returns the name of a room for `me`. A direct room has the other person's name.
pub(super) fn name_of(room: &Room, me: UserId) -> &str {
    let is_mine = room.people.iter().any(|person| person.id == me);
    match room.other(me).filter(|_| is_mine) {
        Some(other) => &other.username,
        None => &room.name,
    }
}
