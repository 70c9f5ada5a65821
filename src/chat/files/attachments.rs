//! Attachments: attach files and links to messages, remove them, list them.

use std::sync::Arc;

use crate::model::{
    Action, Change, Content, Draft, File, FileId, Link, Message, MessageId, PlacedFile, RoomId,
};
use crate::store::Shown;

use super::super::messages::PostOutcome;
use super::super::{Caller, Chat, ChatError};

/// A file to attach to a message.
#[derive(Clone, Debug)]
pub enum Attachment {
    /// An unattached upload of the caller.
    Uploaded(FileId),
    /// A link to a file on another host.
    Link(Link),
}

impl Chat {
    /// Posts a message with one attachment.
    ///
    /// # Errors
    /// As [`Chat::post`]; [`ChatError::Forbidden`] for guests; [`ChatError::NotFound`] if an upload does not exist, is
    /// not the caller's, or is attached already.
    pub async fn post_file(
        &self,
        caller: &Caller,
        room: RoomId,
        content: Content,
        attachment: Attachment,
    ) -> Result<PostOutcome, ChatError> {
        let (file, link) = self.keep(caller, attachment).await?;
        let draft = Draft {
            files: vec![file],
            ..Draft::new(content)
        };
        let posted = self.post(caller, room, draft).await;
        self.discard_unless(posted.is_ok(), link).await;
        posted
    }

    /// Attaches one more file to one of the caller's messages. Returns the message and the file.
    ///
    /// # Errors
    /// As [`Chat::post_file`]; [`ChatError::Forbidden`] if the message is not the caller's.
    pub async fn show_file(
        &self,
        caller: &Caller,
        message: MessageId,
        attachment: Attachment,
    ) -> Result<(Arc<Message>, File), ChatError> {
        let (file, link) = self.keep(caller, attachment).await?;
        let shown = self.change(caller, message, Change::Show(vec![file])).await;
        self.discard_unless(shown.is_ok(), link).await;
        let message = shown?;
        let found = message.files.iter().find(|shown| shown.id == file).cloned();
        let file = found.ok_or(ChatError::NotFound("file"))?;
        Ok((message, file))
    }

    /// Removes an attachment; needs the permission to delete the message. A message left without text and files is
    /// deleted.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] if the caller may not delete the message; [`ChatError::NotFound`];
    /// [`ChatError::Limited`].
    pub async fn remove_file(&self, caller: &Caller, file: FileId) -> Result<(), ChatError> {
        const MISSING: ChatError = ChatError::NotFound("file");
        let placed = self.core.store.placed_file(file).await?.ok_or(MISSING)?;
        let change = Change::Hide(file);
        match self.change(caller, placed.message, change).await {
            Ok(_) => Ok(()),
            Err(ChatError::NotFound(_)) => Err(MISSING),
            Err(error) => Err(error),
        }
    }

    /// Returns an attachment to the account that uploaded it.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] if it is not the caller's but in a room the caller may read; otherwise
    /// [`ChatError::NotFound`].
    pub async fn placed_file(
        &self,
        caller: &Caller,
        file: FileId,
    ) -> Result<PlacedFile, ChatError> {
        const MISSING: ChatError = ChatError::NotFound("file");
        let placed = self.core.store.placed_file(file).await?.ok_or(MISSING)?;
        if placed.owner.id == caller.id() {
            return Ok(placed);
        }
        match self.room_for(caller, placed.room, Action::Read).await {
            Ok(_) => Err(ChatError::Forbidden),
            Err(ChatError::NotFound(_)) => Err(MISSING),
            Err(error) => Err(error),
        }
    }

    /// Returns attachments of the caller's messages with ids below `before`, newest first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn own_files(
        &self,
        caller: &Caller,
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<PlacedFile>, ChatError> {
        let (store, me) = (&self.core.store, caller.id());
        Ok(store.files_of(me, before, limit).await?)
    }

    /// Returns the bytes that the caller stores, including avatars and uploads in progress.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn own_bytes(&self, caller: &Caller) -> Result<u64, ChatError> {
        Ok(self.core.store.bytes_of(caller.id()).await?)
    }

    /// Returns the newest files of a room, newest first.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller may not read the room.
    pub async fn room_files(
        &self,
        caller: &Caller,
        room: RoomId,
    ) -> Result<Vec<PlacedFile>, ChatError> {
        self.room_for(caller, room, Action::Read).await?;
        Ok(self.core.store.files_in(room).await?)
    }

    /// Returns the files of a lobby message, newest first. For callers that `compat.open` lets in without
    /// authentication.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn lobby_files(&self, message: MessageId) -> Result<Vec<PlacedFile>, ChatError> {
        let found = self.core.store.message(message).await?;
        found
            .filter(|found| found.room_id == RoomId::LOBBY && found.deleted_at.is_none())
            .ok_or(ChatError::NotFound("message"))?;
        Ok(self.core.store.files_by(message).await?)
    }

    /// Returns an unattached upload of the caller.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn loose_file(&self, caller: &Caller, file: FileId) -> Result<File, ChatError> {
        let found = self.core.store.file(file).await?;
        found
            .filter(|found| found.shown == Shown::Nowhere)
            .map(|found| found.file)
            .filter(|file| file.owner_id == caller.id())
            .ok_or(ChatError::NotFound("file"))
    }

    /// Returns the id of the file and, if this call stored it as a link, the id once more for cleanup.
    async fn keep(
        &self,
        caller: &Caller,
        attachment: Attachment,
    ) -> Result<(FileId, Option<FileId>), ChatError> {
        caller.need_account()?;
        match attachment {
            Attachment::Uploaded(file) => Ok((file, None)),
            Attachment::Link(link) => {
                let file = self.link_file(caller, link).await?;
                Ok((file.id, Some(file.id)))
            }
        }
    }

    async fn discard_unless(&self, shown: bool, link: Option<FileId>) {
        let Some(link) = link.filter(|_| !shown) else {
            return;
        };
        if let Err(error) = self.core.store.discard_files(vec![link]).await {
            tracing::warn!(%error, "an address that no message shows stays behind");
        }
    }
}
