//! The `moov` box of MP4, M4A, 3GP and QuickTime files: user data, metadata, dates and tracks of telemetry go.

use std::io::{self, BufRead, Seek};

use super::boxes::{Boxes, Part};
use super::plan::Edit;
use super::{damaged, samples};

/// Says that a film is a sphere (Spherical Video V1): needed to show it.
const SPHERICAL: [u8; 16] = [
    0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93, 0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f, 0xdd,
];

pub(super) fn clean<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, movie: Part) -> io::Result<()> {
    let parts = boxes.all(movie.body, movie.end)?;
    let in_fragments = parts.iter().any(|part| part.name == *b"mvex");
    for part in parts {
        match &part.name {
            b"trak" => track(boxes, part, in_fragments)?,
            b"mvhd" => forget_times(boxes, part)?,
            b"cmov" => return Err(damaged("a packed header")),
            b"udta" | b"meta" | b"uuid" | b"free" | b"skip" => boxes.free(part)?,
            _ => {}
        }
    }
    Ok(())
}

fn track<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    track: Part,
    in_fragments: bool,
) -> io::Result<()> {
    let parts = boxes.all(track.body, track.end)?;
    for media in parts.iter().filter(|part| part.name == *b"mdia") {
        let inside = boxes.all(media.body, media.end)?;
        for handler in inside.iter().filter(|part| part.name == *b"hdlr") {
            let handler = boxes.content(*handler)?;
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
    }
    for part in parts {
        match &part.name {
            b"tkhd" => forget_times(boxes, part)?,
            b"uuid" if boxes.content_starts_with(part, &SPHERICAL)? => {}
            b"udta" | b"meta" | b"uuid" | b"free" | b"skip" => boxes.free(part)?,
            _ => {}
        }
    }
    Ok(())
}

/// Tracks of measured values: where the camera was, how it was held, whose faces it saw.
fn is_telemetry(handler: Option<&[u8]>) -> bool {
    let known: [&[u8]; 4] = [b"meta", b"camm", b"nmea", b"gps "];
    handler.is_some_and(|handler| known.contains(&handler))
}

/// Zeroes when something was made and changed.
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
