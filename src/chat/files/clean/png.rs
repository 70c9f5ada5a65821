//! PNG: keeps the chunks that show the picture, animations too. A wrong checksum is no matter here.

use std::io::{self, BufRead, Seek};

use super::damaged;
use super::input::Input;
use super::plan::{Piece, Plan};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// The chunk that ends a picture.
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

fn is_kept(name: [u8; 4]) -> bool {
    const KEPT: [[u8; 4]; 18] = [
        *b"IHDR", *b"PLTE", *b"IDAT", *b"IEND", *b"tRNS", *b"gAMA", *b"cHRM", *b"sRGB", *b"iCCP",
        *b"cICP", *b"sBIT", *b"bKGD", *b"pHYs", *b"acTL", *b"fcTL", *b"fdAT", *b"mDCV", *b"cLLI",
    ];
    KEPT.contains(&name)
}

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
        if is_kept(name) {
            has_pixels |= name == *b"IDAT";
            plan.keep(from, input.at())?;
        }
        if name == *b"IEND" {
            return finish(plan, has_pixels);
        }
    }
    // One that ends too early shows what there is.
    plan.push(Piece::Bytes(END.to_vec()))?;
    finish(plan, has_pixels)
}

fn finish(plan: Plan, has_pixels: bool) -> io::Result<Plan> {
    has_pixels.then_some(plan).ok_or(damaged("no picture"))
}
