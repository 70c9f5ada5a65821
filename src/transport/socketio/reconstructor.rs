//! Reassembles a packet with binary attachments. Does no I/O.

use bytes::Bytes;

use super::packet::{Invalid, Packet};

/// The text of a packet, and the attachments received so far.
#[derive(Debug)]
pub(super) struct Partial {
    text: String,
    wanted: usize,
    attachments: Vec<Bytes>,
    /// Bytes that the remaining attachments may have.
    room: usize,
}

impl Partial {
    /// Starts with the text of `packet`, whose attachments may have `room` bytes in total.
    pub fn new(text: &str, packet: &Packet<'_>, room: usize) -> Self {
        Self {
            text: text.to_owned(),
            wanted: packet.attachments,
            attachments: Vec::new(),
            room,
        }
    }

    /// Adds an attachment. Returns whether it was the last.
    ///
    /// # Errors
    /// If the attachments are too large in total.
    pub fn add(&mut self, attachment: Bytes) -> Result<bool, Invalid> {
        self.room = self.room.checked_sub(attachment.len()).ok_or(Invalid)?;
        self.attachments.push(attachment);
        Ok(self.attachments.len() == self.wanted)
    }

    /// Returns the text and the attachments.
    pub fn into_parts(self) -> (String, Vec<Bytes>) {
        (self.text, self.attachments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_complete_with_its_last_attachment() {
        let text = "52-[\"a\"]";
        let mut partial = Partial::new(text, &Packet::parse(text).unwrap(), 3);
        assert_eq!(partial.add(Bytes::from_static(b"a")), Ok(false));
        assert_eq!(partial.add(Bytes::from_static(b"bc")), Ok(true));
        let (whole, attachments) = partial.into_parts();
        assert_eq!((whole.as_str(), attachments.len()), (text, 2));
    }

    #[test]
    fn attachments_share_one_size_limit() {
        let text = "52-[\"a\"]";
        let mut partial = Partial::new(text, &Packet::parse(text).unwrap(), 3);
        partial.add(Bytes::from_static(b"ab")).unwrap();
        assert_eq!(partial.add(Bytes::from_static(b"cd")), Err(Invalid));
    }
}
