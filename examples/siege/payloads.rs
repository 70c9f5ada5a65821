//! Request bodies.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Builds a form with one file.
pub fn form(name: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat()
}

/// Builds a PNG of `side` × `side` pixels of one colour. With 7000, about 150 KiB decompress to 147 MB.
pub fn png(side: u32) -> Vec<u8> {
    let row = vec![0; 1 + 3 * side as usize];
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..side {
        pixels.write_all(&row).expect("memory");
    }
    let pixels = pixels.finish().expect("memory");
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [
        (b"IHDR", &header),
        (b"IDAT", &pixels),
        (b"IEND", &Vec::new()),
    ] {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut checksum = flate2::Crc::new();
        checksum.update(name);
        checksum.update(data);
        png.extend(length.to_be_bytes());
        png.extend(name);
        png.extend(data);
        png.extend(checksum.sum().to_be_bytes());
    }
    png
}
