//! Removes metadata (location, camera, people, dates) from files of known containers, without decoding them.
//!
//! The module of a format reads a container's structure once, from front to back where it can, and returns a [`Plan`]:
//! which bytes are kept, which are replaced and which are zeroed. Time is linear in the file size and memory is
//! bounded, whatever the input. A file that cannot be parsed is an error of kind `InvalidData` or `UnexpectedEof`.

mod audio;
mod boxes;
mod gif;
mod heif;
mod icc;
mod input;
mod jpeg;
mod matroska;
mod movie;
mod plan;
mod png;
mod samples;
mod tiff;
mod webp;

#[cfg(test)]
mod containers;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use {containers::*, tests::cleaned};

use std::io::{self, BufRead, Seek};

use audio::{flac, mpeg, ogg, riff};
use input::Input;
pub(super) use plan::{Found, Piece, Plan};

/// Number of first bytes of a file that [`Kind::of`] inspects.
pub(super) const HEAD: usize = 16 * 1024;

/// A container whose metadata can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    Gif,
    WebP,
    /// TIFF, and the camera raw formats built on it.
    Tiff,
    /// Files made of boxes: MP4, QuickTime, HEIC, AVIF, JPEG 2000, JPEG XL.
    Boxes,
    /// MP3, and AAC in a stream of frames.
    Mpeg,
    Flac,
    Ogg,
    /// WAV and AVI.
    Riff,
    /// Matroska and WebM.
    Matroska,
    /// Known, but its metadata cannot be removed.
    Pdf,
}

impl Kind {
    /// Detects the container from the first bytes of a file.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, rest @ ..] if rest.starts_with(b"WEBP") => {
                Some(Self::WebP)
            }
            [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => Some(Self::Tiff),
            // A text may contain such a name at this position, but does not begin with a control character.
            [0..0x20, _, _, _, kind @ ..] if boxes::begins_file(kind) => Some(Self::Boxes),
            [b'f', b'L', b'a', b'C', ..] => Some(Self::Flac),
            [b'O', b'g', b'g', b'S', 0, ..] => Some(Self::Ogg),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Self::Matroska),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ if riff::begins_file(head) => Some(Self::Riff),
            _ if mpeg::begins_file(head) => Some(Self::Mpeg),
            _ => None,
        }
    }
}

/// Makes the plan for cleaning a file of that kind.
///
/// # Errors
/// `InvalidData` or `UnexpectedEof` if the file is damaged, otherwise the error of the source.
pub(super) fn plan<R: BufRead + Seek>(kind: Kind, source: R) -> io::Result<Plan> {
    let mut input = Input::new(source)?;
    match kind {
        Kind::Jpeg => jpeg::clean(&mut input),
        Kind::Png => png::clean(&mut input),
        Kind::Gif => gif::clean(&mut input),
        Kind::WebP => webp::clean(&mut input),
        Kind::Tiff => tiff::clean(&mut input),
        Kind::Boxes => boxes::clean(&mut input),
        Kind::Mpeg => mpeg::clean(&mut input),
        Kind::Flac => flac::clean(&mut input),
        Kind::Ogg => ogg::clean(&mut input),
        Kind::Riff => riff::clean(&mut input),
        Kind::Matroska => matroska::clean(&mut input),
        Kind::Pdf => Ok(pdf(input.len())),
    }
}

fn pdf(len: u64) -> Plan {
    let mut plan = Plan::whole(len);
    plan.found.media_type = Some("application/pdf");
    plan.found.keeps_metadata = true;
    plan
}

/// Whether an error means that the file is damaged, as opposed to a failure to read its bytes.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
