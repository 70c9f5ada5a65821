//! Sample tables of a track (ISO/IEC 14496-12, 8.7): finds the samples in the file and zeroes them.

use std::io::{self, BufRead, Seek};

use super::boxes::{Boxes, Fields, Part};
use super::damaged;
use super::plan::Edit;

/// Zeroes all samples of a track. `media` are the boxes in its `mdia` box.
pub(super) fn empty<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, media: &[Part]) -> io::Result<()> {
    for information in media.iter().filter(|part| part.name == *b"minf") {
        let parts = boxes.all(information.body, information.end)?;
        for table in parts.iter().filter(|part| part.name == *b"stbl") {
            let tables = boxes.all(table.body, table.end)?;
            empty_chunks(boxes, &tables)?;
        }
    }
    Ok(())
}

fn empty_chunks<R: BufRead + Seek>(boxes: &mut Boxes<'_, R>, tables: &[Part]) -> io::Result<()> {
    let mut find = |name: &[u8; 4]| match tables.iter().find(|part| part.name == *name) {
        Some(part) => boxes.content(*part).map(Some),
        None => Ok(None),
    };
    let (long, short) = (find(b"co64")?, find(b"stco")?);
    let width = if long.is_some() { 8 } else { 4 };
    let Some(offsets) = long.or(short) else {
        return Ok(());
    };
    let (Some(groups), Some(sizes)) = (find(b"stsc")?, find(b"stsz")?) else {
        return Err(damaged("samples without a size"));
    };
    let mut sizes = Sizes::new(&sizes)?;
    let mut groups = Groups::new(&groups)?;
    let mut offsets = Fields(&offsets);
    offsets.number(4)?;
    for chunk in 1..=offsets.number(4)? {
        let from = offsets.number(width)?;
        let bytes = sizes.of_next(groups.samples_of(chunk)?)?;
        boxes.edit(Edit::zeros(from, from.saturating_add(bytes)))?;
    }
    Ok(())
}

/// The `stsz` table: size of each sample in bytes.
struct Sizes<'a> {
    all: u64,
    left: u64,
    fields: Fields<'a>,
}

impl<'a> Sizes<'a> {
    fn new(content: &'a [u8]) -> io::Result<Self> {
        let mut fields = Fields(content);
        fields.number(4)?;
        let (all, left) = (fields.number(4)?, fields.number(4)?);
        Ok(Self { all, left, fields })
    }

    /// Returns the total size of the next `count` samples, in bytes.
    fn of_next(&mut self, count: u64) -> io::Result<u64> {
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| damaged("a sample too many"))?;
        if self.all > 0 {
            return Ok(self.all * count);
        }
        let mut sum: u64 = 0;
        for _ in 0..count {
            sum = sum.saturating_add(self.fields.number(4)?);
        }
        Ok(sum)
    }
}

/// The `stsc` table: samples per chunk, run-length encoded by first chunk.
struct Groups<'a> {
    fields: Fields<'a>,
    samples: u64,
    next: Option<(u64, u64)>,
}

impl<'a> Groups<'a> {
    fn new(content: &'a [u8]) -> io::Result<Self> {
        let mut fields = Fields(content);
        fields.number(4)?;
        fields.number(4)?;
        let mut groups = Self {
            fields,
            samples: 0,
            next: None,
        };
        groups.next = groups.read();
        Ok(groups)
    }

    fn read(&mut self) -> Option<(u64, u64)> {
        let first = self.fields.number(4).ok()?;
        let samples = self.fields.number(4).ok()?;
        self.fields.number(4).ok()?;
        Some((first, samples))
    }

    fn samples_of(&mut self, chunk: u64) -> io::Result<u64> {
        while let Some((first, samples)) = self.next
            && first <= chunk
        {
            self.samples = samples;
            self.next = self.read();
        }
        Ok(self.samples)
    }
}
