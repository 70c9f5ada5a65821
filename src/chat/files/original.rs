//! Uploaded bytes that are read again, from memory or chunk by chunk from the database.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::model::FileId;
use crate::store::{CHUNK, Store, StoreError};

use super::super::ChatError;

/// Attempts to read a chunk while all read connections are busy.
const TRIES: u32 = 5;

/// Storage of the uploaded bytes.
#[derive(Clone)]
pub(super) enum Original {
    Memory(Bytes),
    Stored(Store, FileId, u64),
}

impl Original {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Stored(.., size) => *size,
        }
    }

    /// Returns the whole piece that contains `offset`, and the offset where it starts.
    async fn piece(&self, offset: u64) -> Result<(u64, Bytes), ChatError> {
        match self {
            Self::Memory(bytes) => Ok((0, bytes.clone())),
            Self::Stored(store, id, _) => {
                let seq = offset / CHUNK as u64;
                let piece = read_piece(store, *id, seq).await?;
                Ok((seq * CHUNK as u64, piece))
            }
        }
    }

    /// Returns a window for asynchronous reading, at the start of the file.
    pub(super) fn window(&self) -> Window {
        Window {
            original: self.clone(),
            from: 0,
            piece: Bytes::new(),
        }
    }

    /// Returns a reader for blocking threads, at the start of the file.
    pub(super) fn reader(&self) -> Reader {
        Reader {
            window: self.window(),
            at: 0,
            runtime: Handle::current(),
        }
    }
}

/// Reads one chunk of a file.
///
/// # Errors
/// [`ChatError::NotFound`] if the file has been removed meanwhile, [`ChatError::Busy`].
pub(super) async fn read_piece(store: &Store, id: FileId, seq: u64) -> Result<Bytes, ChatError> {
    let seq = u32::try_from(seq).map_err(ChatError::internal)?;
    let mut tries = 0;
    loop {
        match store.chunk(id, seq).await {
            // Each attempt already waits for seconds.
            Err(StoreError::Busy | StoreError::Timeout) if tries < TRIES => tries += 1,
            answer => {
                let piece = answer?.ok_or(ChatError::NotFound("file"))?;
                return Ok(piece.into());
            }
        }
    }
}

/// A file and the piece of it that was read last.
pub(super) struct Window {
    original: Original,
    from: u64,
    piece: Bytes,
}

impl Window {
    /// Returns the bytes from `offset` to the end of its piece; none at the end of the file.
    pub(super) async fn at(&mut self, offset: u64) -> Result<&[u8], ChatError> {
        if self.held(offset).is_empty() && offset < self.original.len() {
            (self.from, self.piece) = self.original.piece(offset).await?;
            if self.held(offset).is_empty() {
                return Err(ChatError::internal("a file is shorter than it says"));
            }
        }
        Ok(self.held(offset))
    }

    /// Returns the loaded bytes from `offset` on, if any.
    fn held(&self, offset: u64) -> &[u8] {
        let skipped = offset.checked_sub(self.from);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        let held = skipped.and_then(|skipped| self.piece.get(skipped..));
        held.unwrap_or_default()
    }
}

/// [`Read`], [`BufRead`] and [`Seek`] over an [`Original`], for threads that may block.
pub(super) struct Reader {
    window: Window,
    at: u64,
    runtime: Handle,
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // Decoders call this for every byte, so it enters the runtime only when no bytes are loaded.
        if self.window.held(self.at).is_empty() {
            let loading = self.window.at(self.at);
            self.runtime.block_on(loading).map_err(io::Error::other)?;
        }
        Ok(self.window.held(self.at))
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount as u64;
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.window.original.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
