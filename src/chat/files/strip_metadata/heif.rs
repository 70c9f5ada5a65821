//! The `meta` box of HEIC and AVIF images (ISO/IEC 23008-12): zeroes Exif and XMP items in place.

use std::collections::HashSet;
use std::io::{self, BufRead, Seek};

use super::boxes::{Boxes, Fields, Part};
use super::plan::Edit;
use super::{damaged, icc, tiff};

/// Maximum number of extents. A large image consists of some hundreds of tiles.
const EXTENTS_MAX: u32 = 100_000;

/// Cleans the `meta` box of an image and frees any other `meta` box. Returns whether it was that of an image.
pub(super) fn clean<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, meta: Part) -> io::Result<bool> {
    // Skips version and flags.
    let parts = boxes.all(meta.body + 4, meta.end)?;
    let find = |name: &[u8; 4]| parts.iter().find(|part| part.name == *name).copied();
    let handler = match find(b"hdlr") {
        Some(handler) => boxes.content(handler)?.get(8..12).map(<[u8]>::to_vec),
        None => None,
    };
    if handler.as_deref() != Some(b"pict") {
        boxes.free(meta)?;
        return Ok(false);
    }
    let idat = find(b"idat");
    let notes = match find(b"iinf") {
        Some(list) => items(boxes, list)?,
        None => HashSet::new(),
    };
    match find(b"iloc") {
        Some(places) => empty(boxes, places, idat, &notes)?,
        None if notes.is_empty() => {}
        None => return Err(damaged("items without a place")),
    }
    for part in parts {
        match &part.name {
            b"hdlr" => boxes.edit(Edit::zeros(part.body.saturating_add(24), part.end))?,
            b"iprp" => properties(boxes, part)?,
            b"pitm" | b"iinf" | b"iloc" | b"iref" | b"idat" | b"dinf" | b"ipro" | b"grpl" => {}
            _ => boxes.free(part)?,
        }
    }
    Ok(true)
}

/// Frees descriptions and texts among the image properties, without moving other properties. Finds the dimensions of
/// the largest image.
fn properties<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, list: Part) -> io::Result<()> {
    let (mut largest, mut lies) = ((0, 0), false);
    for container in boxes.all(list.body, list.end)? {
        if container.name != *b"ipco" {
            continue;
        }
        for part in boxes.all(container.body, container.end)? {
            match &part.name {
                b"ispe" => {
                    let content = boxes.content(part)?;
                    let mut fields = Fields(content.get(4..).unwrap_or_default());
                    let (width, height) = (fields.number(4)?, fields.number(4)?);
                    let size = (width as u32, height as u32);
                    if width * height > u64::from(largest.0) * u64::from(largest.1) {
                        largest = size;
                    }
                }
                b"irot" => {
                    lies |= boxes
                        .content(part)?
                        .first()
                        .is_some_and(|turn| turn & 1 == 1)
                }
                b"colr" => profile(boxes, part)?,
                // Descriptions, alternative texts, dates and private data.
                b"udes" | b"altt" | b"crtt" | b"mdft" | b"uuid" | b"free" | b"skip" => {
                    boxes.free(part)?;
                }
                _ => {}
            }
        }
    }
    if lies {
        largest = (largest.1, largest.0);
    }
    boxes.found.dimensions = (largest.0 > 0 && largest.1 > 0).then_some(largest);
    Ok(())
}

/// Removes the texts of a colour profile. A profile that cannot be parsed is zeroed.
fn profile<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, colours: Part) -> io::Result<()> {
    let content = boxes.content(colours)?;
    let (Some(b"prof" | b"rICC"), Some(profile)) = (content.get(..4), content.get(4..)) else {
        return Ok(());
    };
    let from = colours.body + 4;
    boxes.edit(match icc::cleaned(profile) {
        Some(cleaned) => Edit::bytes(from, cleaned),
        None => Edit::zeros(from, colours.end),
    })
}

/// Returns the ids of the metadata items, each with whether it is Exif.
fn items<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    list: Part,
) -> io::Result<HashSet<(u32, bool)>> {
    let head = boxes.content(list)?;
    let is_old = head.first().is_some_and(|version| *version == 0);
    let first = list.body + if is_old { 6 } else { 8 };
    let mut notes = HashSet::new();
    for entry in boxes.all(first, list.end)? {
        let content = boxes.content(entry)?;
        let mut fields = Fields(&content);
        let version = fields.number(1)?;
        fields.number(3)?;
        let id = fields.number(if version == 3 { 4 } else { 2 })?;
        fields.number(2)?;
        let id = u32::try_from(id).map_err(|_| damaged("an item"))?;
        if version < 2 {
            // Item name and content type. An item with a content type is a document, not an image.
            let has_type = fields
                .0
                .split(|byte| *byte == 0)
                .nth(1)
                .is_some_and(|kind| !kind.is_empty());
            if has_type {
                notes.insert((id, false));
            }
            continue;
        }
        // The item's name and, for metadata, its content type.
        let texts = entry.end - fields.0.len() as u64 + 4;
        boxes.edit(Edit::zeros(texts.min(entry.end), entry.end))?;
        match &fields.0.get(..4) {
            Some(b"Exif") => notes.insert((id, true)),
            Some(b"mime" | b"uri ") => notes.insert((id, false)),
            _ => false,
        };
    }
    Ok(notes)
}

/// Zeroes the extents of the items in `notes`.
fn empty<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    places: Part,
    idat: Option<Part>,
    notes: &HashSet<(u32, bool)>,
) -> io::Result<()> {
    let content = boxes.content(places)?;
    let mut fields = Fields(&content);
    let version = fields.number(1)?;
    fields.number(3)?;
    let widths = fields.number(2)?;
    let width = |shift: u32| ((widths >> shift) & 15) as usize;
    let (offset_width, length_width, base_width) = (width(12), width(8), width(4));
    let index_width = if version == 0 { 0 } else { width(0) };
    if [offset_width, length_width, base_width, index_width]
        .iter()
        .any(|width| *width > 8)
    {
        return Err(damaged("a number"));
    }
    let id_width = if version < 2 { 2 } else { 4 };
    let mut extents = 0;
    for _ in 0..fields.number(id_width)? {
        let id = fields.number(id_width)?;
        let method = if version == 0 {
            0
        } else {
            fields.number(2)? & 15
        };
        let elsewhere = fields.number(2)? != 0;
        let base = fields.number(base_width)?;
        let is = |exif| notes.contains(&(id as u32, exif));
        let (is_exif, is_note) = (is(true), is(true) || is(false));
        for extent in 0..fields.number(2)? {
            extents += 1;
            if extents > EXTENTS_MAX {
                return Err(damaged("too many parts"));
            }
            fields.number(index_width)?;
            let offset = base.saturating_add(fields.number(offset_width)?);
            let length = fields.number(length_width)?;
            if !is_note || elsewhere {
                continue;
            }
            let (from, end) = match (method, idat) {
                (0, _) => (offset, u64::MAX),
                (1, Some(idat)) => (idat.body.saturating_add(offset), idat.end),
                _ => return Err(damaged("an item that is made of others")),
            };
            // Length 0 means up to the end of the source.
            let to = if length == 0 {
                end
            } else {
                from.saturating_add(length).min(end)
            };
            if method == 0 && length == 0 {
                return Err(damaged("an item without an end"));
            }
            empty_extent(boxes, from, to, is_exif && extent == 0)?;
        }
    }
    Ok(())
}

/// Zeroes an extent. If an Exif item begins there, writes an empty Exif block instead.
fn empty_extent<R: BufRead + Seek>(
    boxes: &mut Boxes<'_, R>,
    from: u64,
    to: u64,
    begins_exif: bool,
) -> io::Result<()> {
    let stub = [&[0; 4], tiff::NOTHING].concat();
    if !begins_exif || to.saturating_sub(from) < stub.len() as u64 {
        return boxes.edit(Edit::zeros(from, to));
    }
    let behind = from + stub.len() as u64;
    boxes.edit(Edit::bytes(from, stub))?;
    boxes.edit(Edit::zeros(behind, to))
}
