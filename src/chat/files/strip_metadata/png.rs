//! PNG: keeps the chunks needed to show the image, including animation. Does not verify checksums.

use std::io::{self, BufRead, Read, Seek, Write};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::input::Input;
use super::plan::{Piece, Plan};
use super::{damaged, icc};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// The `IEND` chunk.
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Maximum size of a colour profile that is kept, in bytes.
const PROFILE_MAX: u64 = 4 * 1024 * 1024;
/// Name given to colour profiles, and the compression method.
const PROFILE_NAME: &[u8] = b"icc\0\0";

/// Chunks needed to show the image, and their maximum length.
const KEPT: [(&[u8; 4], u64); 17] = [
    (b"IHDR", 13),
    (b"PLTE", 768),
    (b"IDAT", u64::MAX),
    (b"IEND", 0),
    (b"tRNS", 256),
    (b"gAMA", 4),
    (b"cHRM", 32),
    (b"sRGB", 1),
    (b"cICP", 4),
    (b"sBIT", 4),
    (b"bKGD", 6),
    (b"pHYs", 9),
    (b"acTL", 8),
    (b"fcTL", 26),
    (b"fdAT", u64::MAX),
    (b"mDCV", 24),
    (b"cLLI", 8),
];

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let mut plan = Plan::default();
    if input.array()? != SIGNATURE {
        return Err(damaged("no PNG"));
    }
    plan.keep(0, input.at())?;
    let mut has_pixels = false;
    let mut is_first = true;
    while input.left() >= 12 {
        let from = input.at();
        let length = u64::from(input.u32_be()?);
        let name = input.array()?;
        if is_first && name != *b"IHDR" {
            return Err(damaged("no header"));
        }
        is_first = false;
        if input.skip(length + 4).is_err() {
            break;
        }
        if name == *b"iCCP" {
            profile(input, &mut plan, from, length)?;
        } else if KEPT
            .iter()
            .any(|(kept, max)| name == **kept && length <= *max)
        {
            has_pixels |= name == *b"IDAT";
            plan.found.frames += u32::from(name == *b"fcTL");
            plan.keep(from, input.at())?;
        }
        if name == *b"IEND" {
            return finish(plan, has_pixels);
        }
    }
    // The file is truncated. Decoders show what is there.
    plan.push(Piece::Bytes(END.to_vec()))?;
    finish(plan, has_pixels)
}

/// Keeps a colour profile without its texts and name, and drops one that cannot be parsed. Moves to the end of the
/// chunk.
fn profile<R: BufRead + Seek>(
    input: &mut Input<R>,
    plan: &mut Plan,
    from: u64,
    length: u64,
) -> io::Result<()> {
    let end = input.at();
    if length > PROFILE_MAX {
        return Ok(());
    }
    input.go(from + 8)?;
    let content = input.bytes(length)?;
    input.go(end)?;
    let Some(name) = content.iter().position(|byte| *byte == 0) else {
        return Ok(());
    };
    let packed = content.get(name + 2..).unwrap_or_default();
    let mut profile = Vec::new();
    let unpacked = ZlibDecoder::new(packed)
        .take(PROFILE_MAX)
        .read_to_end(&mut profile);
    let Some(cleaned) = icc::cleaned(&profile).filter(|_| unpacked.is_ok()) else {
        return Ok(());
    };
    if cleaned == profile && content.starts_with(PROFILE_NAME) {
        return plan.keep(from, end);
    }
    let mut chunk = [b"iCCP", PROFILE_NAME].concat();
    let mut packer = ZlibEncoder::new(&mut chunk, Compression::default());
    packer.write_all(&cleaned)?;
    packer.finish()?;
    let mut sum = flate2::Crc::new();
    sum.update(&chunk);
    let length = (chunk.len() as u32 - 4).to_be_bytes();
    plan.push(Piece::Bytes(
        [&length[..], &chunk, &sum.sum().to_be_bytes()].concat(),
    ))
}

fn finish(plan: Plan, has_pixels: bool) -> io::Result<Plan> {
    has_pixels.then_some(plan).ok_or(damaged("no picture"))
}
