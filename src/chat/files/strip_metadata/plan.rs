//! The plan of a cleaned file.

use std::io;

use super::damaged;

/// Maximum number of pieces. Real files have some thousands at most.
const PIECES_MAX: usize = 100_000;

/// A part of a cleaned file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Piece {
    /// Range of the original file, the end exclusive.
    Keep(u64, u64),
    /// Replacement bytes.
    Bytes(Vec<u8>),
    /// A number of zero bytes.
    Zeros(u64),
}

/// The pieces of a cleaned file, and the facts found while planning.
#[derive(Debug, Default)]
pub(in super::super) struct Plan {
    pub(in super::super) pieces: Vec<Piece>,
    /// EXIF orientation, 1 to 8; 0 if unknown.
    pub(in super::super) orientation: u8,
    /// JPEG: number of scans.
    pub(in super::super) passes: u32,
    /// JPEG: number of samples of all components.
    pub(in super::super) samples: u64,
    pub(in super::super) found: Found,
    /// JPEG: the segments of the colour profile so far.
    pub(super) profile: Vec<ProfilePart>,
    /// WebP: whether a colour profile is kept.
    pub(super) has_profile: bool,
}

/// A JPEG segment with a part of the colour profile.
#[derive(Debug)]
pub(super) struct ProfilePart {
    /// Index of its placeholder among the pieces.
    pub(super) place: usize,
    /// Offset of the segment.
    pub(super) from: u64,
    /// Content after the length field.
    pub(super) content: Vec<u8>,
}

/// Facts read from the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Found {
    /// `None` for images, which must be decoded to know whether they are complete, and for files that only resemble a
    /// format.
    pub(in super::super) media_type: Option<&'static str>,
    /// Width and height in pixels.
    pub(in super::super) dimensions: Option<(u32, u32)>,
    /// Number of frames of an image.
    pub(in super::super) frames: u32,
    /// Playing time in milliseconds.
    pub(in super::super) duration: Option<u64>,
    /// Whether the cleaned file may still contain metadata.
    pub(in super::super) keeps_metadata: bool,
}

impl Found {
    /// Facts about a file of an unknown format.
    pub(in super::super) const NOTHING: Self = Self {
        media_type: None,
        dimensions: None,
        frames: 0,
        duration: None,
        keeps_metadata: true,
    };
}

/// Converts `count` units, `per_second` of which make one second, to milliseconds. `None` if the result is 0.
pub(super) fn milliseconds(count: u64, per_second: u64) -> Option<u64> {
    let milliseconds = u128::from(count) * 1000 / u128::from(per_second.max(1));
    u64::try_from(milliseconds).ok().filter(|ms| *ms > 0)
}

/// A range to overwrite in place, with zeros if `bytes` is `None`.
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
    /// Returns the plan that keeps a file of `len` bytes unchanged.
    pub(in super::super) fn whole(len: u64) -> Self {
        let pieces = vec![Piece::Keep(0, len)];
        Self {
            pieces,
            ..Self::default()
        }
    }

    /// Keeps a range of the original.
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

    /// Merges adjacent ranges and drops empty pieces.
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

    /// Returns the plan that applies these edits to a file of `len` bytes. Where edits overlap, the first one wins.
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

    /// Whether the plan keeps a file of `len` bytes unchanged.
    pub(in super::super) fn changes_nothing(&self, len: u64) -> bool {
        match self.pieces.as_slice() {
            [] => len == 0,
            [Piece::Keep(0, to)] => *to == len,
            _ => false,
        }
    }
}
