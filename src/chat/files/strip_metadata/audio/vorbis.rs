//! Comment headers of Vorbis and related codecs, and FLAC metadata blocks: emptied in place.

/// Replaces a comment header by one of the same length without vendor and comments. Returns `false` if it is too short.
pub(in super::super) fn empty_comments(header: &mut [u8]) -> bool {
    let (magic, ends_with_bit) = match header {
        [3, b'v', b'o', b'r', b'b', b'i', b's', ..] => (7, true),
        [0x81, b't', b'h', b'e', b'o', b'r', b'a', ..] => (7, false),
        _ if header.starts_with(b"OpusTags") => (8, false),
        // Speex, which has no signature here.
        _ => (0, false),
    };
    let needed = magic + 8 + usize::from(ends_with_bit);
    if header.len() < needed {
        return false;
    }
    header[magic..].fill(0);
    if ends_with_bit {
        header[needed - 1] = 1;
    }
    true
}

/// Returns the new type byte of a FLAC block that may hold metadata, or `None` if the block is kept. It becomes
/// padding, except that comments stay comments in Ogg, where they are mandatory.
pub(in super::super) fn flac_block(first: u8, in_ogg: bool) -> Option<u8> {
    match first & 0x7f {
        // Stream information and seek table.
        0 | 3 => None,
        4 if in_ogg => Some(first),
        _ => Some(first & 0x80 | 1),
    }
}
