//! Ogg (RFC 3533): empties the comments of Vorbis, Opus, Speex, Theora and FLAC streams in place, and corrects the
//! checksums of their pages.

use std::collections::HashMap;
use std::io::{self, BufRead, Seek};

use super::super::damaged;
use super::super::input::Input;
use super::super::plan::{Edit, Plan, milliseconds};
use super::vorbis::{empty_comments, flac_block};

/// Maximum number of streams in one file, chained or multiplexed.
const STREAMS_MAX: usize = 1_000;
/// Maximum number of changed pages. A large picture in the comments takes some hundreds.
const CHANGED_MAX: usize = 20_000;
/// Maximum number of edits in those pages. Each page has a few at most.
const EDITS_MAX: usize = 4 * CHANGED_MAX;
/// Size of the longest comment header without vendor and comments, in bytes.
const STUB: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    Vorbis,
    Opus,
    Speex,
    Theora,
    Flac,
    /// A codec whose headers are not parsed.
    Other,
}

struct Stream {
    codec: Codec,
    /// Granule positions per second; 0 for video.
    hertz: u64,
    /// Samples to skip at the start (Opus pre-skip).
    skipped: u64,
    /// Number of complete packets, and bytes read of the incomplete one.
    packets: u32,
    offset: usize,
    /// Replacement for the packet in progress.
    emptied: Option<Vec<u8>>,
    /// FLAC: whether more metadata blocks follow.
    in_headers: bool,
}

/// A page header and the offsets of page and body.
struct Page {
    from: u64,
    header: Vec<u8>,
    body: u64,
}

pub(in super::super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let mut streams: HashMap<[u8; 4], Stream> = HashMap::new();
    let mut edits = Vec::new();
    let mut longest = None;
    let (mut has_pictures, mut keeps_metadata) = (false, false);
    let mut changed = 0;
    let mut end = 0;
    while let Some(page) = next_page(input)? {
        let serial = [14, 15, 16, 17].map(|at| page.header[at]);
        if page.header[5] & 2 != 0 {
            let first = input.bytes(page.length().min(64))?;
            let stream = Stream::new(&first);
            has_pictures |= stream.codec == Codec::Theora;
            keeps_metadata |= stream.codec == Codec::Other;
            streams.insert(serial, stream);
            input.go(page.body)?;
        }
        if streams.len() > STREAMS_MAX {
            return Err(damaged("too many streams"));
        }
        let stream = streams
            .get_mut(&serial)
            .ok_or_else(|| damaged("a page of no stream"))?;
        if stream.may_change() && clean_page(input, &page, stream, &mut edits)? {
            changed += 1;
            if changed > CHANGED_MAX || edits.len() > EDITS_MAX {
                return Err(damaged("too many comments"));
            }
        }
        longest = longest.max(stream.time_at(&page.header[6..14]));
        end = page.body + page.length();
        input.go(end)?;
    }
    if streams.is_empty() {
        return Err(damaged("no Ogg"));
    }
    let mut plan = Plan::in_place(edits, end)?;
    plan.found.media_type = Some(match has_pictures {
        true => "video/ogg",
        false => "audio/ogg",
    });
    plan.found.duration = longest;
    plan.found.keeps_metadata = keeps_metadata;
    Ok(plan)
}

/// Reads the page header at the current position. The input then is at the body. `None` at the end or if the page is
/// truncated.
fn next_page<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Option<Page>> {
    if input.left() < 27 {
        return Ok(None);
    }
    let from = input.at();
    let mut header = input.bytes(27)?;
    if !header.starts_with(b"OggS") {
        return Err(damaged("no page"));
    }
    let count = u64::from(header[26]);
    if count > input.left() {
        return Ok(None);
    }
    header.extend(input.bytes(count)?);
    let body = input.at();
    let page = Page { from, header, body };
    Ok((page.length() <= input.left()).then_some(page))
}

impl Page {
    fn segments(&self) -> &[u8] {
        &self.header[27..]
    }

    fn length(&self) -> u64 {
        self.segments()
            .iter()
            .map(|length| u64::from(*length))
            .sum()
    }
}

impl Stream {
    fn new(first: &[u8]) -> Self {
        let number = |at: usize| {
            let bytes = first.get(at..at + 4).and_then(|four| four.try_into().ok());
            bytes.map_or(0, u32::from_le_bytes).into()
        };
        let (codec, hertz) = match first {
            [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => (Codec::Vorbis, number(12)),
            [0x80, b't', b'h', b'e', b'o', b'r', b'a', ..] => (Codec::Theora, 0),
            [0x7f, b'F', b'L', b'A', b'C', ..] => (Codec::Flac, u64::from(flac_hertz(first))),
            _ if first.starts_with(b"OpusHead") => (Codec::Opus, 48_000),
            _ if first.starts_with(b"Speex   ") => (Codec::Speex, number(36)),
            _ => (Codec::Other, 0),
        };
        let skipped = match (codec, first.get(10..12)) {
            (Codec::Opus, Some(&[low, high])) => u16::from_le_bytes([low, high]).into(),
            _ => 0,
        };
        Self {
            codec,
            hertz,
            skipped,
            packets: 0,
            offset: 0,
            emptied: None,
            in_headers: true,
        }
    }

    /// Whether a page may still contain headers.
    fn may_change(&self) -> bool {
        match self.codec {
            Codec::Other => false,
            Codec::Flac => self.in_headers,
            _ => self.packets < 2,
        }
    }

    fn time_at(&self, position: &[u8]) -> Option<u64> {
        let position = position.try_into().ok().map(u64::from_le_bytes)?;
        if self.hertz == 0 || position > i64::MAX as u64 {
            return None;
        }
        milliseconds(position.saturating_sub(self.skipped), self.hertz)
    }

    /// Returns the replacement for the packet that begins with these bytes, without the zeros that fill it up.
    fn emptied(&mut self, bytes: &[u8], ends: bool) -> io::Result<Option<Vec<u8>>> {
        let mut stub = bytes[..bytes.len().min(STUB)].to_vec();
        match self.codec {
            Codec::Flac if self.packets > 0 => {
                let first = *stub.first().ok_or_else(|| damaged("a block"))?;
                self.in_headers = first & 0x80 == 0;
                let Some(kind) = flac_block(first, true) else {
                    return Ok(None);
                };
                stub[0] = kind;
                stub.truncate(4);
                Ok(Some(stub))
            }
            Codec::Vorbis | Codec::Opus | Codec::Speex | Codec::Theora if self.packets == 1 => {
                if !ends {
                    // The packet continues on another page, so the first bytes may be fewer than the stub.
                    stub.resize(STUB, 0);
                }
                match empty_comments(&mut stub) {
                    true => Ok(Some(stub)),
                    false => Err(damaged("comments")),
                }
            }
            _ => Ok(None),
        }
    }
}

/// Returns the sample rate from the first packet of a FLAC stream.
fn flac_hertz(first: &[u8]) -> u32 {
    // After the signatures and the block header.
    match first.get(27..30) {
        Some(&[a, b, c]) => u32::from(a) << 12 | u32::from(b) << 4 | u32::from(c) >> 4,
        _ => 0,
    }
}

/// Empties the comments in a page. Returns whether there were any.
fn clean_page<R: BufRead + Seek>(
    input: &mut Input<R>,
    page: &Page,
    stream: &mut Stream,
    edits: &mut Vec<Edit>,
) -> io::Result<bool> {
    let mut body = input.bytes(page.length())?;
    let mut is_changed = false;
    let mut at = 0;
    for packet in page.segments().split_inclusive(|length| *length < 255) {
        let length: usize = packet.iter().map(|length| usize::from(*length)).sum();
        let ends = packet.last().is_some_and(|length| *length < 255);
        let bytes = &mut body[at..at + length];
        if stream.offset == 0 {
            stream.emptied = stream.emptied(bytes, ends)?;
        }
        if let Some(stub) = &stream.emptied {
            for (place, byte) in (stream.offset..).zip(bytes.iter_mut()) {
                *byte = stub.get(place).copied().unwrap_or(0);
            }
            let from = page.body + at as u64;
            let written = bytes.len().min(stub.len().saturating_sub(stream.offset));
            edits.push(Edit::bytes(from, bytes[..written].to_vec()));
            edits.push(Edit::zeros(from + written as u64, from + length as u64));
            is_changed = true;
        }
        at += length;
        stream.offset += length;
        if ends {
            stream.packets = stream.packets.saturating_add(1);
            stream.offset = 0;
            stream.emptied = None;
        }
    }
    if is_changed {
        let mut header = page.header.clone();
        header[22..26].fill(0);
        let sum = checksum(checksum(0, &header), &body);
        edits.push(Edit::bytes(page.from + 22, sum.to_le_bytes().to_vec()));
    }
    Ok(is_changed)
}

/// Updates the checksum of a page with these bytes.
pub(in super::super) fn checksum(sum: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    bytes.iter().fold(sum, |sum, byte| {
        sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)]
    })
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut sum = (at as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 0x8000_0000 == 0 {
                sum << 1
            } else {
                sum << 1 ^ 0x04c1_1db7
            };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
}
