//! Decodes pictures, smaller where the decoder can, within a budget of memory that is calculated before. Slow; for
//! blocking threads only.

use std::io::{BufRead, Seek};
use std::time::{Duration, Instant};

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage,
    RgbaImage,
};
use jpeg_decoder::{CodingProcess, PixelFormat};
use png::Transformations;

use super::clean::{Kind, Plan};

/// The most passes a JPEG is made of: each costs as much time as a whole picture, and a few bytes can ask for thousands.
const PASSES_MAX: u32 = 100;
/// The most pixels of all passes together.
const PASSED_MAX: u64 = 250_000_000;
/// The longest time a picture takes.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Memory that a decoder may take to say how large a picture is, bytes.
const HEADERS: u64 = 1024 * 1024;

/// What a picture may cost.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// Pixels.
    pub(super) pixels: u64,
    /// Bytes of memory.
    pub(super) memory: u64,
}

/// How small a picture may become while it is decoded.
#[derive(Clone, Copy)]
pub(super) enum Least {
    /// Its longer side.
    Long(u32),
    /// Its shorter side.
    Short(u32),
}

impl Least {
    /// By what a picture can be divided.
    fn divisor(self, width: u32, height: u32) -> u32 {
        let divisor = match self {
            Self::Long(least) => width.max(height) / least,
            Self::Short(least) => width.min(height) / least,
        };
        divisor.max(1)
    }
}

/// A picture, perhaps smaller than it was.
pub(super) struct Decoded {
    /// Width and height of the original.
    pub(super) dimensions: (u32, u32),
    /// `None` if it would cost too much.
    pub(super) image: Option<DynamicImage>,
}

/// Decodes a picture (of an animation the first frame); `None` if it is damaged or has too many pixels.
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
    // Coefficients, planes, and what is handed out, which is then converted once.
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
    // Up to 16 bits a sample, before they are made 8.
    let row = u64::from(width) * channels as u64 * 2;
    if reader.info().interlaced {
        // It comes in seven passes over the whole.
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

/// A picture that becomes smaller by a whole number while its rows come.
struct Shrunk {
    width: u32,
    channels: usize,
    divisor: usize,
    /// Of the row of the small picture that is under way: per sample.
    sums: Vec<u64>,
    /// Rows that went into it.
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

    /// Bytes of memory that it needs.
    fn price(&self) -> u64 {
        let row = u64::from(self.width) * self.channels as u64;
        let height = u64::from(self.original.1.div_ceil(self.divisor as u32));
        // While the samples grow there are two copies of them.
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

/// GIF and WebP, which are decoded whole: the frame, the canvas and, for WebP, the planes it is made of.
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
