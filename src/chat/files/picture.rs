//! Pictures as they are kept: how large one is, and its smaller copies. Slow; for blocking threads only. Must not know the
//! store.

use std::io::{BufRead, Seek};

use bytes::Bytes;
use image::DynamicImage;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;

use super::clean::{Kind, Plan};
use super::decode::{Budget, Least, decode};

/// A thumbnail is at most so wide and high.
const THUMBNAIL: u32 = 400;
/// A picture of up to so many bytes that is no larger than a thumbnail is its own.
const SMALL: u64 = 64 * 1024;
/// A portrait is at most so wide and high.
const PORTRAIT: u32 = 512;

/// A picture as it is kept.
pub(super) struct Picture {
    /// What its bytes say it is.
    pub media_type: &'static str,
    /// Width and height as shown.
    pub dimensions: (u32, u32),
    /// Its small copy, where it pays and does not cost too much.
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

/// What a picture of that kind is, if it is one we show.
pub(super) fn media_type(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Jpeg => Some("image/jpeg"),
        Kind::Png => Some("image/png"),
        Kind::Gif => Some("image/gif"),
        Kind::WebP => Some("image/webp"),
        _ => None,
    }
}

/// Which way is up. Of the formats whose metadata goes as a whole, the orientation goes with it.
fn orientation(kind: Kind, plan: &Plan) -> Orientation {
    let kept = matches!(kind, Kind::Jpeg | Kind::WebP);
    let known = Orientation::from_exif(plan.orientation).filter(|_| kept);
    known.unwrap_or(Orientation::NoTransforms)
}

/// The picture of `size` bytes that has been cleaned by `plan`; `None` if it is damaged or has too many pixels.
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
    // An animation needs one that stands still.
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

/// A square picture for beside a name, cut from the middle; `None` if these bytes are no picture or cost too much.
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
