//! Writes one file to disk in chunks. A file that is dropped before it is kept is discarded.

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};

use crate::model::{File, FileId, Media};
use crate::store::{CHUNK, Facts, Finished, NewFile};

use super::super::{Chat, ChatError};
use super::image::Rendered;
use super::original::Original;

/// A row of the files table that nothing shows yet. Discards the file on drop unless [`Row::keep`] was called.
pub(super) struct Row {
    chat: Chat,
    id: Option<FileId>,
}

impl Row {
    /// Inserts the row.
    pub(super) async fn begin(chat: &Chat, new: NewFile) -> Result<Self, ChatError> {
        let id = chat.core.store.begin_file(new).await?;
        Ok(Self {
            chat: chat.clone(),
            id: Some(id),
        })
    }

    /// Keeps the file: something shows it now.
    pub(super) fn keep(mut self) {
        self.id = None;
    }

    fn id(&self) -> FileId {
        self.id.unwrap_or_default()
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let chat = self.chat.clone();
        runtime.spawn(async move {
            // If this fails, the next sweep removes the file.
            if chat.core.store.discard_files(vec![id]).await.is_ok() {
                chat.sweep_soon();
            }
        });
    }
}

/// A file that is being written.
pub(super) struct Writing {
    row: Row,
    seq: u32,
    size: u64,
    buffer: BytesMut,
    sum: Sha256,
}

impl Writing {
    /// Starts to write the bytes of a new row.
    pub(super) fn new(row: Row) -> Self {
        Self {
            row,
            seq: 0,
            size: 0,
            buffer: BytesMut::new(),
            sum: Sha256::new(),
        }
    }

    /// Buffers bytes and writes each full chunk.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ChatError> {
        for part in bytes.chunks(CHUNK) {
            self.buffer.extend_from_slice(part);
            if self.buffer.len() >= CHUNK {
                let piece = self.buffer.split_to(CHUNK).freeze();
                self.store(piece).await?;
            }
        }
        Ok(())
    }

    /// Writes the last, partial chunk. Nothing may be written after it.
    async fn flush(&mut self) -> Result<(), ChatError> {
        match std::mem::take(&mut self.buffer) {
            rest if rest.is_empty() => Ok(()),
            rest => self.store(rest.freeze()).await,
        }
    }

    /// Flushes, and returns the written bytes for reading.
    pub(super) async fn written(&mut self) -> Result<Original, ChatError> {
        self.flush().await?;
        let store = self.row.chat.core.store.clone();
        Ok(Original::Stored(store, self.row.id(), self.size))
    }

    pub(super) fn id(&self) -> FileId {
        self.row.id()
    }

    /// Flushes and marks the file as complete. Fills in the checksum of `facts`.
    pub(super) async fn finish(mut self, facts: Facts) -> Result<(File, Row), ChatError> {
        self.flush().await?;
        let facts = Facts {
            sha256: self.sum.finalize().into(),
            ..facts
        };
        let (store, id) = (&self.row.chat.core.store, self.row.id());
        match store.finish_file(id, facts).await? {
            Finished::Ready(file) => Ok((*file, self.row)),
            Finished::OverQuota => Err(ChatError::Quota),
            Finished::Missing => Err(ChatError::NotFound("file")),
        }
    }

    async fn store(&mut self, piece: Bytes) -> Result<(), ChatError> {
        self.sum.update(&piece);
        self.size += piece.len() as u64;
        let store = &self.row.chat.core.store;
        let kept = store.append_chunk(self.row.id(), self.seq, piece).await?;
        self.seq += 1;
        kept.then_some(()).ok_or(ChatError::NotFound("file"))
    }
}

/// Stores an image encoded by the server.
pub(super) async fn keep_rendered(
    chat: &Chat,
    new: NewFile,
    picture: Rendered,
) -> Result<(File, Row), ChatError> {
    let mut writing = Writing::new(Row::begin(chat, new).await?);
    writing.write(&picture.bytes).await?;
    let facts = Facts {
        media_type: picture.media_type.to_owned(),
        media: Media::picture(),
        sha256: [0; 32],
        dimensions: Some(picture.dimensions),
        thumbnail: None,
        replaces: None,
        quota: chat.core.settings.file_quota,
    };
    writing.finish(facts).await
}
