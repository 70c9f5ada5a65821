//! JPEG (ITU-T T.81): keeps what is needed to decode the image, JFIF without its thumbnail, colour profiles, Adobe's
//! colour transform and the orientation.

use std::io::{self, BufRead, Seek};

use image::metadata::Orientation;

use super::input::Input;
use super::plan::{Piece, Plan, ProfilePart};
use super::{damaged, icc, tiff};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
/// Length field of a JFIF segment without a thumbnail.
const JFIF: u64 = 16;
/// Header of a colour profile segment after the length field: identifier, sequence number, count.
const PROFILE_HEAD: usize = 14;
/// Maximum size of a colour profile that is kept, in bytes.
const PROFILE_MAX: usize = 4 * 1024 * 1024;

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let mut plan = Plan::default();
    if input.array()? != [0xff, SOI] {
        return Err(damaged("no JPEG"));
    }
    plan.keep(0, 2)?;
    while let Some(marker) = next_marker(input)? {
        let from = input.at() - 2;
        match marker {
            EOI => {
                plan.keep(from, input.at())?;
                return finish(plan);
            }
            // Markers without a length field.
            0x01 | 0xd0..=0xd7 => plan.keep(from, input.at())?,
            SOI => {}
            _ => {
                let length = u64::from(input.u16_be().unwrap_or(0));
                if length < 2 || input.skip(length - 2).is_err() {
                    break;
                }
                segment(input, &mut plan, marker, from)?;
                if marker == SOS {
                    plan.passes += 1;
                    let from = input.at();
                    skip_entropy(input)?;
                    plan.keep(from, input.at())?;
                }
            }
        }
    }
    // The file is truncated. Decoders show what is there.
    plan.push(Piece::Bytes(vec![0xff, EOI]))?;
    finish(plan)
}

fn finish(mut plan: Plan) -> io::Result<Plan> {
    profile(&mut plan);
    match plan.passes {
        0 => Err(damaged("no picture")),
        _ => Ok(plan),
    }
}

/// Replaces the placeholders of the colour profile with the profile without texts. Drops one that cannot be parsed.
fn profile(plan: &mut Plan) {
    let parts = std::mem::take(&mut plan.profile);
    if parts.is_empty() {
        return;
    }
    let head = |place: usize, at: usize| parts[place].content[at];
    let in_order = (0..parts.len()).all(|place| {
        usize::from(head(place, 12)) == place + 1 && usize::from(head(place, 13)) == parts.len()
    });
    let whole: Vec<u8> = parts
        .iter()
        .flat_map(|part| part.content[PROFILE_HEAD..].iter().copied())
        .collect();
    let cleaned = icc::cleaned(&whole).filter(|_| in_order);
    let mut at = 0;
    for part in &parts {
        let length = part.content.len() - PROFILE_HEAD;
        let bytes = cleaned.as_ref().map(|cleaned| &cleaned[at..at + length]);
        at += length;
        plan.pieces[part.place] = match bytes {
            None => Piece::Bytes(Vec::new()),
            Some(bytes) if *bytes == part.content[PROFILE_HEAD..] => {
                Piece::Keep(part.from, part.from + 4 + part.content.len() as u64)
            }
            Some(bytes) => {
                let size = (part.content.len() as u16 + 2).to_be_bytes();
                let head = [&[0xff, APP2], &size[..], &part.content[..PROFILE_HEAD]];
                Piece::Bytes([&head.concat(), bytes].concat())
            }
        };
    }
    plan.merge();
}

/// Returns the next marker. Bytes in front of it are no part of the image and are skipped.
fn next_marker<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Option<u8>> {
    let mut marker = None;
    let mut after_ff = false;
    input.skip_past(|byte| {
        let is_marker = after_ff && byte != 0xff && byte != 0;
        after_ff = byte == 0xff;
        if is_marker {
            marker = Some(byte);
        }
        is_marker
    })?;
    Ok(marker)
}

/// Skips entropy-coded data up to the next marker other than a restart marker, or the end of the file.
fn skip_entropy<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<()> {
    let mut after_ff = false;
    let found = input.skip_past(|byte| {
        let is_marker = after_ff && !matches!(byte, 0 | 0xd0..=0xd7 | 0xff);
        after_ff = byte == 0xff;
        is_marker
    })?;
    match found {
        true => input.go(input.at() - 2),
        false => Ok(()),
    }
}

/// Keeps all, a part or nothing of a segment that began at `from` and ends at the current position.
fn segment<R: BufRead + Seek>(
    input: &mut Input<R>,
    plan: &mut Plan,
    marker: u8,
    from: u64,
) -> io::Result<()> {
    let end = input.at();
    let is = |content: &[u8], name: &[u8]| content.starts_with(name);
    match marker {
        APP0..=0xef => {
            input.go(from + 4)?;
            let content = input.bytes(end - from - 4)?;
            match marker {
                APP0 if is(&content, b"JFIF\0") && content.len() >= 14 => {
                    jfif(plan, from, end, &content)
                }
                APP2 if is(&content, b"ICC_PROFILE\0") && content.len() >= PROFILE_HEAD => {
                    let held: usize = plan.profile.iter().map(|part| part.content.len()).sum();
                    if held + content.len() > PROFILE_MAX {
                        return Ok(());
                    }
                    let place = plan.pieces.len();
                    plan.profile.push(ProfilePart {
                        place,
                        from,
                        content,
                    });
                    plan.push(Piece::Bytes(Vec::new()))
                }
                APP14 if is(&content, b"Adobe") && content.len() >= 12 => {
                    let mut kept = vec![0xff, APP14, 0, 14];
                    kept.extend(&content[..12]);
                    replace(plan, from, end, kept)
                }
                APP1 if is(&content, b"Exif\0\0") => exif(plan, &content[6..]),
                _ => Ok(()),
            }
        }
        0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
            input.go(from + 4)?;
            let frame = input.bytes(end - from - 4)?;
            plan.samples = plan.samples.saturating_add(samples(&frame).unwrap_or(0));
            plan.keep(from, end)
        }
        0xc4 | 0xcc | SOS..=0xdf => plan.keep(from, end),
        _ => Ok(()),
    }
}

/// Keeps a segment as `kept`, or the original bytes if the length is the same.
fn replace(plan: &mut Plan, from: u64, end: u64, kept: Vec<u8>) -> io::Result<()> {
    if kept.len() as u64 == end - from {
        plan.keep(from, end)
    } else {
        plan.push(Piece::Bytes(kept))
    }
}

fn jfif(plan: &mut Plan, from: u64, end: u64, content: &[u8]) -> io::Result<()> {
    if end - from == JFIF + 2 && content[12..14] == [0, 0] {
        return plan.keep(from, end);
    }
    let mut kept = vec![0xff, APP0, 0, JFIF as u8];
    kept.extend(&content[..12]);
    kept.extend([0, 0]);
    plan.push(Piece::Bytes(kept))
}

/// Keeps only the orientation of an Exif segment.
fn exif(plan: &mut Plan, exif: &[u8]) -> io::Result<()> {
    let found = Orientation::from_exif_chunk(exif);
    let Some(orientation) = found
        .map(Orientation::to_exif)
        .filter(|_| plan.orientation == 0)
    else {
        return Ok(());
    };
    plan.orientation = orientation;
    if orientation <= 1 {
        return Ok(());
    }
    let exif = [b"Exif\0\0", tiff::only_orientation(orientation).as_slice()].concat();
    let mut kept = vec![0xff, APP1, 0, exif.len() as u8 + 2];
    kept.extend(exif);
    plan.push(Piece::Bytes(kept))
}

/// Returns the number of samples of all components, from a frame header.
fn samples(frame: &[u8]) -> Option<u64> {
    let [_, h1, h2, w1, w2, count, rest @ ..] = frame else {
        return None;
    };
    let pixels =
        u64::from(u16::from_be_bytes([*h1, *h2])) * u64::from(u16::from_be_bytes([*w1, *w2]));
    let factors = || {
        rest.chunks_exact(3)
            .take((*count).into())
            .map(|c| (c[1] >> 4, c[1] & 15))
    };
    let widest = u64::from(factors().map(|(h, _)| h).max()?.max(1));
    let highest = u64::from(factors().map(|(_, v)| v).max()?.max(1));
    let of_all: u64 = factors().map(|(h, v)| u64::from(h) * u64::from(v)).sum();
    Some(pixels * of_all / (widest * highest))
}
