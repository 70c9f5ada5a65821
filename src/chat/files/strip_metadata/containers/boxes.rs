//! Test files made of boxes.

use super::{MEDIA, SECRET, notes, profile};

pub fn isobox(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 8).to_be_bytes();
    [&length[..], name, content].concat()
}

/// Builds a box with version and flags.
pub fn full_box(name: &[u8], version: u8, content: &[u8]) -> Vec<u8> {
    isobox(name, &[&[version, 0, 0, 0], content].concat())
}

pub fn handler(kind: &[u8; 4]) -> Vec<u8> {
    full_box(b"hdlr", 0, &[&[0; 4], &kind[..], &[0; 12], SECRET].concat())
}

/// Builds an image with Exif in `mdat` and XMP in `idat`.
pub fn heif(brand: &[u8; 4]) -> Vec<u8> {
    let item = |id: u8, kind: &[u8; 4]| {
        full_box(
            b"infe",
            2,
            &[&[0, id, 0, 0], &kind[..], SECRET, b"\0text/xml\0"].concat(),
        )
    };
    let exif = [b"\0\0\0\x06Exif\0\0".as_slice(), &notes(1)].concat();
    let head = isobox(b"ftyp", &[brand, &[0; 4], &brand[..]].concat());
    let place = |id: u8, method: u8, from: u32, length: usize| {
        let numbers = [from.to_be_bytes(), (length as u32).to_be_bytes()].concat();
        [&[0, id, 0, method, 0, 0, 0, 1], &numbers[..]].concat()
    };
    let meta = |media: u32| {
        let items = [item(1, b"Exif"), item(2, b"mime"), item(3, b"hvc1")];
        let places = [
            vec![0x44, 0x00, 0, 3],
            place(1, 0, media, exif.len()),
            place(2, 1, 0, SECRET.len()),
            place(3, 0, media + exif.len() as u32, MEDIA.len()),
        ];
        let parts = [
            handler(b"pict"),
            full_box(b"iinf", 0, &[&[0, 3], &items.concat()[..]].concat()),
            full_box(b"iloc", 1, &places.concat()),
            isobox(b"idat", SECRET),
            isobox(b"iprp", &isobox(b"ipco", &properties())),
        ];
        full_box(b"meta", 0, &parts.concat())
    };
    let media = (head.len() + meta(0).len() + 8) as u32;
    let data = isobox(b"mdat", &[&exif, MEDIA].concat());
    [
        head,
        meta(media),
        data,
        isobox(b"uuid", &[&[7; 16], SECRET].concat()),
    ]
    .concat()
}

pub fn properties() -> Vec<u8> {
    [
        full_box(b"ispe", 0, &[0, 0, 0, 64, 0, 0, 0, 48]),
        isobox(b"colr", &[b"prof", &profile()[..]].concat()),
        full_box(b"udes", 0, SECRET),
    ]
    .concat()
}

/// A `dinf` box with the original path of a track's media.
fn elsewhere() -> Vec<u8> {
    let reference = [&[0, 0, 0, 1], &full_box(b"alis", 0, SECRET)[..]].concat();
    isobox(b"dinf", &full_box(b"dref", 0, &reference))
}

/// A `stsd` box with the name of the compressor.
fn description() -> Vec<u8> {
    let codec = [&[0; 42], SECRET, &[0; 18], &isobox(b"udta", SECRET)[..]].concat();
    let codec = [&[0, 0, 0, 1], &isobox(b"avc1", &codec)[..]].concat();
    full_box(b"stsd", 0, &codec)
}

/// Builds a film with a location, a camera and a track of location samples, its header before or after the media.
pub fn movie(brand: &[u8; 4], header_first: bool) -> Vec<u8> {
    let head = isobox(b"ftyp", &[brand, &[0; 4], &brand[..]].concat());
    let data = isobox(b"mdat", &[MEDIA, SECRET, SECRET].concat());
    let times = |name: &[u8]| full_box(name, 0, &[0xd5; 20]);
    let user_data = isobox(b"udta", &isobox(b"\xa9xyz", SECRET));
    let number = |number: u32| number.to_be_bytes();
    let film_header = |media: u32| {
        let table = |from: u32, sizes: &[u8]| {
            let tables = [
                full_box(b"stco", 0, &[number(1), number(from)].concat()),
                full_box(
                    b"stsc",
                    0,
                    &[number(1), number(1), number(2), number(1)].concat(),
                ),
                full_box(b"stsz", 0, sizes),
            ];
            let tables = [tables.concat(), description()].concat();
            isobox(b"minf", &[elsewhere(), isobox(b"stbl", &tables)].concat())
        };
        let track = |kind: &[u8; 4], table: Vec<u8>| {
            let media = [times(b"mdhd"), handler(kind), table].concat();
            isobox(
                b"trak",
                &[times(b"tkhd"), user_data.clone(), isobox(b"mdia", &media)].concat(),
            )
        };
        let places = media + MEDIA.len() as u32;
        let size = SECRET.len() as u32;
        let sizes = [number(0), number(2), number(size), number(size)].concat();
        let pictures = [number(MEDIA.len() as u32), number(1)].concat();
        let parts = [
            times(b"mvhd"),
            track(b"vide", table(media, &pictures)),
            track(b"meta", table(places, &sizes)),
            user_data.clone(),
            isobox(
                b"meta",
                &[handler(b"mdta"), isobox(b"ilst", SECRET)].concat(),
            ),
            isobox(b"uuid", &[&[9; 16], SECRET].concat()),
            isobox(b"xxxx", SECRET),
        ];
        isobox(b"moov", &parts.concat())
    };
    let behind = [
        isobox(b"uuid", &[&[9; 16], SECRET].concat()),
        isobox(b"free", SECRET),
        isobox(b"emsg", SECRET),
        isobox(b"moof", &isobox(b"traf", &isobox(b"uuid", SECRET))),
        isobox(b"moof", &isobox(b"meta", SECRET)),
    ]
    .concat();
    if header_first {
        let media = head.len() + film_header(0).len() + 8;
        [head, film_header(media as u32), data, behind].concat()
    } else {
        let media = head.len() + 8;
        [head, data, film_header(media as u32), behind].concat()
    }
}

pub fn boxes_with_exif(signature: &[u8; 4], code: &[u8; 4]) -> Vec<u8> {
    let parts = [
        isobox(signature, b"\r\n\x87\n"),
        isobox(b"Exif", &notes(1)),
        isobox(b"xml ", SECRET),
        isobox(b"uuid", &[&[7; 16], SECRET].concat()),
        isobox(code, MEDIA),
    ];
    parts.concat()
}
