//! Matroska and WebM (RFC 9559): tags, attachments, chapters, titles and dates become `Void` elements of the same
//! length.

use std::io::{self, BufRead, Seek};

use super::audio::vorbis::{empty_comments, flac_block};
use super::input::Input;
use super::plan::{Edit, Found, Plan};
use super::{damaged, is_damage};

/// Maximum number of elements. A long recording has fewer outside of clusters or in clusters of unknown size.
const ELEMENTS_MAX: u32 = 5_000_000;
/// Maximum number of edits. Real files need fewer.
const EDITS_MAX: usize = 50_000;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const SEEK_HEAD: u32 = 0x114d_9b74;
const CUES: u32 = 0x1c53_bb6b;
const TAGS: u32 = 0x1254_c367;
const ATTACHMENTS: u32 = 0x1941_a469;
const CHAPTERS: u32 = 0x1043_a770;
const TRACK: u32 = 0xae;
const VOID: u32 = 0xec;

/// Elements of a track entry that playback needs. Track names are not among them.
const TRACK_PARTS: [u32; 27] = [
    0xd7, 0x73c5, 0x83, 0xb9, 0x88, 0x55aa, 0x55ab, 0x55ac, 0x55ad, 0x55ae, 0x55af, 0x9c, 0x6de7,
    0x6df8, 0x23_e383, 0x23_4e7a, 0x23_314f, 0x55ee, 0x22_b59c, 0x22_b59d, 0x86, 0x63a2, 0x56aa,
    0x56bb, 0xe0, 0xe1, 0x6d80,
];

#[derive(Clone, Copy)]
struct Element {
    id: u32,
    from: u64,
    body: u64,
    end: u64,
    /// Whether the size is unknown: the element ends before the first element that cannot be its child.
    is_open: bool,
}

struct Matroska<'a, R> {
    input: &'a mut Input<R>,
    edits: Vec<Edit>,
    found: Found,
    count: u32,
    is_webm: bool,
    has_video: bool,
    /// Nanoseconds per timestamp unit.
    scale: u64,
    duration: f64,
}

pub(super) fn clean<R: BufRead + Seek>(input: &mut Input<R>) -> io::Result<Plan> {
    let len = input.len();
    let mut file = Matroska {
        input,
        edits: Vec::new(),
        found: Found::default(),
        count: 0,
        is_webm: false,
        has_video: false,
        scale: 1_000_000,
        duration: 0.0,
    };
    let mut at = 0;
    let mut has_segment = false;
    loop {
        let element = match file.next(at, len) {
            Ok(Some(element)) => element,
            Ok(None) => break,
            // Damaged data after the segment is no part of the film.
            Err(error) if has_segment && is_damage(&error) => break,
            Err(error) => return Err(error),
        };
        match element.id {
            EBML => file.head(element)?,
            SEGMENT => {
                has_segment = true;
                file.segment(element)?;
            }
            _ => file.void(element)?,
        }
        at = element.end;
    }
    if !has_segment {
        return Err(damaged("no film"));
    }
    file.edit(Edit::zeros(at, len))?;
    let kind = match (file.is_webm, file.has_video) {
        (true, true) => "video/webm",
        (true, false) => "audio/webm",
        (false, true) => "video/x-matroska",
        (false, false) => "audio/x-matroska",
    };
    let milliseconds = file.duration * file.scale as f64 / 1e6;
    let (edits, mut found) = (file.edits, file.found);
    found.media_type = Some(kind);
    found.duration = (milliseconds >= 1.0).then_some(milliseconds as u64);
    let mut plan = Plan::in_place(edits, len)?;
    plan.found = found;
    Ok(plan)
}

impl<R: BufRead + Seek> Matroska<'_, R> {
    /// Reads the element header at `at` inside a parent that ends at `end`. Returns `None` at the end.
    fn next(&mut self, at: u64, end: u64) -> io::Result<Option<Element>> {
        self.count += 1;
        if self.count > ELEMENTS_MAX {
            return Err(damaged("too many elements"));
        }
        if end.saturating_sub(at) < 2 {
            return Ok(None);
        }
        self.input.go(at)?;
        let (id, _) = self.number(4, true)?;
        let (size, is_open) = self.number(8, false)?;
        let id = u32::try_from(id).map_err(|_| damaged("an element"))?;
        let body = self.input.at();
        let till = if is_open {
            end
        } else {
            body.saturating_add(size)
        };
        // The recording was interrupted.
        let breaks_off = matches!(id, SEGMENT | CLUSTER) && till > end;
        let till = if breaks_off { end } else { till };
        if body > end || till > end || is_open && !matches!(id, SEGMENT | CLUSTER) {
            return Err(damaged("an element does not fit"));
        }
        Ok(Some(Element {
            id,
            from: at,
            body,
            end: till,
            is_open,
        }))
    }

    /// Reads a variable-size integer, with the length marker if `marked`. Also returns whether all value bits are 1,
    /// which means an unknown size.
    fn number(&mut self, width_max: u32, marked: bool) -> io::Result<(u64, bool)> {
        let first = self.input.byte()?;
        let width = first.leading_zeros() + 1;
        if width > width_max {
            return Err(damaged("a number"));
        }
        let mask = 0xff_u32 >> width;
        let mut number = u64::from(if marked {
            first.into()
        } else {
            u32::from(first) & mask
        });
        for _ in 1..width {
            number = number << 8 | u64::from(self.input.byte()?);
        }
        Ok((number, number == (1 << (7 * width)) - 1))
    }

    fn all(&mut self, parent: Element) -> io::Result<Vec<Element>> {
        let mut elements = Vec::new();
        let mut at = parent.body;
        while let Some(element) = self.next(at, parent.end)? {
            if elements.len() > EDITS_MAX {
                return Err(damaged("too many elements"));
            }
            at = element.end;
            elements.push(element);
        }
        self.edit(Edit::zeros(at, parent.end))?;
        Ok(elements)
    }

    fn edit(&mut self, edit: Edit) -> io::Result<()> {
        if self.edits.len() >= EDITS_MAX {
            return Err(damaged("too many parts"));
        }
        if edit.from < edit.to {
            self.edits.push(edit);
        }
        Ok(())
    }

    /// Turns an element into a `Void` element.
    fn void(&mut self, element: Element) -> io::Result<()> {
        let length = element.end - element.from;
        let mut header = vec![VOID as u8];
        match length - 2 {
            short @ 0..127 => header.push(0x80 | short as u8),
            // One byte of id and eight bytes of size.
            _ => header.extend((1 << 56 | (length - 9)).to_be_bytes()),
        }
        let body = element.from + header.len() as u64;
        self.edit(Edit::bytes(element.from, header))?;
        self.edit(Edit::zeros(body, element.end))
    }

    fn content(&mut self, element: Element) -> io::Result<Vec<u8>> {
        self.input.go(element.body)?;
        self.input.bytes(element.end - element.body)
    }

    fn unsigned(&mut self, element: Element) -> io::Result<u64> {
        let bytes = self.content(element)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Ok(bytes.iter().take(8).fold(0, add))
    }

    fn head(&mut self, head: Element) -> io::Result<()> {
        for element in self.all(head)? {
            match element.id {
                0x4282 => self.is_webm = self.content(element)?.starts_with(b"webm"),
                // Versions and limits.
                0x4286 | 0x42f7 | 0x42f2 | 0x42f3 | 0x4287 | 0x4285 => {}
                _ => self.void(element)?,
            }
        }
        Ok(())
    }

    fn segment(&mut self, segment: Element) -> io::Result<()> {
        let mut at = segment.body;
        while let Some(element) = self.next(at, segment.end)? {
            at = element.end;
            match element.id {
                INFO => self.info(element)?,
                TRACKS => self.tracks(element)?,
                CLUSTER if element.is_open => at = self.open_cluster(element)?,
                CLUSTER | SEEK_HEAD | CUES => {}
                // Tags, attachments, chapters, checksums, and unknown elements.
                _ => self.void(element)?,
            }
        }
        self.edit(Edit::zeros(at, segment.end))
    }

    /// Cleans a cluster of unknown size. Returns the offset of its end.
    fn open_cluster(&mut self, cluster: Element) -> io::Result<u64> {
        let mut at = cluster.body;
        while let Some(element) = self.next(at, cluster.end)? {
            match element.id {
                CLUSTER | CUES | TAGS | ATTACHMENTS | CHAPTERS | INFO | TRACKS | SEEK_HEAD => break,
                // Timestamps and blocks.
                0xe7 | 0xa3 | 0xa0 | 0xab | 0xa7 | 0xbf | 0x5854 | 0xaf => {}
                _ => self.void(element)?,
            }
            at = element.end;
        }
        Ok(at)
    }

    fn info(&mut self, info: Element) -> io::Result<()> {
        for element in self.all(info)? {
            match element.id {
                0x2a_d7b1 => self.scale = self.unsigned(element)?,
                0x4489 => {
                    let bytes = self.content(element)?;
                    self.duration = match *bytes.as_slice() {
                        [a, b, c, d] => f32::from_be_bytes([a, b, c, d]).into(),
                        [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
                        _ => 0.0,
                    };
                }
                // Names of the writing programs: mandatory elements that may be empty.
                0x4d80 | 0x5741 => self.edit(Edit::zeros(element.body, element.end))?,
                _ => self.void(element)?,
            }
        }
        Ok(())
    }

    fn tracks(&mut self, tracks: Element) -> io::Result<()> {
        for element in self.all(tracks)? {
            match element.id {
                TRACK => self.track(element)?,
                _ => self.void(element)?,
            }
        }
        Ok(())
    }

    fn track(&mut self, track: Element) -> io::Result<()> {
        let parts = self.all(track)?;
        let find = |id: u32| parts.iter().find(|part| part.id == id).copied();
        let codec = match find(0x86) {
            Some(codec) => self.content(codec)?,
            None => Vec::new(),
        };
        match find(0x83) {
            Some(kind) => match self.unsigned(kind)? {
                1 => self.has_video = true,
                2 => {}
                // Subtitles and other tracks: some cameras write their location there.
                _ => self.found.keeps_metadata = true,
            },
            None => return Err(damaged("a track of no kind")),
        }
        for part in &parts {
            match part.id {
                0x63a2 => self.private(*part, &codec)?,
                0xe0 => self.dimensions(*part)?,
                id if TRACK_PARTS.contains(&id) => {}
                _ => self.void(*part)?,
            }
        }
        Ok(())
    }

    /// Removes the comments among the headers of a codec.
    fn private(&mut self, part: Element, codec: &[u8]) -> io::Result<()> {
        let mut bytes = self.content(part)?;
        let is_clean = match codec.split(|byte| *byte == 0).next() {
            Some(b"A_VORBIS" | b"V_THEORA") => empty_laced_comments(&mut bytes),
            Some(b"A_FLAC") => empty_flac_blocks(&mut bytes),
            _ => return Ok(()),
        };
        match is_clean {
            Some(()) => self.edit(Edit::bytes(part.body, bytes)),
            None => Err(damaged("headers of a codec")),
        }
    }

    fn dimensions(&mut self, video: Element) -> io::Result<()> {
        let (mut width, mut height) = (0, 0);
        for part in self.all(video)? {
            match part.id {
                0xb0 => width = self.unsigned(part)?,
                0xba => height = self.unsigned(part)?,
                _ => {}
            }
        }
        let side = |side: u64| u32::try_from(side).ok().filter(|side| *side > 0);
        if self.found.dimensions.is_none() {
            self.found.dimensions = side(width).zip(side(height));
        }
        Ok(())
    }
}

/// Empties the second of three headers, the comments. They follow a count and the lengths of the first two (Xiph
/// lacing).
fn empty_laced_comments(bytes: &mut [u8]) -> Option<()> {
    let mut lengths = [0; 2];
    let mut at = 1;
    for length in &mut lengths {
        loop {
            let part = usize::from(*bytes.get(at)?);
            at += 1;
            *length += part;
            if part < 255 {
                break;
            }
        }
    }
    let from = at + lengths[0];
    let comments = bytes.get_mut(from..from + lengths[1])?;
    empty_comments(comments).then_some(())
}

fn empty_flac_blocks(bytes: &mut [u8]) -> Option<()> {
    let mut at = 4;
    while at < bytes.len() {
        let [first, a, b, c] = *bytes.get(at..at + 4)? else {
            return None;
        };
        let end = at + 4 + usize::from(a) * 65_536 + usize::from(b) * 256 + usize::from(c);
        let content = bytes.get_mut(at + 4..end)?;
        if let Some(kind) = flac_block(first, false) {
            content.fill(0);
            bytes[at] = kind;
        }
        at = end;
    }
    Some(())
}
