//! The `moov` box of MP4, M4A, 3GP and QuickTime files: removes user data, metadata, dates and telemetry tracks.

use std::io::{self, BufRead, Seek};

use super::boxes::{Boxes, Fields, Part};
use super::plan::Edit;
use super::plan::milliseconds;
use super::{damaged, samples};

/// UUID of Spherical Video V1 metadata, which is needed to show a 360° video.
const SPHERICAL: [u8; 16] = [
    0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93, 0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f, 0xdd,
];

pub(super) fn clean<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, movie: Part) -> io::Result<()> {
    let parts = boxes.all(movie.body, movie.end)?;
    let in_fragments = parts.iter().any(|part| part.name == *b"mvex");
    for part in parts {
        match &part.name {
            b"trak" => track(boxes, part, in_fragments)?,
            b"mvhd" => {
                boxes.found.duration = playing_time(&boxes.content(part)?);
                forget_times(boxes, part)?;
            }
            b"cmov" => return Err(damaged("a packed header")),
            b"mvex" | b"iods" | b"pssh" => {}
            _ => boxes.free(part)?,
        }
    }
    Ok(())
}

/// Frees everything in a fragment except the sample locations and encryption data.
pub(super) fn clean_fragment<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    fragment: Part,
) -> io::Result<()> {
    for part in boxes.all(fragment.body, fragment.end)? {
        match &part.name {
            b"mfhd" | b"pssh" => {}
            b"traf" => {
                let parts = boxes.all(part.body, part.end)?;
                boxes.free_notes(&parts)?;
            }
            _ => boxes.free(part)?,
        }
    }
    Ok(())
}

/// Returns the playing time in milliseconds, from the content of `mvhd`.
fn playing_time(header: &[u8]) -> Option<u64> {
    let (skipped, width) = match header.first()? {
        1 => (20, 8),
        _ => (12, 4),
    };
    let mut fields = Fields(header.get(skipped..)?);
    let per_second = fields.number(4).ok()?;
    let duration = fields.number(width).ok()?;
    let is_known = per_second > 0 && duration != u64::MAX >> (64 - 8 * width);
    is_known.then(|| milliseconds(duration, per_second))?
}

/// Returns width and height after rotation, from the content of `tkhd`.
fn dimensions(header: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(header.get(header.len().checked_sub(44)?..)?);
    let mut matrix = [0; 9];
    for number in &mut matrix {
        *number = fields.number(4).ok()?;
    }
    // Fixed-point numbers with 16 fractional bits.
    let (width, height) = (fields.number(4).ok()? >> 16, fields.number(4).ok()? >> 16);
    let (width, height) = (width as u32, height as u32);
    let lies = matrix[0] == 0 && matrix[4] == 0 && matrix[1] != 0;
    (width > 0 && height > 0).then_some(if lies {
        (height, width)
    } else {
        (width, height)
    })
}

fn track<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    track: Part,
    in_fragments: bool,
) -> io::Result<()> {
    let parts = boxes.all(track.body, track.end)?;
    let (mut is_video, mut keeps_metadata) = (false, false);
    for media in parts.iter().filter(|part| part.name == *b"mdia") {
        let inside = boxes.all(media.body, media.end)?;
        for handler in inside.iter().filter(|part| part.name == *b"hdlr") {
            let name = handler.body.saturating_add(24);
            boxes.edit(Edit::zeros(name, handler.end))?;
            let handler = boxes.content(*handler)?;
            match handler.get(8..12) {
                Some(b"vide") => is_video = true,
                Some(b"soun" | b"hint" | b"auxv" | b"pict") => {}
                // Subtitle and other tracks: some cameras write their location there.
                _ => keeps_metadata = true,
            }
            if is_telemetry(handler.get(8..12)) {
                if in_fragments {
                    return Err(damaged("telemetry in fragments"));
                }
                samples::empty(boxes, &inside)?;
                return boxes.free(track);
            }
        }
        for header in inside.iter().filter(|part| part.name == *b"mdhd") {
            forget_times(boxes, *header)?;
        }
        boxes.free_notes(&inside)?;
        for part in inside.iter().filter(|part| part.name == *b"minf") {
            information(boxes, *part, is_video)?;
        }
    }
    boxes.has_video |= is_video;
    boxes.found.keeps_metadata |= keeps_metadata;
    for part in parts {
        match &part.name {
            b"tkhd" => {
                if is_video && boxes.found.dimensions.is_none() {
                    boxes.found.dimensions = dimensions(&boxes.content(part)?);
                }
                forget_times(boxes, part)?;
            }
            b"uuid" if boxes.content_starts_with(part, &SPHERICAL)? => {}
            b"mdia" | b"edts" | b"tref" | b"trgr" | b"tapt" | b"clip" | b"matt" | b"load"
            | b"imap" => {}
            _ => boxes.free(part)?,
        }
    }
    Ok(())
}

/// Removes texts next to the sample tables of a track: the original location of the media, handler names.
fn information<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    part: Part,
    is_video: bool,
) -> io::Result<()> {
    let parts = boxes.all(part.body, part.end)?;
    boxes.free_notes(&parts)?;
    for part in parts {
        match &part.name {
            b"hdlr" => boxes.edit(Edit::zeros(part.body.saturating_add(24), part.end))?,
            b"dinf" => {
                for references in boxes.all(part.body, part.end)? {
                    // Skips version, flags and entry count.
                    let first = references.body.saturating_add(8);
                    for reference in boxes.all(first, references.end)? {
                        let text = reference.body.saturating_add(4);
                        boxes.edit(Edit::zeros(text, reference.end))?;
                    }
                }
            }
            b"stbl" => {
                let tables = boxes.all(part.body, part.end)?;
                boxes.free_notes(&tables)?;
                for table in tables.iter().filter(|table| table.name == *b"stsd") {
                    sample_entries(boxes, *table, is_video)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes compressor names and metadata from video sample entries.
fn sample_entries<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    table: Part,
    is_video: bool,
) -> io::Result<()> {
    /// Offset of the 32-byte compressor name in a video sample entry, and the offset of its child boxes.
    const NAME: u64 = 42;
    const INSIDE: u64 = 78;
    for entry in boxes.all(table.body.saturating_add(8), table.end)? {
        if !is_video || entry.end - entry.body < INSIDE {
            continue;
        }
        let name = entry.body + NAME;
        boxes.edit(Edit::zeros(name, name + 32))?;
        let inside = boxes.all(entry.body + INSIDE, entry.end)?;
        boxes.free_notes(&inside)?;
    }
    Ok(())
}

/// Whether a track holds telemetry: camera location, camera motion, detected faces.
fn is_telemetry(handler: Option<&[u8]>) -> bool {
    let known: [&[u8]; 5] = [b"meta", b"camm", b"nmea", b"gps ", b"tmcd"];
    handler.is_some_and(|handler| known.contains(&handler))
}

/// Zeroes the creation and modification times.
fn forget_times<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, header: Part) -> io::Result<()> {
    boxes.input.go(header.body)?;
    let version = boxes.input.byte()?;
    let width = if version == 1 { 16 } else { 8 };
    let from = header.body + 4;
    boxes.edit(Edit::zeros(from, header.end.min(from + width)))
}

impl<R: BufRead + Seek> Boxes<'_, R> {
    fn content_starts_with(&mut self, part: Part, wanted: &[u8; 16]) -> io::Result<bool> {
        if part.end - part.body < 16 {
            return Ok(false);
        }
        self.input.go(part.body)?;
        Ok(self.input.array()? == *wanted)
    }
}
