//! Test files of many formats that hide a location wherever metadata can be.

use std::io::Cursor;

mod boxes;
mod sound;

pub use boxes::*;
pub use sound::*;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage};

/// Metadata that cleaning must remove.
pub const SECRET: &[u8] = b"50.1109 N 8.6821 E";
/// Media data that cleaning must keep, in files cleaned in place at the same offset.
pub const MEDIA: &[u8] = b"the very picture, or sound";

/// A file with metadata.
pub struct Container {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// Whether cleaning keeps its length and offsets.
    pub in_place: bool,
}

/// Returns one file of each kind, most with every type of metadata that the format has.
pub fn containers() -> Vec<Container> {
    let changed = [
        ("photo.jpg", jpeg(6)),
        ("photo.png", png()),
        ("photo.gif", gif()),
        ("photo.webp", webp(6)),
        ("animated.webp", animated_webp()),
    ];
    let in_place = [
        ("little.tiff", tiff(true)),
        ("big.tiff", tiff(false)),
        ("photo.heic", heif(b"heic")),
        ("photo.avif", heif(b"avif")),
        ("film.mp4", movie(b"isom", false)),
        ("film.mov", movie(b"qt  ", true)),
        ("photo.jxl", boxes_with_exif(b"JXL ", b"jxlc")),
        ("photo.jp2", boxes_with_exif(b"jP  ", b"jp2c")),
    ];
    let made = |in_place| {
        move |(name, bytes)| Container {
            name,
            bytes,
            in_place,
        }
    };
    changed
        .into_iter()
        .map(made(false))
        .chain(in_place.into_iter().map(made(true)))
        .chain(sounds())
        .collect()
}

/// Builds a colour profile: red, with a name, a copyright notice and a serial number, and locations between the tags.
pub fn profile() -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes[36..40].copy_from_slice(b"acsp");
    bytes[24..36].copy_from_slice(&SECRET[..12]);
    let parts: [(&[u8; 4], &[u8]); 4] = [
        (b"rXYZ", b"XYZ \0\0\0\0\0\0\x6f\xa2\0\0\x38\xf5\0\0\x03\x90"),
        (b"desc", &[b"desc\0\0\0\0\0\0\0\x12", SECRET].concat()),
        (
            b"cprt",
            &[b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0c", SECRET].concat(),
        ),
        (b"mmod", &[b"mmod\0\0\0\0", SECRET].concat()),
    ];
    bytes.extend((parts.len() as u32).to_be_bytes());
    let mut at = bytes.len() + parts.len() * 12;
    for (name, content) in parts {
        let place = [at as u32, content.len() as u32].map(u32::to_be_bytes);
        bytes.extend([&name[..], &place.concat()].concat());
        at += content.len() + SECRET.len();
    }
    for (_, content) in parts {
        bytes.extend([content, SECRET].concat());
    }
    bytes
}

pub fn has(data: &[u8], needle: &[u8]) -> bool {
    data.windows(needle.len()).any(|part| part == needle)
}

/// Builds an image of 30 × 20 pixels with a different colour in each corner.
pub fn image() -> RgbImage {
    RgbImage::from_fn(30, 20, |x, y| Rgb([(x * 8) as u8, (y * 12) as u8, 90]))
}

fn plain(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image())
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

/// Builds Exif data with an orientation and a location.
pub fn notes(orientation: u8) -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4], SECRET].concat()
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

pub fn jpeg(orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes).encode_image(&image()).unwrap();
    let thumbnail = [b"JFIF\0\x01\x02\0\0\x01\0\x01\x03\x02".as_slice(), SECRET].concat();
    let segments = [
        segment(0xe0, &thumbnail),
        segment(0xe0, &[b"JFXX\0\x10".as_slice(), SECRET].concat()),
        segment(
            0xe1,
            &[b"Exif\0\0".as_slice(), &notes(orientation)].concat(),
        ),
        segment(
            0xe1,
            &[b"http://ns.adobe.com/xap/1.0/\0".as_slice(), SECRET].concat(),
        ),
        segment(0xe2, &[b"MPF\0".as_slice(), SECRET].concat()),
        segment(
            0xe2,
            &[b"ICC_PROFILE\0\x01\x02", &profile()[..100]].concat(),
        ),
        segment(
            0xe2,
            &[b"ICC_PROFILE\0\x02\x02", &profile()[100..]].concat(),
        ),
        segment(0xed, &[b"Photoshop 3.0\0".as_slice(), SECRET].concat()),
        segment(0xfe, SECRET),
        b"some garbage".to_vec(),
    ];
    bytes.splice(2..2, segments.concat());
    // A second image after the end marker.
    bytes.extend(segment(0xd8, SECRET));
    bytes
}

pub fn png_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    // The checksum is wrong.
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], name, content, &[0; 4]].concat()
}

pub fn png() -> Vec<u8> {
    let mut bytes = plain(ImageFormat::Png);
    let chunks = [
        png_chunk(b"tEXt", SECRET),
        png_chunk(b"zTXt", SECRET),
        png_chunk(b"iTXt", SECRET),
        png_chunk(b"eXIf", &notes(1)),
        png_chunk(b"tIME", SECRET),
        png_chunk(b"caBX", SECRET),
        png_chunk(b"sBIT", SECRET),
        png_chunk(b"iCCP", &packed_profile()),
    ];
    bytes.splice(33..33, chunks.concat());
    bytes.extend(SECRET);
    bytes
}

fn packed_profile() -> Vec<u8> {
    let mut packed = [SECRET, b"\0\0"].concat();
    let mut packer = flate2::write::ZlibEncoder::new(&mut packed, flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, &profile()).unwrap();
    packer.finish().unwrap();
    packed
}

pub fn gif() -> Vec<u8> {
    let mut bytes = plain(ImageFormat::Gif);
    let end = bytes.len() - 1;
    let comment = [b"\x21\xfe\x12".as_slice(), SECRET, b"\0"].concat();
    let xmp = [b"\x21\xff\x0bXMP DataXMP\x12".as_slice(), SECRET, b"\0"].concat();
    let repeat = [
        b"\x21\xff\x0bNETSCAPE2.0\x12".as_slice(),
        SECRET,
        b"\x03\x01\0\0\0",
    ]
    .concat();
    let text = [b"\x21\x01\x0c............\x12".as_slice(), SECRET, b"\0"].concat();
    let delay = [b"\x21\xf9\x04\0\0\0\0\x12".as_slice(), SECRET, b"\0"].concat();
    bytes.splice(end..end, [comment, xmp, repeat, text, delay].concat());
    bytes.extend(SECRET);
    bytes
}

pub fn webp(orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.set_exif_metadata(notes(orientation)).unwrap();
    encoder.set_icc_profile(profile()).unwrap();
    encoder
        .write_image(&image(), 30, 20, image::ExtendedColorType::Rgb8)
        .unwrap();
    bytes.extend(riff_chunk(b"XMP ", SECRET));
    let length = (bytes.len() as u32 - 8).to_le_bytes();
    bytes[4..8].copy_from_slice(&length);
    bytes.extend(SECRET);
    bytes
}

fn riff_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let padding = vec![0; content.len() % 2];
    [name, &length[..], content, &padding].concat()
}

pub fn animated_webp() -> Vec<u8> {
    let still = plain(ImageFormat::WebP);
    let at = still.windows(4).position(|name| name == b"VP8L").unwrap();
    let frame = [
        // Position, size minus one, duration.
        [0, 0, 0, 0, 0, 0, 29, 0, 0, 19, 0, 0, 100, 0, 0, 0].to_vec(),
        still[at..].to_vec(),
        riff_chunk(b"EXIF", &notes(1)),
    ];
    let frame = riff_chunk(b"ANMF", &frame.concat());
    let chunks = [
        b"WEBP".to_vec(),
        riff_chunk(b"VP8X", &[0x0e, 0, 0, 0, 29, 0, 0, 19, 0, 0]),
        riff_chunk(b"ANIM", &[0; 6]),
        frame.clone(),
        frame,
        riff_chunk(b"XMP ", SECRET),
    ];
    riff_chunk(b"RIFF", &chunks.concat())
}

/// Writer for a TIFF file.
struct TiffWriter {
    little: bool,
    bytes: Vec<u8>,
}

impl TiffWriter {
    fn number<const N: usize>(&self, little: [u8; N]) -> [u8; N] {
        let mut bytes = little;
        if !self.little {
            bytes.reverse();
        }
        bytes
    }

    /// Appends bytes. Returns their offset.
    fn add(&mut self, bytes: &[u8]) -> u32 {
        let at = self.bytes.len() as u32;
        self.bytes.extend(bytes);
        at
    }

    fn directory(&mut self, entries: &[(u16, u16, u32, u32)]) -> u32 {
        let mut bytes = self.number((entries.len() as u16).to_le_bytes()).to_vec();
        for (tag, kind, count, value) in entries {
            bytes.extend(self.number(tag.to_le_bytes()));
            bytes.extend(self.number(kind.to_le_bytes()));
            bytes.extend(self.number(count.to_le_bytes()));
            bytes.extend(self.number(value.to_le_bytes()));
        }
        bytes.extend([0; 4]);
        self.add(&bytes)
    }
}

pub fn tiff(little: bool) -> Vec<u8> {
    let head = if little {
        b"II*\0\0\0\0\0"
    } else {
        b"MM\0*\0\0\0\0"
    };
    let bytes = head.to_vec();
    let mut tiff = TiffWriter { little, bytes };
    let media = tiff.add(MEDIA);
    let secret = tiff.add(SECRET);
    let text = |tag| (tag, 2, SECRET.len() as u32, secret);
    let maker_note = tiff.add(SECRET);
    let exif = tiff.directory(&[(37_500, 7, SECRET.len() as u32, maker_note)]);
    let place = tiff.add(SECRET);
    let gps = tiff.directory(&[(2, 5, 2, place)]);
    let sub = tiff.directory(&[text(270), (273, 4, 1, media)]);
    let profile = profile();
    let colours = tiff.add(&profile);
    let first = tiff.directory(&[
        (256, 4, 1, 26),
        (257, 4, 1, 1),
        text(271),
        (273, 4, 1, media),
        text(306),
        (330, 4, 1, sub),
        text(700),
        (34_665, 4, 1, exif),
        (34_675, 7, profile.len() as u32, colours),
        (34_853, 4, 1, gps),
    ]);
    let first = tiff.number(first.to_le_bytes());
    tiff.bytes[4..8].copy_from_slice(&first);
    tiff.bytes
}
