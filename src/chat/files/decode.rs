//! Decodes images, scaled down where the decoder supports it. The memory needed is calculated in advance and checked
//! against a budget. Slow: for blocking threads only.

use std::io::{BufRead, Seek};
use std::time::{Duration, Instant};

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage,
    RgbaImage,
};
use jpeg_decoder::{CodingProcess, PixelFormat};
use png::Transformations;

use super::strip_metadata::{Kind, Plan};

/// Maximum number of JPEG scans: each costs as much time as a whole image, and a few bytes can ask for thousands.
const PASSES_MAX: u32 = 100;
/// Maximum number of pixels of all scans together.
const PASSED_MAX: u64 = 250_000_000;
/// Maximum time for one image.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Memory that a decoder may use to read the dimensions of an image, in bytes.
const HEADERS: u64 = 1024 * 1024;

/// Limits for decoding one image.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) pixels: u64,
    /// Memory in bytes.
    pub(super) memory: u64,
}

/// Size below which an image must not be scaled while it is decoded.
#[derive(Clone, Copy)]
pub(super) enum Least {
    /// Minimum of the longer side.
    Long(u32),
    /// Minimum of the shorter side.
    Short(u32),
}

impl Least {
    /// Returns the whole number by which width and height can be divided, at least 1.
    fn divisor(self, width: u32, height: u32) -> u32 {
        let divisor = match self {
            Self::Long(least) => width.max(height) / least,
            Self::Short(least) => width.min(height) / least,
        };
        divisor.max(1)
    }
}

/// A decoded image, perhaps scaled down.
pub(super) struct Decoded {
    /// Width and height of the original.
    pub(super) dimensions: (u32, u32),
    /// `None` if decoding would exceed the budget.
    pub(super) image: Option<DynamicImage>,
}

/// Decodes an image, or the first frame of an animation. `None` if it is damaged or has too many pixels.
pub(super) fn decode<R: BufRead + Seek>(
    kind: Kind,
    source: R,
    plan: &Plan,
    budget: Budget,
    least: Least,
) -> Option<Decoded> {
    match kind {
        Kind::Jpeg => jpeg(source, plan, budget, least),
        Kind::Png => png(source, budget, least),
        Kind::Gif => other(ImageFormat::Gif, source, budget),
        Kind::WebP => other(ImageFormat::WebP, source, budget),
        _ => None,
    }
}

fn pixels(width: u32, height: u32, budget: Budget) -> Option<u64> {
    let pixels = u64::from(width) * u64::from(height);
    (1..=budget.pixels).contains(&pixels).then_some(pixels)
}

fn jpeg<R: BufRead + Seek>(
    source: R,
    plan: &Plan,
    budget: Budget,
    least: Least,
) -> Option<Decoded> {
    let mut decoder = jpeg_decoder::Decoder::new(source);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let (width, height) = (info.width.into(), info.height.into());
    let pixels = pixels(width, height, budget)?;
    if plan.passes > PASSES_MAX || info.coding_process == CodingProcess::Lossless {
        return None;
    }
    let divisor = least.divisor(width, height);
    let part = |side: u16| u16::try_from(u32::from(side).div_ceil(divisor)).unwrap_or(side);
    let (scaled_width, scaled_height) = decoder.scale(part(info.width), part(info.height)).ok()?;
    let scaled = u64::from(scaled_width) * u64::from(scaled_height);
    // Memory for coefficients, planes and the output, which is converted once.
    let coefficients = match info.coding_process {
        CodingProcess::DctProgressive => plan.samples.saturating_mul(2),
        _ => 0,
    };
    let planes = plan.samples.saturating_mul(scaled) / pixels;
    let price = coefficients + planes + scaled * 7;
    let passed = pixels.saturating_mul(plan.passes.into());
    if price > budget.memory || passed > PASSED_MAX.max(budget.pixels) {
        let dimensions = (width, height);
        return Some(Decoded {
            dimensions,
            image: None,
        });
    }
    let bytes = decoder.decode().ok()?;
    let (scaled_width, scaled_height) = (scaled_width.into(), scaled_height.into());
    let image = match info.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(scaled_width, scaled_height, bytes)?.into(),
        PixelFormat::RGB24 => RgbImage::from_raw(scaled_width, scaled_height, bytes)?.into(),
        PixelFormat::CMYK32 => RgbImage::from_raw(scaled_width, scaled_height, rgb(&bytes))?.into(),
        PixelFormat::L16 => return None,
    };
    Some(Decoded {
        dimensions: (width, height),
        image: Some(image),
    })
}

fn rgb(cmyk: &[u8]) -> Vec<u8> {
    let light = |ink: u8| 255 - u16::from(ink);
    let colours = cmyk.chunks_exact(4).flat_map(|ink| {
        [ink[0], ink[1], ink[2]].map(|colour| (light(colour) * light(ink[3]) / 255) as u8)
    });
    colours.collect()
}

fn png<R: BufRead + Seek>(source: R, budget: Budget, least: Least) -> Option<Decoded> {
    let bytes = usize::try_from(budget.memory.max(HEADERS)).unwrap_or(usize::MAX);
    let mut decoder = png::Decoder::new_with_limits(source, png::Limits { bytes });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    let pixels = pixels(width, height, budget)?;
    let channels = reader.output_color_type().0.samples();
    let dimensions = (width, height);
    let nothing = Some(Decoded {
        dimensions,
        image: None,
    });
    // Samples have up to 16 bits before they are converted to 8.
    let row = u64::from(width) * channels as u64 * 2;
    if reader.info().interlaced {
        // An interlaced image arrives in seven passes over the whole.
        if pixels * channels as u64 + row * 3 > budget.memory {
            return nothing;
        }
        let mut whole = vec![0; reader.output_buffer_size()?];
        reader.next_frame(&mut whole).ok()?;
        let image = from_samples(width, height, channels, whole);
        return Some(Decoded { dimensions, image });
    }
    let mut small = Shrunk::new(dimensions, channels, least.divisor(width, height));
    if row * 3 + small.price() > budget.memory {
        return nothing;
    }
    let until = Instant::now() + TIME_MAX;
    while let Some(row) = reader.next_row().ok()? {
        small.add(row.data());
        if Instant::now() > until {
            return nothing;
        }
    }
    let image = Some(small.finish()?);
    Some(Decoded { dimensions, image })
}

/// An image that is scaled down by a whole number while its rows are decoded.
struct Shrunk {
    width: u32,
    channels: usize,
    divisor: usize,
    /// Sum of each sample of the output row in progress.
    sums: Vec<u64>,
    /// Input rows added to `sums`.
    rows: usize,
    samples: Vec<u8>,
    height: u32,
    original: (u32, u32),
}

impl Shrunk {
    fn new(original: (u32, u32), channels: usize, divisor: u32) -> Self {
        let width = original.0.div_ceil(divisor);
        Self {
            width,
            channels,
            divisor: divisor as usize,
            sums: Vec::new(),
            rows: 0,
            samples: Vec::new(),
            height: 0,
            original,
        }
    }

    /// Returns the memory needed, in bytes.
    fn price(&self) -> u64 {
        let row = u64::from(self.width) * self.channels as u64;
        let height = u64::from(self.original.1.div_ceil(self.divisor as u32));
        // While the vector of samples grows, there are two copies of it.
        row * 8 + row * height * 2
    }

    fn add(&mut self, row: &[u8]) {
        self.sums.resize(self.width as usize * self.channels, 0);
        let blocks = row.chunks(self.divisor * self.channels);
        for (sums, block) in self.sums.chunks_exact_mut(self.channels).zip(blocks) {
            for pixel in block.chunks_exact(self.channels) {
                for (sum, sample) in sums.iter_mut().zip(pixel) {
                    *sum += u64::from(*sample);
                }
            }
        }
        self.rows += 1;
        if self.rows == self.divisor {
            self.end_row();
        }
    }

    fn end_row(&mut self) {
        let width = self.original.0 as usize;
        for (at, sums) in self.sums.chunks_exact_mut(self.channels).enumerate() {
            let across = self.divisor.min(width - at * self.divisor);
            let count = (across * self.rows) as u64;
            self.samples
                .extend(sums.iter().map(|sum| (sum / count) as u8));
            sums.fill(0);
        }
        self.rows = 0;
        self.height += 1;
    }

    fn finish(mut self) -> Option<DynamicImage> {
        if self.rows > 0 {
            self.end_row();
        }
        from_samples(self.width, self.height, self.channels, self.samples)
    }
}

fn from_samples(
    width: u32,
    height: u32,
    channels: usize,
    samples: Vec<u8>,
) -> Option<DynamicImage> {
    Some(match channels {
        1 => GrayImage::from_raw(width, height, samples)?.into(),
        2 => GrayAlphaImage::from_raw(width, height, samples)?.into(),
        3 => RgbImage::from_raw(width, height, samples)?.into(),
        _ => RgbaImage::from_raw(width, height, samples)?.into(),
    })
}

/// Decodes GIF and WebP at full size: needs memory for the frame, the canvas and, for WebP, the planes.
fn other<R: BufRead + Seek>(format: ImageFormat, source: R, budget: Budget) -> Option<Decoded> {
    // Measured: 6 to 7.
    const BYTES_A_PIXEL: u64 = 8;
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(budget.memory.max(HEADERS));
    reader.limits(limits);
    let decoder = reader.into_decoder().ok()?;
    let dimensions = decoder.dimensions();
    let pixels = pixels(dimensions.0, dimensions.1, budget)?;
    let image = match pixels * BYTES_A_PIXEL > budget.memory {
        true => None,
        false => Some(DynamicImage::from_decoder(decoder).ok()?),
    };
    Some(Decoded { dimensions, image })
}
