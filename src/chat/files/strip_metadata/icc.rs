//! ICC colour profiles (ISO 15076-1): keeps the tags used to compute colours; removes names, dates, monitor serial
//! numbers and copyright notices. Length and offsets stay the same.

/// Size of the profile header, in bytes.
const HEADER: usize = 128;
/// Size of an entry of the tag table, in bytes.
const ENTRY: usize = 12;
/// Maximum number of tags. Real profiles have fewer.
const TAGS_MAX: usize = 200;

/// Tags used to compute colours.
const KEPT: [&[u8; 4]; 33] = [
    b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"bkpt", b"chad",
    b"lumi", b"A2B0", b"A2B1", b"A2B2", b"A2B3", b"B2A0", b"B2A1", b"B2A2", b"B2A3", b"D2B0",
    b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3", b"gamt", b"chrm", b"view",
    b"meas", b"tech", b"cicp",
];

/// Returns the profile without texts, or `None` if it cannot be parsed.
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
    // Preferred CMM, date, manufacturer, model, creator and profile id; then the reserved bytes.
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
            // An `mluc` element with no records. The record size must be 12.
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
