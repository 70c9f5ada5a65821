//! Messages: sending, changing and reading.

use std::sync::Arc;

use crate::model::{Action, Change, Content, Draft, Message, MessageId, PageRequest, RoomId};

use super::room::{Reply, RoomMsg, Speaker};
use super::{Caller, Chat, ChatError};

#[derive(Clone, Debug)]
pub struct PostOutcome {
    pub message: Arc<Message>,
    /// `false` if its uuid was sent before; then this is the first copy.
    pub new: bool,
}

impl Chat {
    /// Sends a message; returns when it is on disk.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::Muted`], [`ChatError::NotFound`], [`ChatError::Taken`] on the uuid,
    /// [`ChatError::Limited`], [`ChatError::Busy`], [`ChatError::Full`].
    pub async fn post(
        &self,
        caller: &Caller,
        room: RoomId,
        draft: Draft,
    ) -> Result<PostOutcome, ChatError> {
        self.count_message(caller)?;
        let by = speaker(caller);
        let post = |reply| RoomMsg::Post { by, draft, reply };
        self.core.registry.ask(room, post).await
    }

    /// Passes a message to its room as soon as there is space in the mailbox, without waiting until it is on disk.
    /// Messages of one caller to one room are written in the order of the calls. `reply` is called in the room actor
    /// right before subscribers receive the message.
    pub async fn post_then(
        &self,
        caller: &Caller,
        room: RoomId,
        draft: Draft,
        reply: Reply<PostOutcome>,
    ) {
        if let Err(error) = self.count_message(caller) {
            return reply(Err(error));
        }
        let by = speaker(caller);
        let post = RoomMsg::Post { by, draft, reply };
        self.core.registry.send(room, post).await;
    }

    /// Changes the text of one of the caller's messages.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for messages of others, [`ChatError::NotFound`], [`ChatError::Limited`].
    pub async fn edit(
        &self,
        caller: &Caller,
        message: MessageId,
        content: Content,
    ) -> Result<Arc<Message>, ChatError> {
        self.change(caller, message, Change::Edit(content)).await
    }

    /// Deletes a message: the caller's own, or any as moderator, owner or admin.
    ///
    /// # Errors
    /// As [`Chat::edit`].
    pub async fn delete(
        &self,
        caller: &Caller,
        message: MessageId,
    ) -> Result<Arc<Message>, ChatError> {
        self.change(caller, message, Change::Delete).await
    }

    pub(super) async fn change(
        &self,
        caller: &Caller,
        message: MessageId,
        change: Change,
    ) -> Result<Arc<Message>, ChatError> {
        self.count_message(caller)?;
        let found = self
            .core
            .store
            .message(message)
            .await?
            .ok_or(ChatError::NotFound("message"))?;
        let with_files =
            !found.files.is_empty() && matches!(change, Change::Delete | Change::Hide(_));
        let by = caller.person().clone();
        let answer = self
            .core
            .registry
            .ask(found.room_id, |reply| RoomMsg::Change {
                by,
                message,
                author: found.sender.id,
                change,
                reply,
            })
            .await;
        if with_files && answer.is_ok() {
            self.sweep_soon();
        }
        answer.map_err(hide_room)
    }

    /// Returns a message if the caller may read it.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn message(&self, caller: &Caller, id: MessageId) -> Result<Message, ChatError> {
        let message = self
            .store_for(caller)
            .message(id)
            .await?
            .ok_or(ChatError::NotFound("message"))?;
        self.room_for(caller, message.room_id, Action::Read)
            .await
            .map_err(hide_room)?;
        Ok(message)
    }

    /// Returns a page of a room's messages, oldest first, and whether there are more in that direction.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller may not read the room.
    pub async fn history(
        &self,
        caller: &Caller,
        room: RoomId,
        page: PageRequest,
    ) -> Result<(Vec<Message>, bool), ChatError> {
        self.room_for(caller, room, Action::Read).await?;
        Ok(self.store_for(caller).page(room, page).await?)
    }

    /// Returns a page of the caller's direct messages of all rooms, oldest first, without deleted ones.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn direct_history(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Vec<Message>, ChatError> {
        Ok(self
            .store_for(caller)
            .direct_page(caller.id(), page)
            .await?)
    }
}

/// Replaces the error, so that a caller who may not see the room does not learn that the message exists.
fn hide_room(error: ChatError) -> ChatError {
    match error {
        ChatError::NotFound(_) => ChatError::NotFound("message"),
        other => other,
    }
}

fn speaker(caller: &Caller) -> Speaker {
    Speaker {
        person: caller.person().clone(),
        believed: caller.is_believed(),
    }
}
