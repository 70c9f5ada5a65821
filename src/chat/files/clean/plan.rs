//! What a cleaned file is made of.

use std::io;

use super::damaged;

/// The most pieces of a plan: real files have some thousands at the most.
const PIECES_MAX: usize = 100_000;

/// A part of a cleaned file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Piece {
    /// Bytes of the original from here to there.
    Keep(u64, u64),
    /// Other bytes.
    Bytes(Vec<u8>),
    /// So many zeros.
    Zeros(u64),
}

/// What a cleaned file is made of, and what was learnt of it on the way.
#[derive(Debug, Default)]
pub(in super::super) struct Plan {
    pub(in super::super) pieces: Vec<Piece>,
    /// Which way is up, as in Exif; 0 is unknown.
    pub(in super::super) orientation: u8,
    /// JPEG: how often the decoder passes over the picture.
    pub(in super::super) passes: u32,
    /// JPEG: samples of all components.
    pub(in super::super) samples: u64,
    /// What the file is.
    pub(in super::super) found: Found,
    /// JPEG: the parts of the colour profile so far.
    pub(super) profile: Vec<ProfilePart>,
    /// WebP: a colour profile is kept.
    pub(super) has_profile: bool,
}

/// A segment of a JPEG with a part of its colour profile.
#[derive(Debug)]
pub(super) struct ProfilePart {
    /// Which piece stands for it.
    pub(super) place: usize,
    /// Where the segment begins.
    pub(super) from: u64,
    /// What is in it, behind its length.
    pub(super) content: Vec<u8>,
}

/// Facts that a file's container tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Found {
    /// `None` of pictures that must be decoded to know whether they are whole, and of what only resembles a format.
    pub(in super::super) media_type: Option<&'static str>,
    /// Pixels.
    pub(in super::super) dimensions: Option<(u32, u32)>,
    /// Frames of a picture.
    pub(in super::super) frames: u32,
    /// Playing time, milliseconds.
    pub(in super::super) duration: Option<u64>,
    /// Something stays that may hold metadata.
    pub(in super::super) keeps_metadata: bool,
}

impl Found {
    /// Of a file of which nothing is known.
    pub(in super::super) const NOTHING: Self = Self {
        media_type: None,
        dimensions: None,
        frames: 0,
        duration: None,
        keeps_metadata: true,
    };
}

/// Milliseconds of `count` units, of which a second has `per_second`.
pub(super) fn milliseconds(count: u64, per_second: u64) -> Option<u64> {
    let milliseconds = u128::from(count) * 1000 / u128::from(per_second.max(1));
    u64::try_from(milliseconds).ok().filter(|ms| *ms > 0)
}

/// Bytes to be overwritten in place; zeros without other bytes.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) bytes: Option<Vec<u8>>,
}

impl Edit {
    pub(super) fn zeros(from: u64, to: u64) -> Self {
        let bytes = None;
        Self { from, to, bytes }
    }

    pub(super) fn bytes(from: u64, bytes: Vec<u8>) -> Self {
        Self {
            from,
            to: from.saturating_add(bytes.len() as u64),
            bytes: Some(bytes),
        }
    }
}

impl Plan {
    /// A file of `len` bytes as it is.
    pub(in super::super) fn whole(len: u64) -> Self {
        let pieces = vec![Piece::Keep(0, len)];
        Self {
            pieces,
            ..Self::default()
        }
    }

    /// Keeps the original's bytes from here to there.
    pub(super) fn keep(&mut self, from: u64, to: u64) -> io::Result<()> {
        match self.pieces.last_mut() {
            _ if from >= to => Ok(()),
            Some(Piece::Keep(_, end)) if *end == from => {
                *end = to;
                Ok(())
            }
            _ => self.push(Piece::Keep(from, to)),
        }
    }

    /// Joins pieces that belong together again.
    pub(super) fn merge(&mut self) {
        for piece in std::mem::take(&mut self.pieces) {
            match (self.pieces.last_mut(), piece) {
                (_, Piece::Bytes(bytes)) if bytes.is_empty() => {}
                (Some(Piece::Keep(_, end)), Piece::Keep(from, to)) if *end == from => *end = to,
                (_, piece) => self.pieces.push(piece),
            }
        }
    }

    pub(super) fn push(&mut self, piece: Piece) -> io::Result<()> {
        if self.pieces.len() >= PIECES_MAX {
            return Err(damaged("too many parts"));
        }
        self.pieces.push(piece);
        Ok(())
    }

    /// A file of `len` bytes with these changes in place; where they overlap, the first one counts.
    pub(super) fn in_place(mut edits: Vec<Edit>, len: u64) -> io::Result<Self> {
        edits.sort_by_key(|edit| edit.from);
        let mut plan = Self::default();
        let mut at = 0;
        for edit in edits {
            let (from, to) = (edit.from.max(at), edit.to.min(len));
            if from >= to {
                continue;
            }
            plan.keep(at, from)?;
            plan.push(match edit.bytes {
                None => Piece::Zeros(to - from),
                Some(bytes) => {
                    let part = (from - edit.from) as usize..(to - edit.from) as usize;
                    Piece::Bytes(bytes[part].to_vec())
                }
            })?;
            at = to;
        }
        plan.keep(at, len)?;
        Ok(plan)
    }

    /// Whether a file of `len` bytes stays as it is.
    pub(in super::super) fn changes_nothing(&self, len: u64) -> bool {
        match self.pieces.as_slice() {
            [] => len == 0,
            [Piece::Keep(0, to)] => *to == len,
            _ => false,
        }
    }
}
