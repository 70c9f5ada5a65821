//! Files and the messages that show them: other hosts' files that people point at, and lists of what is shown.

use std::sync::Arc;

use crate::model::{
    Action, Change, Content, Draft, File, FileId, Link, Message, MessageId, PlacedFile, RoomId,
};
use crate::store::Shown;

use super::super::messages::Posted;
use super::super::{Caller, Chat, ChatError};

/// Something a message shall show.
#[derive(Clone, Debug)]
pub enum Attachment {
    /// What the caller has uploaded and nothing shows yet.
    Uploaded(FileId),
    /// Another host's file.
    Link(Link),
}

impl Chat {
    /// Sends a message that shows a file.
    ///
    /// # Errors
    /// As [`Chat::post`]; [`ChatError::Forbidden`] for guests; [`ChatError::NotFound`] if an upload is not there, not
    /// the caller's, or shown already.
    pub async fn post_file(
        &self,
        caller: &Caller,
        room: RoomId,
        content: Content,
        attachment: Attachment,
    ) -> Result<Posted, ChatError> {
        let (file, link) = self.keep(caller, attachment).await?;
        let draft = Draft {
            files: vec![file],
            ..Draft::new(content)
        };
        let posted = self.post(caller, room, draft).await;
        self.discard_unless(posted.is_ok(), link).await;
        posted
    }

    /// Lets one of the caller's messages show one more file, which is answered too.
    ///
    /// # Errors
    /// As [`Chat::post_file`]; [`ChatError::Forbidden`] if the message is somebody else's.
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

    /// Takes a file away from the message that shows it, for whoever may delete that message; one without text and files
    /// goes with it.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] if the message is out of the caller's reach; [`ChatError::NotFound`];
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

    /// A file that a message shows, for who uploaded it.
    ///
    /// # Errors
    /// [`ChatError::NotFound`]; [`ChatError::Forbidden`] if it is somebody else's and the caller may know of it.
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

    /// The newest files before `before` that the caller's messages show, newest first.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn own_files(
        &self,
        caller: &Caller,
        before: Option<FileId>,
        limit: u32,
    ) -> Result<Vec<PlacedFile>, ChatError> {
        let (store, me) = (&self.core.store, caller.id());
        Ok(store.files_of(me, before, limit).await?)
    }

    /// Bytes that the caller keeps here, also of pictures and of what is on its way.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn own_bytes(&self, caller: &Caller) -> Result<u64, ChatError> {
        Ok(self.core.store.bytes_of(caller.id()).await?)
    }

    /// The newest files of a room, newest first.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller may not read it.
    pub async fn room_files(
        &self,
        caller: &Caller,
        room: RoomId,
    ) -> Result<Vec<PlacedFile>, ChatError> {
        self.room_for(caller, room, Action::Read).await?;
        Ok(self.core.store.files_in(room).await?)
    }

    /// The files of a message in the lobby, newest first; no secret where an operator has switched proof off.
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

    /// What the caller has uploaded and nothing shows yet.
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

    /// The file's number, and once more if it was remembered only now.
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
