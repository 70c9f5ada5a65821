//! Takes out of pictures what they tell about camera, place, time and author, without touching the picture itself: what
//! shows it is kept (colours, animation, transparency), all the rest goes, and so does what follows its end. Must not
//! decode; malformed input is `None`, never a panic.

/// The most passes a JPEG is made of: each costs as much time as a whole picture, and a few bytes can ask for thousands.
const PASSES_MAX: u32 = 100;

/// A JPEG: keeps JFIF, colour profiles, Adobe's colour note and which way is up.
pub(super) fn jpeg(data: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut input = Input(data);
    let mut output = Vec::with_capacity(data.len());
    output.extend(input.fixed(b"\xff\xd8")?);
    let mut turned = orientation <= 1;
    let mut passes = 0;
    loop {
        let Some(marker) = next_marker(&mut input)? else {
            // A picture that ends too early still shows.
            output.extend(b"\xff\xd9");
            return Some(output);
        };
        if !turned && marker != 0xe0 {
            let exif = [b"Exif\0\0", turn(orientation).as_slice()].concat();
            let length = u16::try_from(exif.len() + 2).ok()?;
            output.extend([&[0xff, 0xe1], &length.to_be_bytes()[..], &exif].concat());
            turned = true;
        }
        match marker {
            0xd9 => {
                output.extend([0xff, 0xd9]);
                return Some(output);
            }
            0x01 | 0xd0..=0xd7 => output.extend([0xff, marker]),
            _ => {
                let length = u16::from_be_bytes(input.peek(2)?.try_into().ok()?);
                let segment = input.take(length.max(2).into())?;
                if is_of_the_jpeg(marker, segment.get(2..)?) {
                    output.extend([0xff, marker]);
                    output.extend(segment);
                }
                if marker == 0xda {
                    passes += 1;
                    if passes > PASSES_MAX {
                        return None;
                    }
                    output.extend(entropy(&mut input));
                }
            }
        }
    }
}

/// The byte after the next run of 0xFF; the inner `None` is the end of the input.
fn next_marker(input: &mut Input<'_>) -> Option<Option<u8>> {
    if input.0.is_empty() {
        return Some(None);
    }
    input.fixed(b"\xff")?;
    while input.0.first() == Some(&0xff) {
        input.take(1)?;
    }
    Some(input.take(1).map(|byte| byte[0]))
}

fn is_of_the_jpeg(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xe1..=0xef | 0xfe => false,
        _ => true,
    }
}

/// The coded picture: up to the next marker that is no restart.
fn entropy<'a>(input: &mut Input<'a>) -> &'a [u8] {
    let data = input.0;
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    let end = data.windows(2).position(is_end).unwrap_or(data.len());
    input.0 = &data[end..];
    &data[..end]
}

/// The least TIFF that says which way is up.
fn turn(orientation: u8) -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4]].concat()
}

/// A PNG: keeps what shows it, animations too.
pub(super) fn png(data: &[u8]) -> Option<Vec<u8>> {
    const KEPT: [&[u8]; 16] = [
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
        b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
    ];
    let mut input = Input(data);
    let mut output = Vec::with_capacity(data.len());
    output.extend(input.fixed(b"\x89PNG\r\n\x1a\n")?);
    loop {
        let length = u32::from_be_bytes(input.peek(4)?.try_into().ok()?);
        let chunk = input.take((length as usize).checked_add(12)?)?;
        let name = &chunk[4..8];
        if KEPT.contains(&name) {
            output.extend(chunk);
        }
        if name == b"IEND" {
            return Some(output);
        }
    }
}

/// A WebP: keeps the picture, its animation, transparency and colours, and which way is up.
pub(super) fn webp(data: &[u8], orientation: u8) -> Option<Vec<u8>> {
    const KEPT: [&[u8]; 7] = [
        b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
    ];
    const EXIF_FLAG: u8 = 0x08;
    const XMP_FLAG: u8 = 0x04;
    let mut input = Input(data);
    input.fixed(b"RIFF")?;
    let length = u32::from_le_bytes(input.take(4)?.try_into().ok()?);
    let mut input = Input(input.0.get(..length as usize).unwrap_or(input.0));
    let mut body = input.fixed(b"WEBP")?.to_vec();
    let mut extended = false;
    while input.0.len() >= 8 {
        let length = u32::from_le_bytes(input.peek(8)?[4..].try_into().ok()?);
        let mut chunk = input.take((length as usize).checked_add(8)?)?.to_vec();
        if !length.is_multiple_of(2) {
            chunk.push(0);
            // The last one may lack its padding.
            input.take(1);
        }
        if chunk.starts_with(b"VP8X") {
            let turned = if orientation > 1 { EXIF_FLAG } else { 0 };
            let flags = chunk.get_mut(8)?;
            *flags = *flags & !(EXIF_FLAG | XMP_FLAG) | turned;
            extended = true;
        }
        if KEPT.contains(&&chunk[..4]) {
            body.extend(chunk);
        }
    }
    if extended && orientation > 1 {
        let exif = turn(orientation);
        body.extend(b"EXIF");
        body.extend(u32::try_from(exif.len()).ok()?.to_le_bytes());
        body.extend(exif);
    }
    let length = u32::try_from(body.len()).ok()?.to_le_bytes();
    Some([b"RIFF".as_slice(), &length, &body].concat())
}

/// A GIF: keeps frames and how often they repeat, drops comments and other programs' notes.
pub(super) fn gif(data: &[u8]) -> Option<Vec<u8>> {
    let mut input = Input(data);
    let mut output = Vec::with_capacity(data.len());
    let head = input.take(13)?;
    if !head.starts_with(b"GIF87a") && !head.starts_with(b"GIF89a") {
        return None;
    }
    output.extend(head);
    output.extend(input.take(palette(head[10]))?);
    loop {
        let before = input.0;
        // One that ends too early still shows.
        let kind = input.take(1).map_or(0x3b, |byte| byte[0]);
        let kept = match kind {
            0x3b => {
                output.push(0x3b);
                return Some(output);
            }
            0x2c => {
                let place = input.take(9)?;
                input.take(palette(place[8]) + 1)?;
                blocks(&mut input)?;
                true
            }
            0x21 => {
                let label = input.take(1)?[0];
                let first = blocks(&mut input)?;
                label == 0xf9 || label == 0x01 || label == 0xff && repeats(first)
            }
            _ => return None,
        };
        if kept {
            output.extend(&before[..before.len() - input.0.len()]);
        }
    }
}

fn repeats(application: &[u8]) -> bool {
    [b"NETSCAPE2.0".as_slice(), b"ANIMEXTS1.0"].contains(&application)
}

/// Bytes of the colour table that these flags announce.
fn palette(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// A run of blocks up to the empty one; answers the first.
fn blocks<'a>(input: &mut Input<'a>) -> Option<&'a [u8]> {
    let mut first = None;
    loop {
        let length = input.take(1)?[0];
        let block = input.take(length.into())?;
        let first = *first.get_or_insert(block);
        if length == 0 {
            return Some(first);
        }
    }
}

/// What is not read yet.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn peek(&self, count: usize) -> Option<&'a [u8]> {
        self.0.get(..count)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes these very bytes.
    fn fixed(&mut self, expected: &[u8]) -> Option<&'a [u8]> {
        self.take(expected.len()).filter(|found| *found == expected)
    }
}
