//! ICC colour profiles (ISO 15076-1): keeps what colours are computed with; names, dates, serial numbers of monitors and
//! copyright notes go. The length and all offsets stay.

/// Bytes of the header.
const HEADER: usize = 128;
/// Bytes of an entry of the table of tags.
const ENTRY: usize = 12;
/// More tags than any real profile has.
const TAGS_MAX: usize = 200;

/// Tags that colours are computed with.
const KEPT: [&[u8; 4]; 33] = [
    b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"bkpt", b"chad",
    b"lumi", b"A2B0", b"A2B1", b"A2B2", b"A2B3", b"B2A0", b"B2A1", b"B2A2", b"B2A3", b"D2B0",
    b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3", b"gamt", b"chrm", b"view",
    b"meas", b"tech", b"cicp",
];

/// The profile without its texts; `None` if it is none.
pub(super) fn cleaned(profile: &[u8]) -> Option<Vec<u8>> {
    let number = |at: usize| {
        let bytes = profile.get(at..at + 4)?;
        bytes.try_into().ok().map(u32::from_be_bytes)
    };
    if profile.get(36..40)? != b"acsp" {
        return None;
    }
    let count = number(HEADER)? as usize;
    let table = profile.get(HEADER + 4..(HEADER + 4).checked_add(count.checked_mul(ENTRY)?)?)?;
    if count > TAGS_MAX {
        return None;
    }
    let mut kept = vec![0; profile.len()];
    let head = HEADER + 4 + table.len();
    kept[..head].copy_from_slice(&profile[..head]);
    // The preferred module, the date, manufacturer, model, creator and checksum; behind it what is reserved.
    for range in [4..8, 24..36, 48..56, 80..HEADER] {
        kept[range].fill(0);
    }
    for entry in table.chunks_exact(ENTRY) {
        let part = |at: usize| {
            u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
        };
        let from = part(4) as usize;
        let range = from..from.checked_add(part(8) as usize)?;
        let content = profile.get(range.clone())?;
        if from < head {
            return None;
        }
        if KEPT.iter().any(|name| entry.starts_with(*name)) {
            kept[range].copy_from_slice(content);
        } else if content.len() >= 16 && content.starts_with(b"mluc") {
            // No texts, in records of the one size there is.
            kept[from..from + 4].copy_from_slice(b"mluc");
            kept[from + 15] = 12;
        } else if content.len() >= 8 {
            let kind = if content.starts_with(b"desc") {
                b"desc"
            } else {
                b"text"
            };
            kept[from..from + 4].copy_from_slice(kind);
        }
    }
    Some(kept)
}
