//! Tests that clean whole files, also damaged ones.

use std::io::Cursor;

use super::*;

use super::containers::*;

/// Cleans a file. Returns the cleaned bytes and the plan.
pub(in super::super) fn cleaned(data: &[u8]) -> io::Result<(Vec<u8>, Plan)> {
    let plan = plan(Kind::of(data).unwrap(), Cursor::new(data))?;
    let mut bytes = Vec::new();
    for piece in &plan.pieces {
        match piece {
            Piece::Keep(from, to) => bytes.extend(&data[*from as usize..*to as usize]),
            Piece::Bytes(other) => bytes.extend(other),
            Piece::Zeros(count) => bytes.resize(bytes.len() + *count as usize, 0),
        }
    }
    Ok((bytes, plan))
}

#[test]
fn cleaning_removes_metadata_and_keeps_the_media_in_place() {
    for Container {
        name,
        bytes,
        in_place,
    } in containers()
    {
        assert!(has(&bytes, SECRET), "{name}");
        let (after, _) = cleaned(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!has(&after, SECRET), "{name}");
        let (again, plan) = cleaned(&after).unwrap();
        assert_eq!(again, after, "{name}");
        if in_place {
            assert_eq!(after.len(), bytes.len(), "{name}");
            let at = |data: &[u8]| data.windows(MEDIA.len()).position(|part| part == MEDIA);
            assert!(at(&after).is_some() && at(&after) == at(&bytes), "{name}");
        } else if plan.orientation <= 1 {
            assert!(plan.changes_nothing(after.len() as u64), "{name}");
        }
    }
}

/// Returns the facts found in one of the test files.
fn found(name: &str) -> Found {
    let all = containers();
    let file = all.iter().find(|file| file.name == name).unwrap();
    cleaned(&file.bytes).unwrap().1.found
}

#[test]
fn file_types_are_detected_by_content() {
    for (name, media_type, duration, dimensions) in [
        ("sound.mp3", "audio/mpeg", Some(104), None),
        ("sound.aac", "audio/aac", Some(92), None),
        ("sound.flac", "audio/flac", Some(2_000), None),
        ("vorbis.ogg", "audio/ogg", Some(2_000), None),
        ("sound.opus", "audio/ogg", Some(326), None),
        ("flac.oga", "audio/ogg", Some(2_000), None),
        ("sound.wav", "audio/wav", Some(1_000), None),
        ("film.avi", "video/x-msvideo", Some(2_000), Some((64, 48))),
        ("film.webm", "video/webm", Some(2_500), Some((64, 48))),
        ("film.mkv", "video/x-matroska", Some(2_500), Some((64, 48))),
        ("photo.avif", "image/avif", None, Some((64, 48))),
        ("photo.heic", "image/heic", None, None),
        ("photo.jxl", "image/jxl", None, None),
        ("photo.jp2", "image/jp2", None, None),
        ("little.tiff", "image/tiff", None, None),
    ] {
        let found = found(name);
        assert_eq!(found.media_type, Some(media_type), "{name}");
        assert_eq!(found.duration, duration, "{name}");
        assert_eq!(found.dimensions, dimensions, "{name}");
        assert!(!found.keeps_metadata, "{name}");
    }
    assert_eq!(found("film.mov").media_type, Some("video/quicktime"));
    assert_eq!(found("film.mp4").media_type, Some("video/mp4"));
}

#[test]
fn incompletely_cleaned_files_are_marked() {
    let (_, plan) = cleaned(b"%PDF-1.7 anything").unwrap();
    assert_eq!(plan.found.media_type, Some("application/pdf"));
    assert!(plan.found.keeps_metadata && plan.changes_nothing(17));
    // A stream of an unknown codec, a subtitle track, a private entry, a film without its header.
    let ogg = [
        b"OggS\0\x02".as_slice(),
        &[0; 20],
        &[1, 9],
        b"BBCD\0\0\0\0\0",
    ];
    let mut film = movie(b"isom", true);
    let at = film.windows(4).position(|name| name == b"vide").unwrap();
    film[at..at + 4].copy_from_slice(b"sbtl");
    let mut tiff = tiff(true);
    let entry = tiff
        .windows(12)
        .position(|entry| entry.starts_with(&[0, 1, 4, 0, 1]))
        .unwrap();
    tiff[entry..entry + 2].copy_from_slice(&[0xff, 0xfe]);
    let lost = [isobox(b"ftyp", b"isom\0\0\0\0"), isobox(b"mdat", MEDIA)];
    for data in [ogg.concat(), film, tiff, lost.concat()] {
        assert!(cleaned(&data).unwrap().1.found.keeps_metadata);
    }
}

#[test]
fn ogg_pages_have_valid_checksums() {
    for Container { name, bytes, .. } in containers() {
        if !bytes.starts_with(b"OggS") {
            continue;
        }
        let (after, _) = cleaned(&bytes).unwrap();
        let mut rest = after.as_slice();
        while !rest.is_empty() {
            let head = 27 + usize::from(rest[26]);
            let body: usize = rest[27..head].iter().map(|part| usize::from(*part)).sum();
            let mut page = rest[..head + body].to_vec();
            let told: [u8; 4] = page[22..26].try_into().unwrap();
            page[22..26].fill(0);
            assert_eq!(u32::from_le_bytes(told), sum(&page), "{name}");
            rest = &rest[head + body..];
        }
    }
}

#[test]
fn icc_profiles_keep_colours_without_texts() {
    let after = icc::cleaned(&profile()).unwrap();
    assert_eq!(after.len(), profile().len());
    assert!(!has(&after, SECRET) && !has(&after, &SECRET[..12]));
    assert!(has(&after, b"XYZ \0\0\0\0\0\0\x6f\xa2"));
    assert_eq!(icc::cleaned(&after).unwrap(), after);
    for broken in [&after[..130], b"", &[0; 200]] {
        assert!(icc::cleaned(broken).is_none());
    }
    for Container { name, bytes, .. } in containers() {
        let (after, _) = cleaned(&bytes).unwrap();
        if name.starts_with("photo.j") && name.ends_with("jpg") || name.ends_with("webp") {
            let kept = has(&after, b"XYZ \0\0\0\0\0\0\x6f\xa2");
            assert_eq!(kept, name != "animated.webp", "{name}");
        }
    }
}

#[test]
fn text_resembling_an_audio_header_is_not_audio() {
    for text in [
        "ID3 is a format",
        "fLa",
        "Ogg",
        "RIFF....text",
        "APETAGEX",
        "TAG",
    ] {
        assert_eq!(Kind::of(text.as_bytes()), None, "{text}");
    }
    let mut noise = vec![0xff, 0xfb, 0x90, 0];
    noise.resize(2_000, 7);
    assert_eq!(Kind::of(&noise), None);
}

#[test]
fn animation_frames_are_counted() {
    for (name, frames) in [("animated.webp", 2), ("photo.webp", 0), ("photo.gif", 1)] {
        assert_eq!(found(name).frames, frames, "{name}");
    }
}

#[test]
fn creation_times_of_videos_are_removed() {
    let (after, _) = cleaned(&movie(b"isom", true)).unwrap();
    for name in [b"mvhd", b"tkhd", b"mdhd"] {
        let at = after.windows(4).position(|part| part == name).unwrap();
        assert_eq!(after[at + 8..at + 16], [0; 8]);
        assert_eq!(after[at + 16], 0xd5);
    }
}

#[test]
fn truncated_images_get_an_end_marker() {
    for (data, end) in [(jpeg(1), b"\xff\xd9".as_slice()), (gif(), b";")] {
        let (whole, _) = cleaned(&data).unwrap();
        let (cut, _) =
            cleaned(&whole[..whole.len() - 2]).unwrap_or_else(|_| cleaned(&whole).unwrap());
        assert!(cut.ends_with(end));
    }
    let (whole, _) = cleaned(&png()).unwrap();
    let (cut, _) = cleaned(&whole[..whole.len() - 12]).unwrap();
    assert_eq!(cut, whole);
}

#[test]
fn files_with_only_an_image_header_are_refused() {
    for head in [
        b"GIF89a".as_slice(),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"II*\0",
        b"\0\0\0\x18ftyp",
    ] {
        let data = [head, b"=1;<script>alert(1)</script>"].concat();
        let error = cleaned(&data).unwrap_err();
        assert!(is_damage(&error), "{error}");
    }
    assert_eq!(Kind::of(b"The wide world"), None);
    assert_eq!(Kind::of(b""), None);
}

/// Directories that link back to themselves, and counts that no real file has.
#[test]
fn cyclic_and_unbounded_structures_are_refused() {
    let directory = |entries: &[u8], next: u32| {
        let head = b"II*\0\x08\0\0\0".to_vec();
        let count = ((entries.len() / 12) as u16).to_le_bytes();
        [&head, &count[..], entries, &next.to_le_bytes()].concat()
    };
    let own_part = [&[0x4a, 0x01, 4, 0, 1, 0, 0, 0][..], &[8, 0, 0, 0]].concat();
    for data in [directory(&[], 8), directory(&own_part, 0)] {
        assert!(is_damage(&cleaned(&data).unwrap_err()));
    }
    // Items made only of extents without a length.
    let places = [
        [0, 0, 0, 0xff, 0xff].as_slice(),
        &[0, 1, 0, 0, 0, 0, 0xff, 0xff].repeat(3),
    ];
    let mut film = movie(b"isom", false);
    let at = film.windows(4).rposition(|name| name == b"stsz").unwrap();
    // Four billion samples of one byte, all in one chunk.
    film[at + 8..at + 16].copy_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    assert!(cleaned(&film).is_ok());
    let hdlr = [&[0; 8][..], b"pict", &[0; 13]].concat();
    let meta = [
        vec![0; 4],
        isobox(b"hdlr", &hdlr),
        isobox(b"iloc", &[&[0, 0, 0][..], &places.concat()].concat()),
    ];
    let data = [
        isobox(b"ftyp", b"heic\0\0\0\0"),
        isobox(b"meta", &meta.concat()),
    ]
    .concat();
    assert!(is_damage(&cleaned(&data).unwrap_err()));
}

#[test]
fn too_many_small_parts_are_refused() {
    let note = b"\x21\xfe\x01x\0";
    let delay = b"\x21\xf9\x04\0\0\0\0\0";
    let whole = gif();
    let data = [
        &whole[..13],
        &[note.as_slice(), delay].concat().repeat(200_000),
    ]
    .concat();
    assert!(is_damage(&cleaned(&data).unwrap_err()));
}

#[test]
fn damaged_files_never_cause_a_panic() {
    for Container { name, bytes, .. } in containers() {
        for end in 16..bytes.len() {
            check(name, &bytes[..end]);
        }
        // Changes bytes, with pseudo-random but reproducible values.
        let mut seed = 1_u32;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % below
        };
        for _ in 0..4_000 {
            let mut data = bytes.clone();
            for _ in 0..=next(3) {
                let at = next(data.len());
                data[at] = match next(4) {
                    0 => 0,
                    1 => 0xff,
                    _ => next(256) as u8,
                };
            }
            check(name, &data);
        }
    }
}

fn check(name: &str, data: &[u8]) {
    if Kind::of(data).is_none() {
        return;
    }
    match cleaned(data) {
        Err(error) => assert!(is_damage(&error), "{name}: {error}"),
        // The file can only grow by the end marker of an image or by its orientation.
        Ok((after, _)) => assert!(after.len() <= data.len() + 64, "{name}"),
    }
}
