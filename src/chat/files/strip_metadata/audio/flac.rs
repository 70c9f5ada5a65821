//! FLAC: comment, picture, cue sheet and application blocks become padding.

use std::io::{self, BufRead, Seek};

use super::super::damaged;
use super::super::input::Input;
use super::super::plan::{Edit, Plan, milliseconds};
use super::vorbis::flac_block;

/// Maximum number of edits. Real files have fewer blocks.
const BLOCKS_MAX: usize = 1_000;
/// Size of the first block, which describes the stream, in bytes.
const STREAM_INFO: u64 = 34;

pub(in super::super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let begin = input.at();
    if input.array()? != *b"fLaC" {
        return Err(damaged("no FLAC"));
    }
    // A tag before the signature.
    let mut edits = vec![Edit::zeros(0, begin)];
    let mut duration = None;
    loop {
        let from = input.at();
        let [first, length @ ..]: [u8; 4] = input.array()?;
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if from == begin + 4 {
            if first & 0x7f != 0 || length != STREAM_INFO {
                return Err(damaged("no stream"));
            }
            duration = playing_time(&input.array()?);
        } else {
            input.skip(length)?;
        }
        if let Some(kind) = flac_block(first, false) {
            edits.push(Edit::bytes(from, vec![kind]));
            edits.push(Edit::zeros(from + 4, input.at()));
        }
        if first & 0x80 != 0 {
            break;
        }
        if edits.len() > BLOCKS_MAX {
            return Err(damaged("too many blocks"));
        }
    }
    let end = frames_end(input)?;
    let len = input.len();
    edits.push(Edit::zeros(end, len));
    let mut plan = Plan::in_place(edits, len)?;
    if begin > 0 {
        // Zeros in front of the signature would hide it.
        plan.pieces.remove(0);
    }
    plan.found.media_type = Some("audio/flac");
    plan.found.duration = duration;
    Ok(plan)
}

fn playing_time(info: &[u8; 34]) -> Option<u64> {
    let packed = info[10..18]
        .iter()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    milliseconds(packed & 0xf_ffff_ffff, packed >> 44)
}

/// Returns the start of the tags after the sound (ID3v1, APE).
fn frames_end<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<u64> {
    let begin = input.at();
    let mut end = input.len();
    if end - begin >= 128 {
        input.go(end - 128)?;
        if input.array()? == *b"TAG" {
            end -= 128;
        }
    }
    if end - begin >= 32 {
        input.go(end - 32)?;
        let footer: [u8; 32] = input.array()?;
        if footer.starts_with(b"APETAGEX") {
            let size = u32::from_le_bytes([footer[12], footer[13], footer[14], footer[15]]);
            // The size does not include the tag's header.
            end = end.saturating_sub(u64::from(size) + 32).max(begin);
        }
    }
    Ok(end)
}
