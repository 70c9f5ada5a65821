//! A file with random access.

use std::io::{self, BufRead, Seek, SeekFrom};

use super::damaged;

/// Maximum number of bytes read into memory at once.
const HELD_MAX: u64 = 4 * 1024 * 1024;

/// A file, its length and the current position.
pub(super) struct Input<R> {
    source: R,
    at: u64,
    len: u64,
}

impl<R: BufRead + Seek> Input<R> {
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        let len = source.seek(SeekFrom::End(0))?;
        source.rewind()?;
        Ok(Self { source, at: 0, len })
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn left(&self) -> u64 {
        self.len - self.at
    }

    /// Reads the next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    /// Reads the next `count` bytes. Fails above [`HELD_MAX`].
    pub(super) fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        if count > self.left() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if count > HELD_MAX {
            return Err(damaged("a table is too large"));
        }
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        self.source.read_exact(&mut bytes)?;
        self.at += count;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> io::Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16_be(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32_be(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Skips bytes. Fails if the file has fewer.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        if count > self.left() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.go(self.at + count)
    }

    /// Moves to a position.
    pub(super) fn go(&mut self, to: u64) -> io::Result<()> {
        if to > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.source.seek(SeekFrom::Start(to))?;
        self.at = to;
        Ok(())
    }

    /// Skips bytes up to and including the first for which `is_end` is true. Returns `false` at the end of the file.
    pub(super) fn skip_past(&mut self, mut is_end: impl FnMut(u8) -> bool) -> io::Result<bool> {
        loop {
            let buffer = self.source.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let found = buffer.iter().position(|byte| is_end(*byte));
            let passed = found.map_or(buffer.len(), |at| at + 1);
            self.source.consume(passed);
            self.at += passed as u64;
            if found.is_some() {
                return Ok(true);
            }
        }
    }
}
