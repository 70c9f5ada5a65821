//! Pictures: whether bytes are one that can be shown, how large it is, and its smaller copies. Slow; for blocking threads
//! only. Must not know the store.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::strip;

/// The most pixels that are decoded: a decoded picture must fit in a small machine's memory.
const PIXELS_MAX: u64 = 50_000_000;
/// The most memory a decoder may take, bytes.
const MEMORY_MAX: u64 = 256 * 1024 * 1024;
/// A thumbnail is at most so wide and high.
const THUMBNAIL: u32 = 400;
/// A picture of up to so many bytes that is no larger than a thumbnail is its own.
const SMALL: usize = 64 * 1024;
/// A portrait is at most so wide and high.
const PORTRAIT: u32 = 512;

/// A picture as it is kept.
pub(super) struct Picture {
    /// What its bytes say it is.
    pub media_type: &'static str,
    /// The picture without what it tells of its making.
    pub bytes: Bytes,
    /// Width and height as shown.
    pub dimensions: (u32, u32),
    /// Its small copy, where it pays.
    pub thumbnail: Option<Rendered>,
}

/// A picture of our own making.
pub(super) struct Rendered {
    /// What it is.
    pub media_type: &'static str,
    /// How its name ends.
    pub ending: &'static str,
    /// The encoded picture.
    pub bytes: Bytes,
    /// Width and height.
    pub dimensions: (u32, u32),
}

/// The picture format these first bytes announce, if it is one we show.
pub(super) fn format_of(head: &[u8]) -> Option<ImageFormat> {
    match head {
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageFormat::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// The picture these bytes are; `None` if they cannot be decoded within the limits.
pub(super) fn read(data: &Bytes) -> Option<Picture> {
    let (format, turn, image) = decode(data)?;
    let bytes = match format {
        ImageFormat::Jpeg => strip::jpeg(data, turn.to_exif()),
        ImageFormat::WebP => strip::webp(data, turn.to_exif()),
        ImageFormat::Png => strip::png(data),
        ImageFormat::Gif => strip::gif(data),
        _ => None,
    }?;
    let bytes = if bytes == *data {
        data.clone()
    } else {
        bytes.into()
    };
    let (width, height) = (image.width(), image.height());
    let sideways = matches!(
        turn,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let is_small = width.max(height) <= THUMBNAIL && bytes.len() <= SMALL;
    let thumbnail = if is_small {
        None
    } else {
        let side = THUMBNAIL.min(width.max(height));
        let mut small = image.thumbnail(side, side);
        drop(image);
        small.apply_orientation(turn);
        Some(render(&small)?)
    };
    Some(Picture {
        media_type: format.to_mime_type(),
        bytes,
        dimensions: if sideways {
            (height, width)
        } else {
            (width, height)
        },
        thumbnail,
    })
}

/// A square picture for beside a name, cut from the middle; `None` if these bytes are no picture.
pub(super) fn portrait(data: &Bytes) -> Option<Rendered> {
    let (_, turn, image) = decode(data)?;
    let side = image.width().min(image.height());
    let (x, y) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let mut cut = image.crop_imm(x, y, side, side);
    drop(image);
    if side > PORTRAIT {
        cut = cut.thumbnail_exact(PORTRAIT, PORTRAIT);
    }
    cut.apply_orientation(turn);
    render(&cut)
}

/// The first frame, as it stands in the file, and how it is to be turned.
fn decode(data: &Bytes) -> Option<(ImageFormat, Orientation, DynamicImage)> {
    let format = format_of(data)?;
    let mut reader = ImageReader::with_format(Cursor::new(data), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PIXELS_MAX || decoder.total_bytes() > MEMORY_MAX {
        return None;
    }
    // Of the formats whose notes are dropped as a whole, the turn goes with them.
    let turn = match format {
        ImageFormat::Jpeg | ImageFormat::WebP => decoder.orientation().ok()?,
        _ => Orientation::NoTransforms,
    };
    Some((format, turn, DynamicImage::from_decoder(decoder).ok()?))
}

/// As JPEG, or PNG where something shines through.
fn render(image: &DynamicImage) -> Option<Rendered> {
    let dimensions = (image.width(), image.height());
    let shines =
        image.color().has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    let mut bytes = Vec::new();
    let (media_type, ending) = if shines {
        image
            .to_rgba8()
            .write_with_encoder(PngEncoder::new(&mut bytes))
            .ok()?;
        ("image/png", "png")
    } else {
        image
            .to_rgb8()
            .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 82))
            .ok()?;
        ("image/jpeg", "jpg")
    };
    Some(Rendered {
        media_type,
        ending,
        bytes: bytes.into(),
        dimensions,
    })
}
