//! State of the files after a power cut: everything synced, and any part of what was not.
//!
//! A failed sync loses the data it should have written: the kernel marks such pages as clean, so no later sync writes
//! them again.

use std::fs;
use std::path::Path;

/// Outcome of unsynced writes in a power cut.
#[derive(Clone, Copy, Debug)]
pub enum Unsynced {
    Lost,
    Kept,
    /// The first half is written, and a part of the next write.
    Torn,
}

#[derive(Clone)]
enum Op<'r> {
    Write(u64, &'r [u8]),
    Truncate(u64),
    Remove,
}

/// Kind of a replayed operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    SyncFailed,
    LogBegun,
    Other,
}

/// One file: content that is certainly on the disk, and unsynced operations.
#[derive(Default, Clone)]
struct File<'r> {
    there: Vec<u8>,
    waiting: Vec<Op<'r>>,
}

impl<'r> File<'r> {
    fn apply(there: &mut Vec<u8>, op: &Op<'r>) {
        match op {
            Op::Write(offset, bytes) => {
                let offset = usize::try_from(*offset).unwrap();
                let end = offset + bytes.len();
                if there.len() < end {
                    there.resize(end, 0);
                }
                there[offset..end].copy_from_slice(bytes);
            }
            Op::Truncate(length) => there.resize(usize::try_from(*length).unwrap(), 0),
            Op::Remove => there.clear(),
        }
    }

    fn sync(&mut self) {
        for op in self.waiting.drain(..) {
            Self::apply(&mut self.there, &op);
        }
    }

    fn after_cut(&self, unsynced: Unsynced) -> Vec<u8> {
        let mut left = self.there.clone();
        let kept = match unsynced {
            Unsynced::Lost => 0,
            Unsynced::Kept => self.waiting.len(),
            Unsynced::Torn => self.waiting.len() / 2,
        };
        for op in &self.waiting[..kept] {
            Self::apply(&mut left, op);
        }
        if let (Unsynced::Torn, Some(Op::Write(offset, bytes))) = (unsynced, self.waiting.get(kept))
        {
            let part = Op::Write(*offset, &bytes[..bytes.len() / 3]);
            Self::apply(&mut left, &part);
        }
        left
    }
}

/// Replays a recording.
pub struct Replay<'r> {
    record: &'r [u8],
    at: usize,
    files: [File<'r>; 2],
}

impl<'r> Replay<'r> {
    /// Starts with a database with the content `base`.
    pub fn new(record: &'r [u8], base: &[u8]) -> Self {
        let database = File {
            there: base.to_vec(),
            waiting: Vec::new(),
        };
        Self {
            record,
            at: 0,
            files: [database, File::default()],
        }
    }

    /// Returns how many bytes of the recording have been replayed.
    pub fn position(&self) -> u64 {
        self.at as u64
    }

    /// Replays one operation; `None` at the end, which may be in the middle of one.
    pub fn step(&mut self) -> Option<Mark> {
        let head = self.record.get(self.at..self.at + 24)?;
        let short = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
        let (what, file, offset, length) = (short(0), short(4), long(8), long(16));
        let begin = self.at + 24;
        let end = begin + usize::try_from(length).unwrap();
        let bytes = self.record.get(begin..end)?;
        self.at = end;
        let which = &mut self.files[file as usize - 1];
        let mut mark = Mark::Other;
        match what {
            1 => {
                if file == 2 && offset == 0 {
                    mark = Mark::LogBegun;
                }
                which.waiting.push(Op::Write(offset, bytes));
            }
            2 => which.waiting.push(Op::Truncate(offset)),
            3 => which.sync(),
            4 => {
                which.waiting.clear();
                mark = Mark::SyncFailed;
            }
            // Names belong to the folder, which no sync of a file covers: a removal may take effect at once.
            _ => {
                which.waiting.push(Op::Remove);
                which.sync();
            }
        }
        Some(mark)
    }

    /// Writes the files as a power cut now would leave them.
    pub fn cut(&self, unsynced: Unsynced, db: &Path) {
        let mut log = db.as_os_str().to_owned();
        log.push("-wal");
        fs::write(db, self.files[0].after_cut(unsynced)).unwrap();
        fs::write(log, self.files[1].after_cut(unsynced)).unwrap();
    }
}
