//! Uploads: checks limits, streams files to disk in chunks and strips metadata.

use bytes::Bytes;
use futures_util::Stream;

use crate::model::{Draft, FILES_MAX, File, FileId, Invalid, Link, RoomId, TOO_MANY_FILES, UserId};

use super::super::{Caller, Chat, ChatError, PostOutcome};
use super::Sender;
use super::chunk_writer::Row;
use super::fair_semaphore::Who;
use super::receive::{Announced, new_key, receive};

/// The files of a message that is not posted yet. Dropping it without posting discards the files.
pub struct Uploads {
    chat: Chat,
    caller: Caller,
    room: RoomId,
    rows: Vec<Row>,
    files: Vec<FileId>,
    /// Bytes left in the quota.
    left: u64,
    who: Who,
}

impl Chat {
    /// Starts a message with files. Checks everything that can be checked before the first byte arrives.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::NotFound`], [`ChatError::Muted`], [`ChatError::Quota`].
    pub async fn uploads(&self, sender: Sender<'_>, room: RoomId) -> Result<Uploads, ChatError> {
        let caller = sender.caller;
        caller.need_account()?;
        self.check_may_speak(caller, room).await?;
        Ok(Uploads {
            left: self.quota_left(caller.id()).await?,
            chat: self.clone(),
            caller: caller.clone(),
            room,
            rows: Vec::new(),
            files: Vec::new(),
            who: sender.who(),
        })
    }

    /// Receives an unattached file. It is removed unless a message shows it within an hour.
    ///
    /// # Errors
    /// As [`Uploads::take`]; [`ChatError::Forbidden`] for guests.
    pub async fn upload_unattached<S, E>(
        &self,
        sender: Sender<'_>,
        name: &str,
        media_type: &str,
        bytes: S,
    ) -> Result<File, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        sender.caller.need_account()?;
        let announced = Announced {
            who: sender.who(),
            name,
            media_type,
            most: self.core.settings.file_size_max,
            left: self.quota_left(sender.caller.id()).await?,
        };
        let (file, rows) = receive(self, announced, bytes).await?;
        rows.into_iter().for_each(Row::keep);
        Ok(file)
    }

    /// Stores a link to a file on another host, for a message to show. The server never fetches it.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::TooLarge`], [`ChatError::Invalid`] for a type that is not
    /// allowed.
    pub async fn link_file(&self, caller: &Caller, link: Link) -> Result<File, ChatError> {
        caller.need_account()?;
        if link.size > self.core.settings.file_size_max {
            return Err(ChatError::TooLarge(self.core.settings.file_size_max));
        }
        self.check_type(&link.media_type)?;
        self.count_message(caller)?;
        Ok(self
            .core
            .store
            .add_link(caller.id(), new_key(), link)
            .await?)
    }

    /// Returns the bytes left in the account's quota.
    pub(super) async fn quota_left(&self, user: UserId) -> Result<u64, ChatError> {
        let Some(quota) = self.core.settings.file_quota else {
            return Ok(u64::MAX);
        };
        let left = quota.saturating_sub(self.core.store.bytes_of(user).await?);
        if left == 0 {
            Err(ChatError::Quota)
        } else {
            Ok(left)
        }
    }

    pub(super) fn check_type(&self, media_type: &str) -> Result<(), ChatError> {
        if self.core.settings.takes_type(media_type) {
            Ok(())
        } else {
            Err(Invalid::new("file", "is of a type that is not taken here").into())
        }
    }
}

impl Uploads {
    /// Receives one file completely. `name` and `media_type` are as the sender declares them.
    ///
    /// # Errors
    /// [`ChatError::TooLarge`], [`ChatError::Quota`], [`ChatError::Invalid`] for a type that is not allowed, a damaged
    /// file or too many files, [`ChatError::Busy`] if too many uploads are in progress, [`ChatError::Full`], and the
    /// stream's error.
    pub async fn take<S, E>(&mut self, name: &str, media_type: &str, bytes: S) -> Result<(), E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        if self.files.len() == FILES_MAX {
            return Err(ChatError::from(TOO_MANY_FILES).into());
        }
        let announced = Announced {
            who: self.who,
            name,
            media_type,
            most: self.chat.core.settings.file_size_max,
            left: self.left,
        };
        let (file, rows) = receive(&self.chat, announced, bytes).await?;
        self.left = self.left.saturating_sub(file.size);
        self.files.push(file.id);
        self.rows.extend(rows);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Posts the message with the received files.
    ///
    /// # Errors
    /// As [`Chat::post`].
    pub async fn post(self, draft: Draft) -> Result<PostOutcome, ChatError> {
        let draft = Draft {
            files: self.files,
            ..draft
        };
        let posted = self.chat.post(&self.caller, self.room, draft).await?;
        if posted.new {
            self.rows.into_iter().for_each(Row::keep);
        }
        Ok(posted)
    }
}
