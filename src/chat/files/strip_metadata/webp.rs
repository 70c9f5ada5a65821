//! WebP: keeps image data, animation, transparency, colour profile and orientation. Also cleans the frames of
//! animations.

use std::io::{self, BufRead, Seek};

use image::metadata::Orientation;

use super::input::Input;
use super::plan::{Piece, Plan};
use super::{damaged, icc, tiff};

const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;
const PROFILE_FLAG: u8 = 0x20;
/// Size of a chunk header: name and length.
const HEADER: u64 = 8;
/// Size of an `ANMF` frame's position, dimensions and duration, which precede its chunks.
const FRAME: u64 = 16;
/// Maximum size of an Exif chunk that is parsed and of a colour profile that is kept, in bytes.
const EXIF_MAX: u64 = 1024 * 1024;
/// Sizes of the `VP8X` and `ANIM` chunks.
const EXTENDED: u64 = 10;
const ANIMATION: u64 = 6;

/// Name and offsets of a chunk: start, content, end of the content, next chunk.
struct Chunk {
    name: [u8; 4],
    from: u64,
    body: u64,
    end: u64,
    next: u64,
}

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let head: [u8; 12] = input.array()?;
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WEBP") {
        return Err(damaged("no WebP"));
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let end = input.len().min(u64::from(length) + HEADER);
    let mut plan = Plan::default();
    plan.push(Piece::Bytes(Vec::new()))?;
    let mut extended = None;
    let mut has_pixels = false;
    while let Some(chunk) = next_chunk(input, end)? {
        match &chunk.name {
            b"VP8X" => {
                let bytes = input.bytes(EXTENDED.min(chunk.end - chunk.body))?;
                extended = Some(plan.pieces.len());
                let header = [
                    b"VP8X".as_slice(),
                    &(bytes.len() as u32).to_le_bytes(),
                    &bytes,
                ];
                plan.push(Piece::Bytes(header.concat()))?;
            }
            b"EXIF" if plan.orientation == 0 && chunk.end - chunk.body <= EXIF_MAX => {
                let exif = input.bytes(chunk.end - chunk.body)?;
                let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
                plan.orientation =
                    Orientation::from_exif_chunk(exif).map_or(0, Orientation::to_exif);
            }
            b"ANMF" => {
                frame(input, &mut plan, &chunk)?;
                has_pixels = true;
                plan.found.frames = plan.found.frames.saturating_add(1);
            }
            b"VP8 " | b"VP8L" => {
                keep(&mut plan, &chunk)?;
                has_pixels = true;
            }
            b"ICCP" => profile(input, &mut plan, &chunk)?,
            b"ANIM" if chunk.end - chunk.body == ANIMATION => keep(&mut plan, &chunk)?,
            b"ALPH" => keep(&mut plan, &chunk)?,
            _ => {}
        }
        input.go(chunk.next)?;
    }
    if !has_pixels {
        return Err(damaged("no picture"));
    }
    finish(plan, extended, length, input.len())
}

/// Adds the orientation and corrects flags and length.
fn finish(mut plan: Plan, extended: Option<usize>, length: u32, len: u64) -> io::Result<Plan> {
    let turned = plan.orientation > 1 && extended.is_some();
    if turned {
        let exif = tiff::only_orientation(plan.orientation);
        let chunk = [
            b"EXIF".as_slice(),
            &(exif.len() as u32).to_le_bytes(),
            &exif,
        ];
        plan.push(Piece::Bytes(chunk.concat()))?;
    }
    let has_profile = plan.has_profile;
    let mut same_flags = true;
    if let Some(Piece::Bytes(header)) = extended.and_then(|at| plan.pieces.get_mut(at))
        && let Some(flags) = header.get_mut(HEADER as usize)
    {
        let dropped = EXIF_FLAG | XMP_FLAG | if has_profile { 0 } else { PROFILE_FLAG };
        let kept = *flags & !dropped | if turned { EXIF_FLAG } else { 0 };
        same_flags = *flags == kept;
        *flags = kept;
    }
    let size: u64 = plan.pieces.iter().map(size).sum();
    let size = u32::try_from(size + 4).map_err(|_| damaged("too large"))?;
    plan.pieces[0] = Piece::Bytes([b"RIFF".as_slice(), &size.to_le_bytes(), b"WEBP"].concat());
    // Nothing was removed.
    if same_flags && !turned && u64::from(size) + HEADER == len && length == size {
        plan.pieces = vec![Piece::Keep(0, len)];
    }
    Ok(plan)
}

fn size(piece: &Piece) -> u64 {
    match piece {
        Piece::Keep(from, to) => to - from,
        Piece::Bytes(bytes) => bytes.len() as u64,
        Piece::Zeros(count) => *count,
    }
}

/// Reads the chunk header at the current position. The input then is at the content.
fn next_chunk<R: BufRead + Seek>(input: &mut Input<R>, end: u64) -> io::Result<Option<Chunk>> {
    if input.at() >= end || end - input.at() < HEADER {
        return Ok(None);
    }
    let from = input.at();
    let name = input.array()?;
    let length = u64::from(input.array().map(u32::from_le_bytes)?);
    let body = input.at();
    if length > end - body {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Chunk {
        name,
        from,
        body,
        end: body + length,
        next: (body + length + length % 2).min(end),
    }))
}

/// Keeps a chunk, padded to an even length.
fn keep(plan: &mut Plan, chunk: &Chunk) -> io::Result<()> {
    plan.keep(chunk.from, chunk.next)?;
    match (chunk.next - chunk.from) % 2 {
        0 => Ok(()),
        _ => plan.push(Piece::Bytes(vec![0])),
    }
}

/// Keeps a colour profile without its texts. Drops one that cannot be parsed.
fn profile<R: BufRead + Seek>(
    input: &mut Input<R>,
    plan: &mut Plan,
    chunk: &Chunk,
) -> io::Result<()> {
    if chunk.end - chunk.body > EXIF_MAX {
        return Ok(());
    }
    let bytes = input.bytes(chunk.end - chunk.body)?;
    let Some(cleaned) = icc::cleaned(&bytes) else {
        return Ok(());
    };
    plan.has_profile = true;
    if cleaned == bytes {
        return keep(plan, chunk);
    }
    let length = (cleaned.len() as u32).to_le_bytes();
    let padding = vec![0; cleaned.len() % 2];
    plan.push(Piece::Bytes(
        [b"ICCP", &length[..], &cleaned, &padding].concat(),
    ))
}

/// Keeps a frame of an animation and, of its chunks, only image data.
fn frame<R: BufRead + Seek>(
    input: &mut Input<R>,
    plan: &mut Plan,
    frame: &Chunk,
) -> io::Result<()> {
    let place = input.bytes(FRAME.min(frame.end - frame.body))?;
    if (place.len() as u64) < FRAME {
        return Err(damaged("no frame"));
    }
    let at = plan.pieces.len();
    plan.push(Piece::Bytes(Vec::new()))?;
    while let Some(chunk) = next_chunk(input, frame.end)? {
        if matches!(&chunk.name, b"ALPH" | b"VP8 " | b"VP8L") {
            keep(plan, &chunk)?;
        }
        input.go(chunk.next)?;
    }
    let length = FRAME + plan.pieces[at..].iter().map(size).sum::<u64>();
    let length = u32::try_from(length).map_err(|_| damaged("too large"))?;
    let header = [b"ANMF".as_slice(), &length.to_le_bytes(), &place];
    plan.pieces[at] = Piece::Bytes(header.concat());
    Ok(())
}
