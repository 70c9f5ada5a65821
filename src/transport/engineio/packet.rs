//! Codec for packets and payloads of Engine.IO 4. Does no I/O.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::{Buf, Bytes};

use crate::transport::frame::{self, Opcode};

/// Separator between the packets of a payload.
const SEPARATOR: u8 = 0x1E;

/// Accepts base64 with and without padding: browsers pad, some clients do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A packet from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Ends the session.
    Close,
    /// Tests a WebSocket before the upgrade.
    Probe,
    Pong,
    /// Text message.
    Text(&'a str),
    /// Binary message.
    Binary(Bytes),
    /// Completes the upgrade to a WebSocket.
    Upgrade,
}

/// Error for text that is not a packet or not one that a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid packet")]
pub struct Invalid;

impl<'a> Packet<'a> {
    /// Parses a text message of a WebSocket or a text packet of a payload.
    ///
    /// # Errors
    /// If the text is not a packet that a client may send.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        match (text.as_bytes().first(), text) {
            (Some(b'4'), _) => Ok(Self::Text(&text[1..])),
            (_, "1") => Ok(Self::Close),
            (_, "2probe") => Ok(Self::Probe),
            (_, "3") => Ok(Self::Pong),
            (_, "5") => Ok(Self::Upgrade),
            _ => Err(Invalid),
        }
    }
}

/// Iterates over the packets of a payload. The caller must stop at the first error.
pub fn parse_payload(payload: &str) -> impl Iterator<Item = Result<Packet<'_>, Invalid>> {
    payload.split(char::from(SEPARATOR)).map(|packet| {
        let Some(encoded) = packet.strip_prefix('b') else {
            return Packet::parse(packet);
        };
        let bytes = BASE64.decode(encoded).map_err(|_| Invalid)?;
        Ok(Packet::Binary(bytes.into()))
    })
}

pub fn append(payload: &mut Vec<u8>, packet: &[u8]) {
    separate(payload);
    payload.extend_from_slice(packet);
}

/// Moves at most `room` packets from concatenated WebSocket frames to a payload, and returns their number. The other
/// packets are left in `frames`.
pub fn append_frames(payload: &mut Vec<u8>, frames: &mut Bytes, room: usize) -> usize {
    let mut count = 0;
    while count < room {
        let Some((opcode, packet, rest)) = frame::split_frame(frames) else {
            frames.clear();
            break;
        };
        let rest = rest.len();
        match opcode {
            Opcode::Text => append(payload, packet),
            Opcode::Binary => append_base64(payload, packet),
            Opcode::Close | Opcode::Ping | Opcode::Pong => {}
        }
        count += usize::from(matches!(opcode, Opcode::Text | Opcode::Binary));
        frames.advance(frames.len() - rest);
    }
    count
}

fn separate(payload: &mut Vec<u8>) {
    if !payload.is_empty() {
        payload.push(SEPARATOR);
    }
}

fn append_base64(payload: &mut Vec<u8>, bytes: &[u8]) {
    separate(payload);
    payload.push(b'b');
    let from = payload.len();
    let room = base64::encoded_len(bytes.len(), true).unwrap_or(0);
    payload.resize(from + room, 0);
    let written = BASE64.encode_slice(bytes, &mut payload[from..]);
    payload.truncate(from + written.unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packets_that_clients_may_send_are_parsed() {
        assert_eq!(Packet::parse("4"), Ok(Packet::Text("")));
        assert_eq!(Packet::parse("4häh"), Ok(Packet::Text("häh")));
        assert_eq!(Packet::parse("1"), Ok(Packet::Close));
        assert_eq!(Packet::parse("2probe"), Ok(Packet::Probe));
        assert_eq!(Packet::parse("3"), Ok(Packet::Pong));
        assert_eq!(Packet::parse("5"), Ok(Packet::Upgrade));
        for wrong in ["", "0{}", "2", "3probe", "6", "7", "abc", "11", "b", "ä"] {
            assert_eq!(Packet::parse(wrong), Err(Invalid), "{wrong}");
        }
    }

    #[test]
    fn a_payload_is_split_at_its_separators() {
        let packets: Vec<_> = parse_payload("4a\u{1e}3\u{1e}bAQIDBA==\u{1e}bAQ").collect();
        let binary = |bytes: &'static [u8]| Ok(Packet::Binary(Bytes::from_static(bytes)));
        let wanted = [
            Ok(Packet::Text("a")),
            Ok(Packet::Pong),
            binary(&[1, 2, 3, 4]),
            binary(&[1]),
        ];
        assert_eq!(packets, wanted);
        for wrong in ["", "4a\u{1e}", "b*", "\u{1e}4a", "4a\u{1e}x"] {
            assert!(
                parse_payload(wrong).any(|packet| packet.is_err()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn frames_become_a_payload() {
        let mut frames = Vec::new();
        frame::append_text_frame(&mut frames, b"4one");
        frame::append_frame(&mut frames, Opcode::Binary, &[1, 2, 3, 4]);
        frame::append_frame(&mut frames, Opcode::Ping, b"");
        let mut payload = Vec::new();
        append(&mut payload, b"2");
        append_frames(&mut payload, &mut frames.into(), usize::MAX);
        assert_eq!(payload, b"2\x1e4one\x1ebAQIDBA==");
    }

    #[test]
    fn concatenated_frames_are_taken_in_parts() {
        let mut frames = Vec::new();
        for text in ["4a", "4b", "4c"] {
            frame::append_text_frame(&mut frames, text.as_bytes());
        }
        let (mut frames, mut payload) = (Bytes::from(frames), Vec::new());
        assert_eq!(append_frames(&mut payload, &mut frames, 2), 2);
        assert_eq!(append_frames(&mut payload, &mut frames, 2), 1);
        assert_eq!(
            (payload.as_slice(), frames.len()),
            (&b"4a\x1e4b\x1e4c"[..], 0)
        );
    }
}
