//! Image dimensions, thumbnails and portraits. Slow: for blocking threads only. Independent of the store.

use std::io::{BufRead, Seek};

use bytes::Bytes;
use image::DynamicImage;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;

use super::decode::{Budget, Least, decode};
use super::strip_metadata::{Kind, Plan};

/// Maximum width and height of a thumbnail.
const THUMBNAIL: u32 = 400;
/// An image of at most this many bytes that is no larger than a thumbnail gets none.
const SMALL: u64 = 64 * 1024;
/// Maximum width and height of a portrait.
const PORTRAIT: u32 = 512;

/// An image as it is stored.
pub(super) struct Picture {
    /// Media type detected from its bytes.
    pub media_type: &'static str,
    /// Width and height after the EXIF orientation is applied.
    pub dimensions: (u32, u32),
    /// Thumbnail, unless the image is small or too expensive to decode.
    pub thumbnail: Option<Rendered>,
}

/// An image encoded by the server.
pub(super) struct Rendered {
    pub media_type: &'static str,
    /// File name extension.
    pub ending: &'static str,
    pub bytes: Bytes,
    pub dimensions: (u32, u32),
}

/// Returns the media type of an image format that clients can show.
pub(super) fn media_type(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Jpeg => Some("image/jpeg"),
        Kind::Png => Some("image/png"),
        Kind::Gif => Some("image/gif"),
        Kind::WebP => Some("image/webp"),
        _ => None,
    }
}

/// Returns the orientation after cleaning. Only JPEG and WebP keep it; for other formats it goes with all other
/// metadata.
fn orientation(kind: Kind, plan: &Plan) -> Orientation {
    let kept = matches!(kind, Kind::Jpeg | Kind::WebP);
    let known = Orientation::from_exif(plan.orientation).filter(|_| kept);
    known.unwrap_or(Orientation::NoTransforms)
}

/// Reads an image of `size` bytes that `plan` cleaned. Returns `None` if it is damaged or has too many pixels.
pub(super) fn read<R: BufRead + Seek>(
    kind: Kind,
    source: R,
    size: u64,
    plan: &Plan,
    budget: Budget,
) -> Option<Picture> {
    let media_type = media_type(kind)?;
    let found = decode(kind, source, plan, budget, Least::Long(THUMBNAIL))?;
    let turn = orientation(kind, plan);
    let (width, height) = found.dimensions;
    let sideways = matches!(
        turn,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    // An animation needs a still thumbnail, however small it is.
    let is_small = plan.found.frames <= 1 && width.max(height) <= THUMBNAIL && size <= SMALL;
    let thumbnail = match found.image {
        Some(image) if !is_small => {
            let side = THUMBNAIL.min(width.max(height));
            let mut small = image.thumbnail(side, side);
            drop(image);
            small.apply_orientation(turn);
            Some(render(&small)?)
        }
        _ => None,
    };
    Some(Picture {
        media_type,
        dimensions: match sideways {
            true => (height, width),
            false => (width, height),
        },
        thumbnail,
    })
}

/// Makes a square avatar from the middle of an image. Returns `None` if it is no image or too expensive to decode.
pub(super) fn portrait<R: BufRead + Seek>(
    kind: Kind,
    source: R,
    plan: &Plan,
    budget: Budget,
) -> Option<Rendered> {
    let image = decode(kind, source, plan, budget, Least::Short(PORTRAIT))?.image?;
    let side = image.width().min(image.height());
    let (x, y) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let mut cut = image.crop_imm(x, y, side, side);
    drop(image);
    if side > PORTRAIT {
        cut = cut.thumbnail_exact(PORTRAIT, PORTRAIT);
    }
    cut.apply_orientation(orientation(kind, plan));
    render(&cut)
}

/// Encodes as PNG if any pixel is transparent, else as JPEG.
fn render(image: &DynamicImage) -> Option<Rendered> {
    let dimensions = (image.width(), image.height());
    let transparent =
        image.color().has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    let mut bytes = Vec::new();
    let (media_type, ending) = if transparent {
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
mod tests;
