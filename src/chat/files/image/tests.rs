//! Tests for images, thumbnails and portraits.

use std::io::Cursor;

use image::{GenericImageView, ImageFormat, Rgb, RgbImage};

use super::super::strip_metadata;
use super::*;

const BUDGET: Budget = Budget {
    pixels: 50_000_000,
    memory: 64 << 20,
};

/// Cleans and reads an upload. Returns the cleaned bytes and the image.
fn kept(data: &[u8]) -> Option<(Vec<u8>, Picture)> {
    kept_within(data, BUDGET)
}

fn kept_within(data: &[u8], budget: Budget) -> Option<(Vec<u8>, Picture)> {
    let (bytes, plan) = strip_metadata::cleaned(data).ok()?;
    let kind = Kind::of(&bytes)?;
    let size = bytes.len() as u64;
    let picture = read(kind, Cursor::new(&bytes), size, &plan, budget)?;
    Some((bytes, picture))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn a_cleaned_picture_looks_as_before() {
    for data in [
        strip_metadata::jpeg(1),
        strip_metadata::webp(1),
        strip_metadata::png(),
        strip_metadata::gif(),
    ] {
        let (bytes, picture) = kept(&data).unwrap();
        assert_eq!(picture.dimensions, (30, 20));
        let after = image::load_from_memory(&bytes).unwrap();
        let original = DynamicImage::from(strip_metadata::image());
        assert_eq!(after.dimensions(), original.dimensions());
        if picture.media_type == "image/png" {
            assert_eq!(after.to_rgb8(), original.to_rgb8());
        }
    }
    let (bytes, _) = kept(&strip_metadata::animated_webp()).unwrap();
    let decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(bytes)).unwrap();
    assert!(decoder.has_animation());
    assert_eq!(image::AnimationDecoder::into_frames(decoder).count(), 2);
}

#[test]
fn cleaning_keeps_the_exif_orientation() {
    for data in [strip_metadata::jpeg(6), strip_metadata::webp(6)] {
        let (bytes, picture) = kept(&data).unwrap();
        assert_eq!(picture.dimensions, (20, 30));
        let (_, plan) = strip_metadata::cleaned(&bytes).unwrap();
        assert_eq!(plan.orientation, 6);
    }
}

#[test]
fn an_avatar_is_square_and_upright() {
    let (bytes, plan) = strip_metadata::cleaned(&strip_metadata::jpeg(6)).unwrap();
    let face = portrait(Kind::Jpeg, Cursor::new(bytes), &plan, BUDGET).unwrap();
    assert_eq!(face.dimensions, (20, 20));
}

#[test]
fn a_transparent_picture_has_a_transparent_thumbnail() {
    let half = image::RgbaImage::from_pixel(800, 3, image::Rgba([1, 2, 3, 100]));
    let (_, picture) = kept(&encoded(half, ImageFormat::Png)).unwrap();
    let small = picture.thumbnail.unwrap();
    assert_eq!(
        (small.media_type, small.dimensions),
        ("image/png", (400, 2))
    );
    let small = image::load_from_memory(&small.bytes).unwrap().to_rgba8();
    assert_eq!(small.get_pixel(0, 0).0[3], 100);
}

/// Thumbnails are scaled row by row (PNG) or by using fewer coefficients (JPEG).
#[test]
fn a_thumbnail_resembles_its_image() {
    let quarters = RgbImage::from_fn(2_001, 1_203, |x, y| {
        Rgb([
            if x < 1_000 { 200 } else { 20 },
            if y < 600 { 180 } else { 30 },
            90,
        ])
    });
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let (_, picture) = kept(&encoded(quarters.clone(), format)).unwrap();
        let small = image::load_from_memory(&picture.thumbnail.unwrap().bytes).unwrap();
        assert_eq!(small.dimensions(), (400, 240), "{format:?}");
        for (x, y) in [(50, 50), (350, 50), (50, 190), (350, 190)] {
            let (is, was) = (small.get_pixel(x, y).0, quarters.get_pixel(x * 5, y * 5).0);
            for (is, was) in is.iter().zip(was) {
                assert!(is.abs_diff(was) < 12, "{format:?} {x} {y}");
            }
        }
    }
}

/// The cost of an image is known before it is decoded.
#[test]
fn an_image_over_the_memory_budget_has_no_thumbnail() {
    let image = RgbImage::new(1_500, 1_000);
    for format in [ImageFormat::Gif, ImageFormat::WebP] {
        let data = encoded(image.clone(), format);
        let small = Budget {
            memory: 8 << 20,
            ..BUDGET
        };
        let (_, picture) = kept_within(&data, small).unwrap();
        assert_eq!(picture.dimensions, (1_500, 1_000));
        assert!(picture.thumbnail.is_none(), "{format:?}");
        assert!(kept(&data).unwrap().1.thumbnail.is_some(), "{format:?}");
    }
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let tiny = Budget {
            memory: 4 << 20,
            ..BUDGET
        };
        let (_, picture) = kept_within(&encoded(image.clone(), format), tiny).unwrap();
        assert!(picture.thumbnail.is_some(), "{format:?}");
    }
}

#[test]
fn an_image_with_too_many_pixels_is_not_decoded() {
    let mut data = strip_metadata::png();
    // Changes width and height. The checksum is now wrong, but decoding must not get that far.
    data[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(kept(&data).is_none());
    let mut data = strip_metadata::gif();
    data[6..10].copy_from_slice(&[0xff; 4]);
    assert!(kept(&data).is_none());
}

#[test]
fn a_jpeg_with_too_many_scans_is_not_decoded() {
    let (whole, _) = strip_metadata::cleaned(&strip_metadata::jpeg(1)).unwrap();
    let at = |wanted: &[u8]| whole.windows(2).rposition(|pair| pair == wanted).unwrap();
    let (scan, end) = (at(b"\xff\xda"), at(b"\xff\xd9"));
    let many = whole[scan..end].repeat(1000);
    let data = [&whole[..scan], &many, &whole[end..]].concat();
    assert!(kept(&data).is_none());
}

#[test]
fn damaged_images_never_cause_a_panic() {
    for whole in [
        strip_metadata::jpeg(6),
        strip_metadata::webp(6),
        strip_metadata::png(),
        strip_metadata::gif(),
    ] {
        for end in (16..whole.len()).step_by(3) {
            kept(&whole[..end]);
        }
        // Changes each byte in turn, with pseudo-random but reproducible values.
        let mut seed = 1_u32;
        for at in 0..whole.len() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut data = whole.clone();
            data[at] ^= (seed >> 24) as u8 | 1;
            if Kind::of(&data).is_some() {
                kept(&data);
            }
        }
    }
}
