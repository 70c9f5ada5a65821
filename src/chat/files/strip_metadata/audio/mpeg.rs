//! MPEG audio (MP3) and AAC in ADTS frames: keeps the frames; removes ID3, APE and Lyrics3 tags and everything else
//! between frames.

use std::io::{self, BufRead, Seek};

use super::super::damaged;
use super::super::input::Input;
use super::super::plan::{Plan, milliseconds};

/// Size of the longest frame header (ADTS), in bytes.
const HEADER: u64 = 7;
/// Size of an ID3 tag's header, in bytes.
const ID3_HEADER: u64 = 10;
/// Size of an APE tag's header or footer, in bytes.
const APE_HEADER: u64 = 32;

const KBITS: [[u32; 15]; 5] = [
    [
        0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ],
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const HERTZ: [u32; 3] = [44_100, 48_000, 32_000];
const ADTS_HERTZ: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// The header fields that all frames of one stream share.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stream {
    is_adts: bool,
    version: u8,
    layer: u8,
    hertz: u32,
}

struct Frame {
    stream: Stream,
    length: u64,
    samples: u64,
}

/// Whether a file with these first bytes begins with an ID3 tag or with two frames of one stream.
pub(in super::super) fn begins_file(head: &[u8]) -> bool {
    let follows = |first: &Frame| {
        let second = head.get(first.length as usize..).and_then(frame);
        second.is_some_and(|second| second.stream == first.stream)
    };
    id3_length(head).is_some() || frame(head).is_some_and(|first| follows(&first))
}

pub(in super::super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let mut plan = Plan::default();
    let mut stream = None;
    let mut samples = 0;
    let mut in_sync = true;
    while input.left() > 0 {
        let from = input.at();
        let head = peek(input)?;
        if let Some(length) = tag_length(&head) {
            input.go(from.saturating_add(length).min(input.len()))?;
            in_sync = true;
            continue;
        }
        let found = frame(&head).filter(|found| stream.is_none_or(|known| known == found.stream));
        if let Some(found) = found
            && found.length <= input.left()
            && (in_sync || follows(input, from, &found)?)
        {
            stream = Some(found.stream);
            samples += found.samples;
            plan.keep(from, from + found.length)?;
            input.go(from + found.length)?;
            in_sync = true;
            continue;
        }
        in_sync = false;
        next_candidate(input, from)?;
    }
    let Some(stream) = stream else {
        return if head_is(input, b"fLaC")? {
            super::flac::clean(input)
        } else {
            Err(damaged("no sound"))
        };
    };
    plan.found.media_type = Some(if stream.is_adts {
        "audio/aac"
    } else {
        "audio/mpeg"
    });
    plan.found.duration = milliseconds(samples, stream.hertz.into());
    Ok(plan)
}

/// Skips ID3 tags at the start of the file. Returns whether the bytes after them begin with `wanted`.
fn head_is<R: BufRead + Seek>(input: &mut Input<R>, wanted: &[u8]) -> io::Result<bool> {
    input.go(0)?;
    while let Some(length) = id3_length(&peek(input)?) {
        input.skip(length)?;
    }
    Ok(peek(input)?.starts_with(wanted))
}

/// Returns the next bytes, enough for any header, without moving.
fn peek<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Vec<u8>> {
    let at = input.at();
    let bytes = input.bytes(APE_HEADER.min(input.left()))?;
    input.go(at)?;
    Ok(bytes)
}

/// Whether a frame is followed by another frame, a tag, or the end of the file.
fn follows<R: BufRead + Seek>(input: &mut Input<R>, from: u64, first: &Frame) -> io::Result<bool> {
    input.go(from + first.length)?;
    let head = peek(input)?;
    input.go(from)?;
    let second = frame(&head).is_some_and(|second| second.stream == first.stream);
    Ok(head.is_empty() || second || tag_length(&head).is_some())
}

/// Moves to the next byte after `from` with which a frame or a tag may begin.
fn next_candidate<R: BufRead + Seek>(input: &mut Input<R>, from: u64) -> io::Result<()> {
    input.go(from + 1)?;
    match input.skip_past(|byte| matches!(byte, 0xff | b'I' | b'T' | b'A'))? {
        true => input.go(input.at() - 1),
        false => Ok(()),
    }
}

/// Returns the size of the tag that begins with these bytes.
fn tag_length(head: &[u8]) -> Option<u64> {
    if let Some(length) = id3_length(head) {
        return Some(length);
    }
    if let Some(tag) = head.strip_prefix(b"APETAGEX") {
        let number = |at: usize| tag.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let is_header = number(12)? & 1 << 29 != 0;
        let content = if is_header { number(4)? } else { 0 };
        return Some(APE_HEADER + u64::from(content));
    }
    // ID3v1 has a fixed size and can only be the end of the file.
    (head.starts_with(b"TAG") && head.len() as u64 == APE_HEADER).then_some(128)
}

/// Returns the size of the ID3v2 tag that begins with these bytes.
pub(super) fn id3_length(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', version, revision, flags, size @ ..] = head else {
        return None;
    };
    let size = size
        .get(..4)
        .filter(|size| size.iter().all(|byte| *byte < 0x80))?;
    if !(2..=4).contains(version) || *revision == 0xff {
        return None;
    }
    let size = size.iter().fold(0, |sum, byte| sum << 7 | u64::from(*byte));
    let footer = if flags & 0x10 == 0 { 0 } else { ID3_HEADER };
    Some(ID3_HEADER + size + footer)
}

/// Parses the frame header at the start of these bytes.
fn frame(head: &[u8]) -> Option<Frame> {
    let [0xff, b, c, d, ..] = *head else {
        return None;
    };
    match (b >> 5, b >> 1 & 3) {
        (7, 0) => adts(head),
        (7, _) => mpeg(b, c, d),
        _ => None,
    }
}

fn mpeg(b: u8, c: u8, _d: u8) -> Option<Frame> {
    let (version, layer) = (b >> 3 & 3, b >> 1 & 3);
    let is_first_version = version == 3;
    let table = match (is_first_version, layer) {
        _ if version == 1 => return None,
        (true, 3) => 0,
        (true, 2) => 1,
        (true, _) => 2,
        (false, 3) => 3,
        (false, _) => 4,
    };
    let bits = KBITS[table].get(usize::from(c >> 4)).copied()? * 1000;
    let hertz = HERTZ.get(usize::from(c >> 2 & 3)).copied()?;
    let hertz = match version {
        3 => hertz,
        2 => hertz / 2,
        _ => hertz / 4,
    };
    let padding = u32::from(c >> 1 & 1);
    let (length, samples) = match (layer, is_first_version) {
        (3, _) => ((12 * bits / hertz + padding) * 4, 384),
        (1, false) => (72 * bits / hertz + padding, 576),
        _ => (144 * bits / hertz + padding, 1152),
    };
    let stream = Stream {
        is_adts: false,
        version,
        layer,
        hertz,
    };
    // Without a bit rate (free format), the frame length is unknown.
    (bits > 0).then_some(Frame {
        stream,
        length: length.into(),
        samples,
    })
}

fn adts(head: &[u8]) -> Option<Frame> {
    let [_, b, c, d, e, f, g, ..] = *head else {
        return None;
    };
    let hertz = ADTS_HERTZ.get(usize::from(c >> 2 & 15)).copied()?;
    let length = u64::from(d & 3) << 11 | u64::from(e) << 3 | u64::from(f) >> 5;
    let stream = Stream {
        is_adts: true,
        version: b >> 3 & 1,
        layer: 0,
        hertz,
    };
    (b >> 4 == 15 && length > HEADER).then_some(Frame {
        stream,
        length,
        samples: 1024 * (u64::from(g & 3) + 1),
    })
}
