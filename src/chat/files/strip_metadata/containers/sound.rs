//! Test files with sound, and films other than MP4, that hide a location wherever metadata can be.

use super::{Container, MEDIA, SECRET};

/// Returns one file of each kind.
pub fn sounds() -> Vec<Container> {
    let frames = [
        ("sound.mp3", mpeg(b"\xff\xfb\x90\0", 417)),
        ("sound.aac", mpeg(b"\xff\xf1\x50\x80\x0d\0\0", 104)),
    ];
    let in_place = [
        ("sound.flac", flac()),
        ("vorbis.ogg", ogg(&vorbis())),
        ("sound.opus", ogg(&opus())),
        ("flac.oga", ogg(&ogg_flac())),
        ("sound.wav", wav()),
        ("film.avi", avi()),
        ("film.webm", matroska(b"webm", true)),
        ("film.mkv", matroska(b"matroska", false)),
    ];
    let made = |in_place| {
        move |(name, bytes)| Container {
            name,
            bytes,
            in_place,
        }
    };
    let frames = frames.into_iter().map(made(false));
    frames.chain(in_place.into_iter().map(made(true))).collect()
}

/// Builds frames between tags of every kind, with garbage in between.
fn mpeg(header: &[u8], length: usize) -> Vec<u8> {
    let mut frame = header.to_vec();
    frame.resize(length, 0);
    let id3 = [
        b"ID3\x04\0\0\0\0\0".as_slice(),
        &[SECRET.len() as u8],
        SECRET,
    ]
    .concat();
    let ape = |flags: u32| {
        let size = (SECRET.len() as u32 + 32).to_le_bytes();
        let rest = [0, 0, 0, 0].into_iter().chain(flags.to_le_bytes());
        let head = [b"APETAGEX\xd0\x07\0\0", &size[..]].concat();
        [head, rest.collect(), vec![0; 8]].concat()
    };
    let mut last = [b"TAG", SECRET].concat();
    last.resize(128, 0);
    [
        id3.clone(),
        id3,
        frame.clone(),
        frame.clone(),
        SECRET.to_vec(),
        frame.repeat(2),
        b"LYRICSBEGIN".to_vec(),
        SECRET.to_vec(),
        ape(1 << 31 | 1 << 29),
        SECRET.to_vec(),
        ape(1 << 31),
        last,
    ]
    .concat()
}

fn flac_part(first: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    [&[first], &length[1..], content].concat()
}

fn stream_info() -> Vec<u8> {
    let mut info = vec![0; 34];
    // 8000 samples per second, 16000 in total.
    info[10..18].copy_from_slice(&(8_000_u64 << 44 | 16_000).to_be_bytes());
    info
}

fn flac() -> Vec<u8> {
    let mut tag = [b"TAG", SECRET].concat();
    tag.resize(128, 0);
    [
        b"fLaC".to_vec(),
        flac_part(0, &stream_info()),
        flac_part(1, SECRET),
        flac_part(2, &[b"riff", SECRET].concat()),
        flac_part(4, SECRET),
        flac_part(5, SECRET),
        flac_part(0x86, SECRET),
        MEDIA.to_vec(),
        tag,
    ]
    .concat()
}

/// Builds a comment header that is so long that it continues on the next page.
fn comments(magic: &[u8], end: &[u8]) -> Vec<u8> {
    let text = [SECRET, &[b'x'; 700], SECRET].concat();
    let number = |number: usize| (number as u32).to_le_bytes();
    let vendor = [&number(SECRET.len())[..], SECRET].concat();
    let parts = [
        magic,
        &vendor,
        &number(1),
        &number(text.len()),
        &text,
        end,
        SECRET,
    ];
    parts.concat()
}

fn vorbis() -> Vec<Vec<u8>> {
    let first = [
        b"\x01vorbis\0\0\0\0\x01\x40\x1f\0\0".as_slice(),
        &[0; 13],
        &[0xb8, 1],
    ];
    vec![
        first.concat(),
        comments(b"\x03vorbis", &[1]),
        [b"\x05vorbis", MEDIA].concat(),
    ]
}

fn opus() -> Vec<Vec<u8>> {
    vec![
        b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0".to_vec(),
        comments(b"OpusTags", b""),
        MEDIA.to_vec(),
    ]
}

fn ogg_flac() -> Vec<Vec<u8>> {
    let first = [
        b"\x7fFLAC\x01\0\0\x03fLaC",
        &flac_part(0, &stream_info())[..],
    ]
    .concat();
    let comments = comments(b"", b"");
    vec![
        first,
        flac_part(4, &comments),
        flac_part(0x86, SECRET),
        MEDIA.to_vec(),
    ]
}

/// Splits packets into pages of two segments, all of one stream.
fn ogg(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut sequence = 0_u32;
    let mut page = |segments: &[u8], body: &[u8], flags: u8| {
        let position = if sequence == 0 { 0 } else { 16_000_u64 };
        let mut header = [
            b"OggS\0".as_slice(),
            &[flags],
            &position.to_le_bytes(),
            b"parl",
        ]
        .concat();
        header.extend(sequence.to_le_bytes());
        header.extend([0; 4]);
        header.push(segments.len() as u8);
        header.extend(segments);
        sequence += 1;
        let sum = sum(&[&header, body].concat());
        header[22..26].copy_from_slice(&sum.to_le_bytes());
        bytes.extend(header);
        bytes.extend(body);
    };
    for (place, packet) in packets.iter().enumerate() {
        let mut segments = vec![255; packet.len() / 255];
        segments.push((packet.len() % 255) as u8);
        let mut rest = packet.as_slice();
        for (part, segments) in segments.chunks(2).enumerate() {
            let length = segments.iter().map(|length| usize::from(*length)).sum();
            let (body, left) = rest.split_at(length);
            rest = left;
            let flags = if place == 0 { 2 } else { u8::from(part > 0) };
            page(segments, body, flags);
        }
    }
    bytes
}

/// Computes the checksum of a page bit by bit, independently of the code under test.
pub fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| match sum >> 31 {
            0 => sum << 1,
            _ => sum << 1 ^ 0x04c1_1db7,
        })
    })
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let padding = vec![0; content.len() % 2];
    [name, &length[..], content, &padding].concat()
}

fn wav() -> Vec<u8> {
    let format = [
        1_u16.to_le_bytes().to_vec(),
        1_u16.to_le_bytes().to_vec(),
        8_000_u32.to_le_bytes().to_vec(),
        26_u32.to_le_bytes().to_vec(),
        vec![1, 0, 8, 0],
    ];
    let parts = [
        b"WAVE".to_vec(),
        chunk(b"bext", SECRET),
        chunk(b"fmt ", &format.concat()),
        chunk(b"LIST", &[b"INFO", &chunk(b"INAM", SECRET)[..]].concat()),
        chunk(b"data", MEDIA),
        chunk(b"id3 ", SECRET),
        chunk(b"JUNK", SECRET),
        chunk(b"iXML", SECRET),
        chunk(b"_PMX", SECRET),
    ];
    [chunk(b"RIFF", &parts.concat()), SECRET.to_vec()].concat()
}

fn avi() -> Vec<u8> {
    let mut header = vec![0; 56];
    for (at, number) in [(0, 40_000_u32), (16, 50), (32, 64), (36, 48)] {
        header[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    let stream = [
        b"strl".to_vec(),
        chunk(b"strh", &[b"vids", &[0; 52][..]].concat()),
        chunk(b"strf", &[0; 40]),
        chunk(b"strd", SECRET),
        chunk(b"strn", SECRET),
    ];
    let headers = [
        b"hdrl".to_vec(),
        chunk(b"avih", &header),
        chunk(b"LIST", &stream.concat()),
        chunk(b"IDIT", SECRET),
    ];
    let parts = [
        b"AVI ".to_vec(),
        chunk(b"LIST", &headers.concat()),
        chunk(b"LIST", &[b"INFO", &chunk(b"ISFT", SECRET)[..]].concat()),
        chunk(b"JUNK", SECRET),
        chunk(b"LIST", &[b"movi", &chunk(b"00dc", MEDIA)[..]].concat()),
        chunk(b"idx1", &[0; 16]),
    ];
    chunk(b"RIFF", &parts.concat())
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let length = 0x1000_0000 | content.len() as u32;
    [id, &length.to_be_bytes(), content].concat()
}

fn info() -> Vec<u8> {
    [
        element(b"\xbf", &[1, 2, 3, 4]),
        element(b"\x2a\xd7\xb1", &1_000_000_u32.to_be_bytes()),
        element(b"\x44\x89", &2_500.0_f64.to_be_bytes()),
        element(b"\x7b\xa9", SECRET),
        element(b"\x73\x84", SECRET),
        element(b"\x44\x61", &[0xd5; 8]),
        element(b"\x4d\x80", SECRET),
        element(b"\x57\x41", SECRET),
    ]
    .concat()
}

fn tracks() -> Vec<u8> {
    let headers = [[1, b'i'].as_slice(), &comments(b"\x03vorbis", &[1])].concat();
    let length = headers.len() - 2;
    let mut lengths = vec![2, 1];
    lengths.extend(vec![255; length / 255]);
    lengths.push((length % 255) as u8);
    let private = [&lengths[..], &headers[1..], b"s"].concat();
    let picture = [element(b"\xb0", &[64]), element(b"\xba", &[48])].concat();
    [
        element(
            b"\xae",
            &[
                element(b"\xd7", &[1]),
                element(b"\x83", &[1]),
                element(b"\x86", b"V_VP8"),
                element(b"\x53\x6e", SECRET),
                element(b"\xe0", &picture),
            ]
            .concat(),
        ),
        element(
            b"\xae",
            &[
                element(b"\x83", &[2]),
                element(b"\x86", b"A_VORBIS"),
                element(b"\x63\xa2", &private),
                element(b"\x25\x86\x88", SECRET),
            ]
            .concat(),
        ),
    ]
    .concat()
}

fn matroska(kind: &[u8], is_open: bool) -> Vec<u8> {
    let (info, tracks) = (info(), tracks());
    let block = element(b"\xa3", MEDIA);
    let cluster = if is_open {
        let rest = [b"\xe7\x81\0".as_slice(), &block, &element(b"\xec", SECRET)].concat();
        [
            b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff",
            &rest[..],
        ]
        .concat()
    } else {
        element(b"\x1f\x43\xb6\x75", &block)
    };
    let parts = [
        element(b"\x11\x4d\x9b\x74", &[0; 4]),
        element(b"\x15\x49\xa9\x66", &info),
        element(b"\x16\x54\xae\x6b", &tracks),
        element(b"\x12\x54\xc3\x67", SECRET),
        cluster,
        element(b"\x19\x41\xa4\x69", SECRET),
        element(b"\x10\x43\xa7\x70", &SECRET.repeat(10)),
        element(b"\xec", SECRET),
    ]
    .concat();
    let head = [element(b"\x42\x82", kind), element(b"\xec", SECRET)].concat();
    let segment = match is_open {
        true => [
            b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
            &parts[..],
        ]
        .concat(),
        false => [element(b"\x18\x53\x80\x67", &parts), SECRET.to_vec()].concat(),
    };
    [element(b"\x1a\x45\xdf\xa3", &head), segment].concat()
}
