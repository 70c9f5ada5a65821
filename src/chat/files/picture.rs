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
    let (format, turn, decoder) = open(data)?;
    // Before decoding: it also refuses what would take forever to decode.
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
    let image = DynamicImage::from_decoder(decoder).ok()?;
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
    let (format, turn, decoder) = open(data)?;
    if format == ImageFormat::Jpeg {
        strip::jpeg(data, 1)?;
    }
    let image = DynamicImage::from_decoder(decoder).ok()?;
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

/// A picture within the limits, before it is decoded, and how it is to be turned. Of animations only the first frame.
fn open(data: &Bytes) -> Option<(ImageFormat, Orientation, impl ImageDecoder + '_)> {
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
    Some((format, turn, decoder))
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

#[cfg(test)]
mod tests {
    use image::codecs::webp::WebPEncoder;
    use image::{ImageEncoder, Rgb, RgbImage};

    use super::*;

    /// What must not be found in a picture any more.
    const SECRET: &[u8] = b"50.1109 N 8.6821 E";

    /// 30 × 20 pixels, another colour in each corner.
    fn image() -> RgbImage {
        RgbImage::from_fn(30, 20, |x, y| Rgb([(x * 8) as u8, (y * 12) as u8, 90]))
    }

    fn has(data: &[u8], needle: &[u8]) -> bool {
        data.windows(needle.len()).any(|part| part == needle)
    }

    /// Notes of a camera: which way is up, and where it was.
    fn notes(orientation: u8) -> Vec<u8> {
        let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4], SECRET].concat()
    }

    fn jpeg(orientation: u8) -> Bytes {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_exif_metadata(notes(orientation)).unwrap();
        encoder.encode_image(&image()).unwrap();
        // A comment, and what follows the end.
        let comment = [b"\xff\xfe\0\x14", SECRET].concat();
        bytes.splice(2..2, comment);
        bytes.extend(SECRET);
        bytes.into()
    }

    fn webp(orientation: u8) -> Bytes {
        let mut bytes = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.set_exif_metadata(notes(orientation)).unwrap();
        let image = image();
        encoder
            .write_image(&image, 30, 20, image::ExtendedColorType::Rgb8)
            .unwrap();
        bytes.extend(SECRET);
        bytes.into()
    }

    fn png() -> Bytes {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(notes(1)).unwrap();
        let image = image();
        encoder
            .write_image(&image, 30, 20, image::ExtendedColorType::Rgb8)
            .unwrap();
        bytes.extend(SECRET);
        bytes.into()
    }

    fn gif() -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(image())
            .write_to(&mut bytes, ImageFormat::Gif)
            .unwrap();
        let mut bytes = bytes.into_inner();
        let end = bytes.len() - 1;
        let comment = [b"\x21\xfe\x12".as_slice(), SECRET, b"\0"].concat();
        let xmp = [b"\x21\xff\x0bXMP DataXMP\x12".as_slice(), SECRET, b"\0"].concat();
        let repeat = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0";
        bytes.splice(end..end, [comment, xmp, repeat.to_vec()].concat());
        bytes.extend(SECRET);
        bytes.into()
    }

    #[test]
    fn notes_go_and_the_picture_stays() {
        for (name, data) in [
            ("jpeg", jpeg(1)),
            ("webp", webp(1)),
            ("png", png()),
            ("gif", gif()),
        ] {
            assert!(has(&data, SECRET), "{name}");
            let picture = read(&data).unwrap_or_else(|| panic!("{name}"));
            assert!(!has(&picture.bytes, SECRET), "{name}");
            assert_eq!(picture.dimensions, (30, 20), "{name}");
            let before = image::load_from_memory(&data).unwrap();
            let after = image::load_from_memory(&picture.bytes).unwrap();
            assert_eq!(before, after, "{name}");
            let again = read(&picture.bytes).unwrap();
            assert_eq!(again.bytes, picture.bytes, "{name}");
        }
        assert!(has(&read(&gif()).unwrap().bytes, b"NETSCAPE2.0"));
    }

    #[test]
    fn a_picture_that_lies_on_its_side_is_still_turned() {
        for (name, data) in [("jpeg", jpeg(6)), ("webp", webp(6))] {
            let picture = read(&data).unwrap();
            assert!(!has(&picture.bytes, SECRET), "{name}");
            assert_eq!(picture.dimensions, (20, 30), "{name}");
            let (_, turn, _) = open(&picture.bytes).unwrap();
            assert_eq!(turn, Orientation::Rotate90, "{name}");
        }
    }

    #[test]
    fn a_portrait_is_square_upright_and_without_notes() {
        let face = portrait(&jpeg(6)).unwrap();
        assert_eq!(face.dimensions, (20, 20));
        assert!(!has(&face.bytes, SECRET));
        assert!(portrait(&Bytes::from_static(b"GIF89a, but no picture")).is_none());
    }

    #[test]
    fn what_shines_through_stays_so_in_the_thumbnail() {
        let half = image::RgbaImage::from_pixel(800, 3, image::Rgba([1, 2, 3, 100]));
        let mut bytes = Cursor::new(Vec::new());
        half.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let small = read(&bytes.into_inner().into()).unwrap().thumbnail.unwrap();
        assert_eq!(
            (small.media_type, small.dimensions),
            ("image/png", (400, 2))
        );
        let small = image::load_from_memory(&small.bytes).unwrap().to_rgba8();
        assert_eq!(small.get_pixel(0, 0).0[3], 100);
    }

    #[test]
    fn a_picture_of_too_many_pixels_is_not_decoded() {
        let mut data = png().to_vec();
        // Width and height, whose checksum then is wrong: it must not even come to that.
        data[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        assert!(read(&data.into()).is_none());
        let mut data = gif().to_vec();
        data[6..10].copy_from_slice(&[0xff; 4]);
        assert!(read(&data.into()).is_none());
    }

    #[test]
    fn a_jpeg_of_endless_passes_is_not_decoded() {
        let whole = jpeg(1);
        let scan = whole
            .windows(2)
            .position(|pair| pair == b"\xff\xda")
            .unwrap();
        let end = whole
            .windows(2)
            .rposition(|pair| pair == b"\xff\xd9")
            .unwrap();
        let many = whole[scan..end].repeat(1000);
        let data = [&whole[..scan], &many, &whole[end..]].concat();
        assert!(read(&data.into()).is_none());
    }

    #[test]
    fn damage_is_refused_or_shown_and_never_a_panic() {
        for whole in [jpeg(6), webp(6), png(), gif()] {
            for end in 0..whole.len() {
                read(&whole.slice(..end));
            }
            // Every byte in turn becomes another; the numbers are arbitrary but always the same.
            let mut seed = 1_u32;
            for at in 0..whole.len() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut data = whole.to_vec();
                data[at] ^= (seed >> 24) as u8 | 1;
                read(&data.into());
            }
        }
    }
}
