//! RIFF: WAV (with RF64) and AVI. Chunks that playback does not need become `JUNK` filled with zeros.

use std::io::{self, BufRead, Seek};

use super::super::damaged;
use super::super::input::Input;
use super::super::plan::{Edit, Found, Plan, milliseconds};

/// Maximum number of edits. A long film has fewer chunks outside of its video and audio data.
const CHUNKS_MAX: usize = 50_000;
/// Maximum nesting depth of lists.
const DEPTH_MAX: u32 = 4;
/// Size of a chunk header: name and length.
const HEADER: u64 = 8;

struct Riff<'a, R> {
    input: &'a mut Input<R>,
    edits: Vec<Edit>,
    found: Found,
    chunks: usize,
    /// WAV: bytes of sound per second.
    rate: u32,
    /// WAV: length of the `data` chunk in bytes, if its own length field cannot hold it.
    long_data: Option<u64>,
    /// Whether the length is unknown because the file was written as a stream.
    is_open: bool,
}

/// Whether a file with these first bytes can be cleaned.
pub(in super::super) fn begins_file(head: &[u8]) -> bool {
    let is_riff = head.starts_with(b"RIFF") || head.starts_with(b"RF64");
    is_riff && matches!(head.get(8..12), Some(b"WAVE" | b"AVI "))
}

pub(in super::super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let len = input.len();
    let mut riff = Riff {
        input,
        edits: Vec::new(),
        found: Found::default(),
        chunks: 0,
        rate: 0,
        long_data: None,
        is_open: false,
    };
    let mut at = 0;
    let mut is_sound = false;
    while at + 12 <= len {
        riff.input.go(at)?;
        let name: [u8; 4] = riff.input.array()?;
        let size: [u8; 4] = riff.input.array()?;
        let form: [u8; 4] = riff.input.array()?;
        if !matches!(&name, b"RIFF" | b"RF64") || at > 0 && form != *b"AVIX" {
            break;
        }
        is_sound |= form == *b"WAVE";
        let size = u32::from_le_bytes(size);
        riff.is_open = matches!(size, 0 | u32::MAX);
        let end = match riff.is_open {
            true => len,
            false => (at + HEADER).saturating_add(size.into()).min(len),
        };
        riff.chunks_in(at + 12, end, 0)?;
        at = end + end % 2;
    }
    if riff.rate == 0 && is_sound {
        return Err(damaged("no sound"));
    }
    riff.edit(Edit::zeros(at.min(len), len))?;
    let (edits, mut found) = (riff.edits, riff.found);
    found.media_type = Some(if is_sound {
        "audio/wav"
    } else {
        "video/x-msvideo"
    });
    let mut plan = Plan::in_place(edits, len)?;
    plan.found = found;
    Ok(plan)
}

impl<R: BufRead + Seek> Riff<'_, R> {
    fn edit(&mut self, edit: Edit) -> io::Result<()> {
        self.chunks += 1;
        if self.chunks > CHUNKS_MAX {
            return Err(damaged("too many chunks"));
        }
        self.edits.push(edit);
        Ok(())
    }

    fn chunks_in(&mut self, from: u64, end: u64, depth: u32) -> io::Result<()> {
        let mut at = from;
        while at + HEADER <= end {
            self.input.go(at)?;
            let name: [u8; 4] = self.input.array()?;
            let size = u32::from_le_bytes(self.input.array()?);
            let body = at + HEADER;
            let size = match (&name, size) {
                (b"data", u32::MAX) => self.long_data.unwrap_or(u64::MAX),
                (b"data", 0) if self.is_open => u64::MAX,
                _ => size.into(),
            };
            let till = body.saturating_add(size).min(end);
            self.chunk(name, at, body, till, depth)?;
            at = till.saturating_add((till - body) % 2);
        }
        // Too few bytes for another chunk.
        self.edit(Edit::zeros(at.min(end), end))
    }

    fn chunk(
        &mut self,
        name: [u8; 4],
        from: u64,
        body: u64,
        end: u64,
        depth: u32,
    ) -> io::Result<()> {
        let size = end - body;
        match &name {
            b"LIST" if size >= 4 => {
                let kind: [u8; 4] = self.input.array()?;
                match &kind {
                    b"movi" => return Ok(()),
                    b"hdrl" | b"strl" | b"odml" if depth < DEPTH_MAX => {
                        return self.chunks_in(body + 4, end, depth + 1);
                    }
                    _ => {}
                }
            }
            b"fmt " if (16..=64).contains(&size) => {
                let format = self.input.bytes(size)?;
                self.rate = u32::from_le_bytes([format[8], format[9], format[10], format[11]]);
                return Ok(());
            }
            b"data" => {
                self.found.duration = milliseconds(size, self.rate.into());
                return Ok(());
            }
            b"strh" => {
                let kind: [u8; 4] = self.input.array()?;
                // Streams other than video and audio may hold a location, for example as subtitles.
                self.found.keeps_metadata |= !matches!(&kind, b"vids" | b"auds");
                return Ok(());
            }
            b"avih" if size >= 40 => return self.film(),
            b"ds64" if size >= 16 => {
                let sizes: [u8; 16] = self.input.array()?;
                let [.., a, b, c, d, e, f, g, h] = sizes;
                self.long_data = Some(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
                return Ok(());
            }
            b"fact" | b"avih" | b"strf" | b"vprp" | b"dmlh" | b"idx1" | b"indx" => {
                return Ok(());
            }
            _ => {}
        }
        if name != *b"JUNK" {
            self.edit(Edit::bytes(from, b"JUNK".to_vec()))?;
        }
        self.edit(Edit::zeros(body, end))
    }

    fn film(&mut self) -> io::Result<()> {
        let header: [u8; 40] = self.input.array()?;
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (microseconds, frames) = (number(0), number(16));
        self.found.duration = milliseconds(
            u64::from(microseconds).saturating_mul(frames.into()),
            1_000_000,
        );
        let dimensions = (number(32), number(36));
        self.found.dimensions = (dimensions.0 > 0 && dimensions.1 > 0).then_some(dimensions);
        Ok(())
    }
}
