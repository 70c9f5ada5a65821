//! TIFF and BigTIFF: removes directory entries about location, camera, people and dates, and zeroes the data they point
//! to. Length and offsets stay the same.

use std::collections::HashSet;
use std::io::{self, BufRead, Seek};

use super::input::Input;
use super::plan::{Edit, Plan};
use super::{damaged, icc};

/// Maximum number of directories. A scan of a whole book has fewer.
const DIRECTORIES_MAX: usize = 4_096;
/// Maximum nesting depth of directories.
const DEPTH_MAX: u32 = 6;
/// Maximum number of entries in all directories.
const ENTRIES_MAX: usize = 200_000;

/// Metadata directories: Exif, GPS, interoperability.
const NOTES: [u16; 3] = [34_665, 34_853, 40_965];
const SUB_DIRECTORIES: u16 = 330;
/// ICC colour profile.
const PROFILE: u16 = 34_675;

/// Whether a tag is not needed to show the image. The location of a map (GeoTIFF) is kept.
fn is_dropped(tag: u16) -> bool {
    let description = matches!(tag, 269..=272 | 285 | 305 | 306 | 315 | 316 | 33_432);
    let packets = matches!(tag, 700 | 33_723 | 34_377 | 37_724 | 50_341);
    // TIFF/EP tags, and further tags of Windows and cameras.
    let camera =
        matches!(tag, 36_864..=37_385 | 37_386..=37_395 | 37_500..=37_522 | 40_091..=40_095);
    let owner = matches!(
        tag,
        42_016..=42_037 | 50_735 | 50_740 | 50_827 | 50_828 | 50_971
    );
    NOTES.contains(&tag) || description || packets || camera || owner
}

/// Whether a tag is needed to show the image and holds nothing else. A tag that is neither dropped nor needed is kept,
/// and the file counts as keeping metadata.
fn is_needed(tag: u16) -> bool {
    let layout = matches!(tag, 254..=266 | 273..=284 | 288..=293 | 296..=301);
    let layout = layout || matches!(tag, 317..=332 | 334..=336 | 338..=347);
    layout || matches!(tag, 512..=521 | 529..=532 | 559 | 32_995..=32_998 | 33_421 | 33_422)
}

struct Tiff<'a, R> {
    input: &'a mut Input<R>,
    little: bool,
    big: bool,
    entries: usize,
    seen: HashSet<u64>,
    edits: Vec<Edit>,
    keeps_metadata: bool,
}

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let head: [u8; 4] = input.array()?;
    let mut tiff = Tiff {
        little: head[0] == b'I',
        big: head.contains(&b'+'),
        entries: 0,
        seen: HashSet::new(),
        edits: Vec::new(),
        keeps_metadata: false,
        input,
    };
    if tiff.big {
        tiff.input.skip(4)?;
    }
    let mut next = tiff.offset()?;
    if next == 0 {
        return Err(damaged("no picture"));
    }
    while next != 0 {
        next = tiff.directory(next, true, 0)?;
    }
    let (edits, keeps_metadata) = (tiff.edits, tiff.keeps_metadata);
    let mut plan = Plan::in_place(edits, input.len())?;
    plan.found.media_type = Some("image/tiff");
    plan.found.keeps_metadata = keeps_metadata;
    Ok(plan)
}

impl<R: BufRead + Seek> Tiff<'_, R> {
    /// Decodes an unsigned number in the file's byte order.
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match self.little {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        }
    }

    /// Encodes a number in the file's byte order.
    fn written(&self, number: u64, width: usize) -> Vec<u8> {
        match self.little {
            true => number.to_le_bytes()[..width].to_vec(),
            false => number.to_be_bytes()[8 - width..].to_vec(),
        }
    }

    fn offset(&mut self) -> io::Result<u64> {
        let bytes = self.input.bytes(self.width() as u64)?;
        Ok(self.number(&bytes))
    }

    /// Returns the size of an offset, in bytes.
    fn width(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// Cleans a directory and what it points to, or zeroes it if not `kept`. Returns the offset of the next directory.
    fn directory(&mut self, at: u64, kept: bool, depth: u32) -> io::Result<u64> {
        if depth > DEPTH_MAX || self.seen.len() >= DIRECTORIES_MAX || !self.seen.insert(at) {
            return Err(damaged("directories without an end"));
        }
        let (count_width, entry_width) = if self.big { (8, 20) } else { (2, 12) };
        self.input.go(at)?;
        let count = self.input.bytes(count_width as u64)?;
        let count = self.number(&count);
        self.entries = self
            .entries
            .saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        if self.entries > ENTRIES_MAX {
            return Err(damaged("too many entries"));
        }
        let table = self.input.bytes(count * entry_width as u64)?;
        let next = self.offset()?;
        let end = self.input.at();
        let mut left = Vec::new();
        for entry in table.chunks_exact(entry_width) {
            if self.entry(entry, kept, depth)? {
                left.extend_from_slice(entry);
            }
        }
        if !kept {
            self.edits.push(Edit::zeros(at, end));
        } else if left.len() < table.len() {
            let count = (left.len() / entry_width) as u64;
            let mut bytes = self.written(count, count_width);
            bytes.extend(left);
            bytes.extend(self.written(next, self.width()));
            bytes.resize((end - at) as usize, 0);
            self.edits.push(Edit::bytes(at, bytes));
        }
        Ok(next)
    }

    /// Whether an entry is kept. If not, zeroes the data it points to.
    fn entry(&mut self, entry: &[u8], kept: bool, depth: u32) -> io::Result<bool> {
        let tag = self.number(&entry[..2]) as u16;
        let size = match self.number(&entry[2..4]) {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => 4,
        };
        let (count, value) = entry[4..].split_at(self.width());
        let bytes = self.number(count).saturating_mul(size);
        let at = self.number(value);
        let is_inline = bytes <= self.width() as u64;
        if kept && tag == SUB_DIRECTORIES {
            for at in self.sub_directories(value, bytes, size)? {
                self.directory(at, true, depth + 1)?;
            }
            return Ok(true);
        }
        if kept && tag == PROFILE && !is_inline {
            self.profile(at, bytes)?;
            return Ok(true);
        }
        if kept && !is_dropped(tag) {
            self.keeps_metadata |= !is_needed(tag);
            return Ok(true);
        }
        if NOTES.contains(&tag) {
            self.directory(at, false, depth + 1)?;
        } else if !is_inline {
            self.edits.push(Edit::zeros(at, at.saturating_add(bytes)));
        }
        Ok(false)
    }

    /// Removes the texts of a colour profile. A profile that cannot be parsed is zeroed.
    fn profile(&mut self, at: u64, bytes: u64) -> io::Result<()> {
        self.input.go(at)?;
        let profile = self.input.bytes(bytes)?;
        self.edits.push(match icc::cleaned(&profile) {
            Some(cleaned) => Edit::bytes(at, cleaned),
            None => Edit::zeros(at, at + bytes),
        });
        Ok(())
    }

    fn sub_directories(&mut self, value: &[u8], bytes: u64, size: u64) -> io::Result<Vec<u64>> {
        let list = match bytes <= self.width() as u64 {
            true => value[..bytes as usize].to_vec(),
            false => {
                self.input.go(self.number(value))?;
                self.input.bytes(bytes)?
            }
        };
        let offsets = list.chunks_exact(size as usize).map(|at| self.number(at));
        Ok(offsets.filter(|at| *at != 0).collect())
    }
}

/// Returns a minimal TIFF with only the orientation.
pub(super) fn only_orientation(orientation: u8) -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4]].concat()
}

/// A minimal TIFF without entries.
pub(super) const NOTHING: &[u8] = b"II*\0\x08\0\0\0\0\0\0\0\0\0";
