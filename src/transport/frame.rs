//! WebSocket frames of a server as bytes: encode once, send to many. Does no I/O.
//!
//! Server frames are never masked. These are never fragmented either.

use bytes::Bytes;

/// Opcode of a frame (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    Text,
    Binary,
    /// Close, with an optional code and reason.
    Close,
    Ping,
    Pong,
}

/// Maximum length of a frame header, in bytes.
pub const MAX_HEADER: usize = 10;
/// Maximum payload length of a control frame, in bytes.
pub const MAX_CONTROL: usize = 125;

const FINAL: u8 = 0x80;

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }
}

/// Appends one frame to a buffer that may already contain frames.
pub fn append_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.reserve(MAX_HEADER + payload.len());
    out.push(FINAL | opcode.bits());
    match payload.len() {
        len @ 0..=125 => out.push(len as u8),
        len @ 126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// Appends a text frame. `payload` must be UTF-8, or the peer closes the connection.
pub fn append_text_frame(out: &mut Vec<u8>, payload: &[u8]) {
    append_frame(out, Opcode::Text, payload);
}

/// Encodes one text frame.
pub fn text_frame(text: &str) -> Bytes {
    frame(Opcode::Text, text.as_bytes())
}

/// Encodes one binary frame.
pub fn binary_frame(payload: &[u8]) -> Bytes {
    frame(Opcode::Binary, payload)
}

/// Returns an empty ping frame.
pub fn ping_frame() -> Bytes {
    Bytes::from_static(&[0x89, 0x00])
}

/// Encodes a close frame. The reason is truncated to 123 bytes, at a character boundary.
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL - 2)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    frame(Opcode::Close, &payload)
}

fn frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(MAX_HEADER + payload.len());
    append_frame(&mut out, opcode, payload);
    Bytes::from(out)
}

/// Iterates over concatenated complete server frames, as opcode and payload. Ends at anything else.
pub fn unframe(frames: &[u8]) -> impl Iterator<Item = (Opcode, &[u8])> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let (opcode, payload, tail) = split_frame(rest)?;
        rest = tail;
        Some((opcode, payload))
    })
}

/// Splits off the first of concatenated complete server frames. Returns opcode, payload and the other frames.
pub fn split_frame(frames: &[u8]) -> Option<(Opcode, &[u8], &[u8])> {
    let (&[first, second], rest) = frames.split_first_chunk::<2>()?;
    let opcode = Opcode::from_bits(first & 0x0F).filter(|_| first & 0xF0 == FINAL)?;
    let (len, rest) = match second {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (usize::try_from(u64::from_be_bytes(*len)).ok()?, rest)
        }
        len => (usize::from(len), rest),
    };
    let (payload, tail) = rest.split_at_checked(len)?;
    Some((opcode, payload, tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read, Write};
    use tokio_tungstenite::tungstenite::{Message, WebSocket, protocol::Role};

    /// A client transport that can only read. Everything written to it is discarded.
    struct Tape(Cursor<Vec<u8>>);
    impl Read for Tape {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(buf)
        }
    }
    impl Write for Tape {
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            Ok(buf.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    fn client(bytes: &[u8]) -> WebSocket<Tape> {
        WebSocket::from_raw_socket(Tape(Cursor::new(bytes.to_vec())), Role::Client, None)
    }

    #[test]
    fn a_client_reads_texts_of_every_header_length() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let text = "x".repeat(len);
            let got = client(&text_frame(&text)).read().unwrap();
            assert_eq!(got, Message::text(text), "{len}");
        }
    }

    #[test]
    fn a_client_reads_binary_ping_and_close() {
        let mut run = Vec::new();
        run.extend_from_slice(&binary_frame(&[1, 2, 3]));
        run.extend_from_slice(&ping_frame());
        run.extend_from_slice(&close_frame(4002, "lagging"));
        let mut client = client(&run);
        assert_eq!(client.read().unwrap(), Message::binary(vec![1, 2, 3]));
        assert_eq!(client.read().unwrap(), Message::Ping(Bytes::new()));
        let Message::Close(Some(close)) = client.read().unwrap() else {
            panic!("no close frame");
        };
        assert_eq!(
            (u16::from(close.code), close.reason.as_str()),
            (4002, "lagging")
        );
    }

    #[test]
    fn a_long_close_reason_is_cut_between_characters() {
        let frame = close_frame(1000, &"ä".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        let (_, payload) = unframe(&frame).next().unwrap();
        assert_eq!(std::str::from_utf8(&payload[2..]).unwrap().len(), 122);
    }

    #[test]
    fn unframe_returns_the_framed_payloads() {
        let long = vec![b'y'; 70_000];
        let mut run = Vec::new();
        append_text_frame(&mut run, b"one");
        append_frame(&mut run, Opcode::Binary, &long);
        append_text_frame(&mut run, b"");
        let got: Vec<_> = unframe(&run).collect();
        let want: Vec<(Opcode, &[u8])> = vec![
            (Opcode::Text, b"one"),
            (Opcode::Binary, &long),
            (Opcode::Text, b""),
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn unframe_ends_at_an_incomplete_frame() {
        for broken in [
            &[0x81][..],
            &[0x81, 5, b'a'],
            &[0x81, 126, 0],
            &[0x81, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x01, 1, b'a'],
            &[0x83, 0],
        ] {
            assert_eq!(unframe(broken).count(), 0, "{broken:?}");
        }
    }
}
