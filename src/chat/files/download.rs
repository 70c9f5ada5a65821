//! File downloads: permission check and reading in pieces.

use bytes::Bytes;

use crate::model::{Action, File, FileId, Millis, UserId};
use crate::store::{CHUNK, Shown, Store, StoredFile};

use super::super::{Caller, Chat, ChatError, TokenFault};
use super::original::read_piece;
use super::urls::{Pass, opens};

/// A file that the caller may fetch.
#[derive(Clone)]
pub struct Download {
    pub file: File,
    /// Identifies the content, for an ETag: the first 16 bytes of its SHA-256 in hexadecimal.
    pub tag: String,
    store: Store,
}

impl Chat {
    /// Returns a file if the caller may read what it belongs to, or if `pass` is valid.
    ///
    /// # Errors
    /// [`ChatError::NotFound`]; [`ChatError::Unauthenticated`] if there is neither a valid pass nor a caller.
    pub async fn fetch_file(
        &self,
        caller: Option<&Caller>,
        id: FileId,
        pass: Option<&str>,
    ) -> Result<Download, ChatError> {
        const GONE: ChatError = ChatError::NotFound("file");
        let found = self.core.store.file(id).await?;
        let found = found.filter(|found| found.file.url.is_none());
        let is_open = match found.as_ref().zip(pass) {
            Some((found, pass)) => self.is_opened(found, pass).await?,
            None => false,
        };
        if !is_open {
            // Checked first: without a caller, the response must not reveal whether the file exists.
            let caller = caller.ok_or(TokenFault::Missing)?;
            let shown = found.as_ref().ok_or(GONE)?;
            self.check_fetch(caller, &shown.file, shown.shown).await?;
        }
        let found = found.ok_or(GONE)?;
        Ok(Download {
            file: found.file,
            tag: found
                .sha256
                .iter()
                .take(16)
                .map(|b| format!("{b:02x}"))
                .collect(),
            store: self.core.store.clone(),
        })
    }

    /// Whether a pass is valid for a file: its reader must still exist and may still read the file.
    async fn is_opened(&self, found: &StoredFile, pass: &str) -> Result<bool, ChatError> {
        let reader = match opens(&found.file.key, pass, Millis::now()) {
            None => return Ok(false),
            Some(Pass::Lasting) => return Ok(found.shown == Shown::Everywhere),
            Some(Pass::Of(UserId(0))) => Some(Caller::anybody()),
            Some(Pass::Of(reader)) => self.core.store.user(reader).await?.map(Caller::unproven),
        };
        let Some(reader) = reader else {
            return Ok(false);
        };
        match self.check_fetch(&reader, &found.file, found.shown).await {
            Ok(()) => Ok(true),
            Err(ChatError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn check_fetch(
        &self,
        caller: &Caller,
        file: &File,
        shown: Shown,
    ) -> Result<(), ChatError> {
        const GONE: ChatError = ChatError::NotFound("file");
        let (room, action) = match shown {
            Shown::Everywhere => return Ok(()),
            Shown::Nowhere if file.owner_id == caller.id() => return Ok(()),
            Shown::Nowhere => return Err(GONE),
            Shown::InRoom(room) => (room, Action::Read),
            Shown::AsPictureOf(room) => (room, Action::Look),
        };
        match self.room_for(caller, room, action).await {
            Ok(_) => Ok(()),
            Err(ChatError::NotFound(_) | ChatError::Forbidden) => Err(GONE),
            Err(error) => Err(error),
        }
    }
}

impl Download {
    /// Returns the bytes from `offset` to the end of its chunk: at most 256 KiB, none at the end of the file.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the file has been removed meanwhile, [`ChatError::Busy`].
    pub async fn piece(&self, offset: u64) -> Result<Bytes, ChatError> {
        if offset >= self.file.size {
            return Ok(Bytes::new());
        }
        let chunk = CHUNK as u64;
        let mut piece = read_piece(&self.store, self.file.id, offset / chunk).await?;
        let skipped = usize::try_from(offset % chunk).map_err(ChatError::internal)?;
        if skipped > piece.len() {
            return Err(ChatError::internal("a file is shorter than it says"));
        }
        Ok(piece.split_off(skipped))
    }
}
