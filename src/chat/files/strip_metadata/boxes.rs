//! ISO base media files (ISO/IEC 14496-12) and relatives: MP4, QuickTime, HEIC, AVIF, JPEG 2000, JPEG XL. Removed boxes
//! become `free` boxes filled with zeros, so that all offsets stay valid.

use std::io::{self, BufRead, Seek};

use super::input::Input;
use super::plan::{Edit, Found, Plan};
use super::{damaged, heif, movie};

/// Maximum number of boxes. A long fragmented recording has fewer.
const BOXES_MAX: u32 = 1_000_000;
/// Maximum number of edits. Real files need fewer.
const EDITS_MAX: usize = 100_000;

/// Name and offsets of a box: start, start of the content, end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) name: [u8; 4],
    pub(super) from: u64,
    pub(super) body: u64,
    pub(super) end: u64,
}

/// Parser state of a file made of boxes.
pub(super) struct Boxes<'a, R> {
    pub(super) input: &'a mut Input<R>,
    pub(super) found: Found,
    pub(super) has_video: bool,
    edits: Vec<Edit>,
    count: u32,
}

/// The standard that a file follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brand {
    Movie,
    QuickTime,
    Phone,
    Heif,
    Heic,
    Avif,
    JpegXl,
    Jpeg2000,
    /// None of the known standards.
    Other,
}

/// Whether a file may begin with a box of this name.
pub(super) fn begins_file(name: &[u8]) -> bool {
    let names: [&[u8]; 8] = [
        b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"JXL ", b"jP  ",
    ];
    names.iter().any(|known| name.starts_with(known))
}

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let len = input.len();
    let mut boxes = Boxes {
        input,
        found: Found::default(),
        has_video: false,
        edits: Vec::new(),
        count: 0,
    };
    let mut brand = Brand::QuickTime;
    let (mut has_movie, mut has_picture) = (false, false);
    let mut at = 0;
    while let Some(part) = boxes.next(at, len)? {
        match &part.name {
            b"ftyp" => brand = Brand::of(&boxes.content(part)?),
            b"JXL " => brand = Brand::JpegXl,
            b"jP  " => brand = Brand::Jpeg2000,
            b"moov" => {
                has_movie = true;
                movie::clean(&mut boxes, part)?;
            }
            b"moof" => movie::clean_fragment(&mut boxes, part)?,
            b"meta" => has_picture |= heif::clean(&mut boxes, part)?,
            b"mdat" | b"styp" | b"sidx" | b"ssix" | b"mfra" | b"pdin" | b"idat" => {}
            b"jxlc" | b"jxlp" | b"jxll" | b"jxli" | b"jp2h" | b"jp2c" | b"rreq" => {}
            // Metadata of all kinds, also compressed (`brob` in JPEG XL), and unknown boxes.
            _ => boxes.free(part)?,
        }
        at = part.end;
    }
    if at < len {
        boxes.edit(Edit::zeros(at, len))?;
    }
    let (edits, mut found, has_video) = (boxes.edits, boxes.found, boxes.has_video);
    found.media_type = brand.media_type(has_movie, has_picture, has_video);
    found.keeps_metadata |= found.media_type.is_none();
    if brand != Brand::Avif && has_picture {
        // Clients only download these images, so dimensions are not needed.
        found.dimensions = None;
    }
    let mut plan = Plan::in_place(edits, len)?;
    plan.found = found;
    Ok(plan)
}

impl Brand {
    /// Parses the content of `ftyp`: major brand, version, compatible brands.
    fn of(content: &[u8]) -> Self {
        let (main, others) = content.split_at_checked(8).unwrap_or((content, &[]));
        let named = |name: &[u8; 4]| main.starts_with(name) || others.chunks(4).any(|b| b == name);
        let is_main = |name: &[u8]| main.starts_with(name);
        if named(b"avif") || named(b"avis") {
            Self::Avif
        } else if [b"heic", b"heix", b"hevc", b"hevx"].into_iter().any(named) {
            Self::Heic
        } else if named(b"mif1") || named(b"msf1") {
            Self::Heif
        } else if is_main(b"crx ") {
            Self::Other
        } else if is_main(b"qt  ") {
            Self::QuickTime
        } else if is_main(b"3g") {
            Self::Phone
        } else if is_main(b"jxl ") {
            Self::JpegXl
        } else if is_main(b"jp2 ") || is_main(b"jpx ") {
            Self::Jpeg2000
        } else {
            Self::Movie
        }
    }

    fn media_type(self, movie: bool, picture: bool, video: bool) -> Option<&'static str> {
        Some(match self {
            Self::Avif if picture || movie => "image/avif",
            Self::Heic if picture || movie => "image/heic",
            Self::Heif if picture || movie => "image/heif",
            Self::JpegXl => "image/jxl",
            Self::Jpeg2000 => "image/jp2",
            Self::Movie | Self::QuickTime | Self::Phone if !movie => return None,
            Self::Movie | Self::QuickTime | Self::Phone if !video => "audio/mp4",
            Self::Movie => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::Phone => "video/3gpp",
            _ => return None,
        })
    }
}

impl<R: BufRead + Seek> Boxes<'_, R> {
    /// Reads the box header at `at` inside a parent that ends at `end`. Returns `None` if too few bytes are left.
    pub(super) fn next(&mut self, at: u64, end: u64) -> io::Result<Option<Part>> {
        if at.saturating_add(8) > end {
            return Ok(None);
        }
        self.count += 1;
        if self.count > BOXES_MAX {
            return Err(damaged("too many boxes"));
        }
        self.input.go(at)?;
        let size = u64::from(self.input.u32_be()?);
        let name = self.input.array()?;
        let is_outermost = end == self.input.len();
        let size = match size {
            0 if is_outermost => end - at,
            1 => self.input.array().map(u64::from_be_bytes)?,
            size => size,
        };
        let body = self.input.at();
        let mut till = at.saturating_add(size);
        if till > end && is_outermost && name == *b"mdat" {
            // The recording was interrupted.
            till = end;
        }
        if till < body || till > end {
            return Err(damaged("a box does not fit"));
        }
        Ok(Some(Part {
            name,
            from: at,
            body,
            end: till,
        }))
    }

    /// Returns all boxes from `at` to `end`.
    pub(super) fn all(&mut self, at: u64, end: u64) -> io::Result<Vec<Part>> {
        let mut parts = Vec::new();
        let mut at = at;
        while let Some(part) = self.next(at, end)? {
            if parts.len() > EDITS_MAX {
                return Err(damaged("too many boxes"));
            }
            at = part.end;
            parts.push(part);
        }
        Ok(parts)
    }

    /// Frees the boxes that hold metadata in any parent.
    pub(super) fn free_notes(&mut self, parts: &[Part]) -> io::Result<()> {
        for part in parts {
            if matches!(
                &part.name,
                b"udta" | b"meta" | b"uuid" | b"free" | b"skip" | b"wide" | b"name"
            ) {
                self.free(*part)?;
            }
        }
        Ok(())
    }

    /// Turns a box into a `free` box.
    pub(super) fn free(&mut self, part: Part) -> io::Result<()> {
        if part.name != *b"free" {
            self.edit(Edit::bytes(part.from + 4, b"free".to_vec()))?;
        }
        self.edit(Edit::zeros(part.body, part.end))
    }

    pub(super) fn edit(&mut self, edit: Edit) -> io::Result<()> {
        if self.edits.len() >= EDITS_MAX {
            return Err(damaged("too many parts"));
        }
        if edit.from < edit.to {
            self.edits.push(edit);
        }
        Ok(())
    }

    /// Reads the content of a box. Fails if it is too large for memory.
    pub(super) fn content(&mut self, part: Part) -> io::Result<Vec<u8>> {
        self.input.go(part.body)?;
        self.input.bytes(part.end - part.body)
    }
}

/// Big-endian numbers in a box's content, read in order.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    /// Reads the next number of `width` bytes, at most 8.
    pub(super) fn number(&mut self, width: usize) -> io::Result<u64> {
        let (number, rest) = self
            .0
            .split_at_checked(width)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(number
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}
