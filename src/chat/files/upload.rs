//! Taking files in: within limits, in small pieces, pictures without what they tell of their making.

use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::model::{Draft, FILES_MAX, File, FileId, Invalid, Link, RoomId, UserId};

use super::super::{Caller, Chat, ChatError, Posted};
use super::incoming::{Announced, new_key, receive};
use super::writing::Row;

/// How long an upload waits for its turn.
const WAIT: Duration = Duration::from_secs(30);

/// The files of one message to be; what is not posted in the end is given up.
pub struct Uploads {
    chat: Chat,
    caller: Caller,
    room: RoomId,
    rows: Vec<Row>,
    files: Vec<FileId>,
    /// What the quota leaves.
    left: u64,
    _turn: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Chat {
    /// Begins a message with files; everything that can be refused before a byte has come is.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::NotFound`], [`ChatError::Muted`], [`ChatError::Quota`],
    /// [`ChatError::Busy`] and [`ChatError::Limited`] if too many uploads are on their way.
    pub async fn uploads(&self, caller: &Caller, room: RoomId) -> Result<Uploads, ChatError> {
        caller.need_account()?;
        self.check_may_speak(caller, room).await?;
        let turn = self.upload_turn(caller).await?;
        Ok(Uploads {
            left: self.quota_left(caller.id()).await?,
            chat: self.clone(),
            caller: caller.clone(),
            room,
            rows: Vec::new(),
            files: Vec::new(),
            _turn: turn,
        })
    }

    /// Takes one file in that no message shows yet; if none does within an hour, it is given up.
    ///
    /// # Errors
    /// As [`Uploads::take`]; [`ChatError::Forbidden`] for guests.
    pub async fn take_loose<S, E>(
        &self,
        caller: &Caller,
        name: &str,
        media_type: &str,
        bytes: S,
    ) -> Result<File, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        caller.need_account()?;
        let _turn = self.upload_turn(caller).await?;
        let announced = Announced {
            owner: caller.id(),
            name,
            media_type,
            left: self.quota_left(caller.id()).await?,
        };
        let (file, rows) = receive(self, announced, bytes).await?;
        rows.into_iter().for_each(Row::keep);
        Ok(file)
    }

    /// Remembers another host's file, for a message to show; it is never fetched.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::TooLarge`], [`ChatError::Invalid`] for a type that is not taken.
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

    /// Waits until this person and this server may take one more upload.
    pub(super) async fn upload_turn(
        &self,
        caller: &Caller,
    ) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), ChatError> {
        let works = &self.core.files;
        let own = timeout(WAIT, works.turns_of(caller.id()).acquire_owned()).await;
        let own = own.map_err(|_| ChatError::Limited(WAIT))?;
        let all = timeout(WAIT, works.uploads.clone().acquire_owned()).await;
        let all = all.map_err(|_| ChatError::Busy)?;
        Ok((
            own.map_err(ChatError::internal)?,
            all.map_err(ChatError::internal)?,
        ))
    }

    /// Bytes this person may still keep here.
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

    /// Runs slow work on a picture; one at a time, because each needs much memory. What panics is no picture.
    pub(super) async fn on_picture<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        tokio::task::spawn_blocking(work).await.ok().flatten()
    }
}

impl Uploads {
    /// Takes one file in, from its first byte to its last. `name` and `media_type` are what the sender says of it.
    ///
    /// # Errors
    /// [`ChatError::TooLarge`], [`ChatError::Quota`], [`ChatError::Invalid`] for a type that is not taken or too many
    /// files, [`ChatError::Full`], and whatever the stream ends with.
    pub async fn take<S, E>(&mut self, name: &str, media_type: &str, bytes: S) -> Result<(), E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        if self.files.len() == FILES_MAX {
            return Err(ChatError::from(Invalid::new("file", "is one too many")).into());
        }
        let announced = Announced {
            owner: self.caller.id(),
            name,
            media_type,
            left: self.left,
        };
        let (file, rows) = receive(&self.chat, announced, bytes).await?;
        self.left = self.left.saturating_sub(file.size);
        self.files.push(file.id);
        self.rows.extend(rows);
        Ok(())
    }

    /// How many files have been taken in.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether nothing has been taken in.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Sends the message that shows them.
    ///
    /// # Errors
    /// As [`Chat::post`].
    pub async fn post(self, draft: Draft) -> Result<Posted, ChatError> {
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
