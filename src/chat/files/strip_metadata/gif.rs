//! GIF: keeps frames, delays and the repeat count; drops comments, texts and application data.

use std::io::{self, BufRead, Seek};

use super::damaged;
use super::input::Input;
use super::plan::{Piece, Plan};

const TRAILER: u8 = 0x3b;
const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let mut plan = Plan::default();
    let head: [u8; 13] = input.array()?;
    if !head.starts_with(b"GIF87a") && !head.starts_with(b"GIF89a") {
        return Err(damaged("no GIF"));
    }
    input.skip(palette(head[10]))?;
    plan.keep(0, input.at())?;
    let mut has_pixels = false;
    while input.left() > 0 {
        let from = input.at();
        match input.byte()? {
            TRAILER => {
                plan.keep(from, input.at())?;
                return finish(plan, has_pixels);
            }
            IMAGE => {
                let place: [u8; 9] = input.array()?;
                input.skip(palette(place[8]) + 1)?;
                blocks(input)?;
                has_pixels = true;
                plan.found.frames = plan.found.frames.saturating_add(1);
                plan.keep(from, input.at())?;
            }
            EXTENSION => extension(input, &mut plan, from)?,
            _ => return Err(damaged("no GIF block")),
        }
    }
    // The file is truncated. Decoders show what is there.
    plan.push(Piece::Bytes(vec![TRAILER]))?;
    finish(plan, has_pixels)
}

fn finish(plan: Plan, has_pixels: bool) -> io::Result<Plan> {
    has_pixels.then_some(plan).ok_or(damaged("no picture"))
}

/// Keeps graphic control extensions and the repeat count, without excess data. Drops all other extensions.
fn extension<R: BufRead + Seek>(
    input: &mut Input<R>,
    plan: &mut Plan,
    from: u64,
) -> io::Result<()> {
    let label = input.byte()?;
    let length = input.byte()?;
    let first = input.bytes(length.into())?;
    let body = input.at();
    let last = if length > 0 {
        blocks(input)?
    } else {
        Vec::new()
    };
    let end = input.at();
    let (kept, expected): (Vec<u8>, u64) = match (label, last.as_slice()) {
        (GRAPHIC_CONTROL, _) if length == 4 => ([&first[..], &[0]].concat(), 1),
        (APPLICATION, [1, low, high]) if repeats(&first) => {
            ([&first[..], &[3, 1, *low, *high, 0]].concat(), 5)
        }
        _ => return Ok(()),
    };
    if end - body == expected {
        return plan.keep(from, end);
    }
    plan.push(Piece::Bytes(
        [&[EXTENSION, label, length], kept.as_slice()].concat(),
    ))
}

fn repeats(application: &[u8]) -> bool {
    [b"NETSCAPE2.0".as_slice(), b"ANIMEXTS1.0"].contains(&application)
}

/// Returns the size of the colour table for these flags, in bytes.
fn palette(flags: u8) -> u64 {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}

/// Skips sub-blocks up to the terminator. Returns the first.
fn blocks<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Vec<u8>> {
    let length = input.byte()?;
    let first = input.bytes(length.into())?;
    let mut length = length;
    while length > 0 {
        length = input.byte()?;
        input.skip(length.into())?;
    }
    Ok(first)
}
